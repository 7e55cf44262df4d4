"""The default log, which stays open for a moment, so that many submissions in a row open it once.

After that, only its users keep it open, so that its file may be moved or deleted like any other.
"""

from __future__ import annotations

import os
import threading
import weakref

from astria_nb.log._idle import WhenIdle
from astria_nb.log._log import Log
from astria_nb.log._server_address import LogPath

_SECONDS = 0.3


def default_log() -> Log:
    """Return the log to use if none was passed."""
    log = Log()
    with _lock:
        log = _open.setdefault(log.path, log)
        _recent[:] = [log]
    _later.touch()
    return log


def _forget() -> bool:
    with _lock:
        forgotten = _recent.copy()
        _recent.clear()
    del forgotten  # this closes its file, outside the lock
    return True


_recent: list[Log] = []
_open: weakref.WeakValueDictionary[LogPath, Log] = weakref.WeakValueDictionary()  # including logs in use
_lock = threading.Lock()
_later = WhenIdle(_forget, _SECONDS)


def _leave_to_parent() -> None:
    """Reset a forked child, in which the waiting thread does not exist."""
    global _lock, _later
    _lock, _later = threading.Lock(), WhenIdle(_forget, _SECONDS)
    _recent.clear()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
