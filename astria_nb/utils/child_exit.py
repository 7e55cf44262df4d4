"""The exit of a child process of multiprocessing, which calls none of the functions of `atexit`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

_registered: set[tuple[int, Callable[[], object]]] = set()


def at_child_exit(function: Callable[[], object]) -> None:
    """Call a function, once, when this process exits, if it is a child of multiprocessing.

    Parameters
    ----------
    function : callable
        Without arguments, at the level of its module.
    """
    util = sys.modules.get("multiprocessing.util")
    if util is None or (os.getpid(), function) in _registered:
        return
    from multiprocessing import parent_process

    if parent_process() is not None:
        _registered.add((os.getpid(), function))
        util.Finalize(None, function, exitpriority=0)
