"""The lock for opening and closing logs: it is taken before any other lock of a log."""

from __future__ import annotations

import os
from threading import RLock

OPEN_LOCK = RLock()
if hasattr(os, "register_at_fork"):  # if another thread held it, it would stay locked in the child
    os.register_at_fork(
        before=OPEN_LOCK.acquire, after_in_parent=OPEN_LOCK.release, after_in_child=OPEN_LOCK.release
    )
