"""The exit of a multiprocessing child process, which does not call the functions registered with `atexit`."""

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
        Without arguments, defined at the top level of its module.
    """
    util = sys.modules.get("multiprocessing.util")
    if util is None or (os.getpid(), function) in _registered:
        return
    from multiprocessing import parent_process

    if parent_process() is not None:
        _registered.add((os.getpid(), function))
        util.Finalize(None, function, exitpriority=0)
