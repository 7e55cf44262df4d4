"""A log that is garbage collected without being closed: its connections are closed soon.

Python may collect it on any thread, at any line, even on a thread that holds a lock of the log or is about to
fork. So nothing waits there.
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
    """Close connections when their store is gone, unless they are closed earlier, for example by a fork.

    SQLite then removes its companion files, and Python shows no ResourceWarning.

    Parameters
    ----------
    store : SqliteStore
    connections : Connections
        Connections, none of which is open yet.
    guard : FileGuard
        The guard of the file.
    path : Path
    cancel : callable
        Ends the thread that waits for the log to be idle.
    """
    guard.keep(connections)
    # Other threads may be using it at the exit, so it is closed as by `close` there.
    weakref.finalize(store, shielded, _drop, connections, guard, path, cancel).atexit = False


def _drop(connections: Connections, guard: FileGuard, path: Path, cancel: Callable[[], None]) -> None:
    cancel()
    if connections.is_closed:  # by `Log.close`, or by a fork
        _close(connections, path)
    elif guard.enter_at_once():
        _close_and_leave(connections, guard, path)
    else:
        with suppress(RuntimeError):  # if no more threads can be started, a fork or the exit closes them
            start_new_thread(_close_later, (connections, guard, path))


def _close_later(connections: Connections, guard: FileGuard, path: Path) -> None:
    guard.enter()
    _close_and_leave(connections, guard, path)


def _close_and_leave(connections: Connections, guard: FileGuard, path: Path) -> None:
    """Close like a reader: a fork waits for this, and this does not wait for writers."""
    try:
        _close(connections, path)
    finally:
        guard.leave()


def _close(connections: Connections, path: Path) -> None:
    close_for_good(connections)
    leave(path)
