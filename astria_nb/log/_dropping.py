"""A log that is dropped without having been closed: its connections are closed at once, or a moment later.

Python may drop it on any thread, at any line: also on one that holds a lock of the log, or is about to fork.
So it waits for nothing there.
"""

from __future__ import annotations

import weakref
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from astria_nb.log._connections import Connections
from astria_nb.log._guard import FileGuard, close_for_good
from astria_nb.log._index_check import leave
from astria_nb.utils.interrupts import shielded

if TYPE_CHECKING:
    from astria_nb.log._sqlite import SqliteStore


def close_when_dropped(
    store: SqliteStore, connections: Connections, guard: FileGuard, path: Path, cancel: Callable[[], None]
) -> None:
    """Close connections when their store is gone; before that, others may do so, such as a fork.

    SQLite then removes its companion files, and Python raises no ResourceWarning.

    Parameters
    ----------
    store : SqliteStore
    connections : Connections
        None of them is open yet.
    guard : FileGuard
        Of the file.
    path : Path
    cancel : callable
        Ends the thread that waits for the log to be idle.
    """
    guard.keep(connections)
    # At the exit other threads may be using it, so there it is closed as by `close`.
    weakref.finalize(store, shielded, _drop, connections, guard, path, cancel).atexit = False


def _drop(connections: Connections, guard: FileGuard, path: Path, cancel: Callable[[], None]) -> None:
    cancel()
    if connections.is_closed:  # by `Log.close`, or by a fork
        _close(connections, path)
    elif guard.enter_at_once():
        _close_and_leave(connections, guard, path)
    else:
        with suppress(RuntimeError):  # where there can be no more threads, a fork or the exit closes them
            start_new_thread(_close_later, (connections, guard, path))


def _close_later(connections: Connections, guard: FileGuard, path: Path) -> None:
    guard.enter()
    _close_and_leave(connections, guard, path)


def _close_and_leave(connections: Connections, guard: FileGuard, path: Path) -> None:
    """Close, as one who reads: a fork waits for it, and it waits for nobody who writes."""
    try:
        _close(connections, path)
    finally:
        guard.leave()


def _close(connections: Connections, path: Path) -> None:
    close_for_good(connections)
    leave(path)
