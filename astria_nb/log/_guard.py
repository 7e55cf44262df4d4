"""What the stores of one file share in a process: one writes at a time, and all can be made to let go."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from astria_nb.utils.child_exit import at_child_exit

if TYPE_CHECKING:
    from astria_nb.log._sqlite import SqliteStore

_PATIENCE = 10.0  # seconds to wait for those who read


class FileGuard:
    """Locks for the stores of one file.

    Attributes
    ----------
    lock : threading.RLock
        Held by the one that writes: threads queue here, where SQLite would poll.
    stores : weakref.WeakSet
        The stores of this file.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.stores: weakref.WeakSet[SqliteStore] = weakref.WeakSet()
        self._readers = 0
        self._gate = threading.Condition()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read; nobody closes the connections meanwhile."""
        with self._gate:
            self._readers += 1
        try:
            yield
        finally:
            with self._gate:
                self._readers -= 1
                self._gate.notify_all()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Keep everybody from using the file, and close all connections to it."""
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def acquire(self) -> None:
        """Do as `quiet` until `release`."""
        self.lock.acquire()
        self._gate.acquire()
        self._gate.wait_for(lambda: not self._readers, _PATIENCE)

    def release(self) -> None:
        """End what `acquire` began."""
        self._gate.release()
        self.lock.release()


_guards: weakref.WeakValueDictionary[str, FileGuard] = weakref.WeakValueDictionary()
_lock = threading.Lock()
_acquired: list[FileGuard] = []


def guard_of(path: Path) -> FileGuard:
    """Return the guard of a file."""
    with _lock:
        return _guards.setdefault(os.path.realpath(path), FileGuard())


def all_stores() -> list[SqliteStore]:
    """Return every open store of this process."""
    with _lock:
        return [store for guard in list(_guards.values()) for store in list(guard.stores)]


def close_in_child() -> None:
    """Close what is open at the exit of this process, should it be a child of multiprocessing."""
    at_child_exit(_close_all)


@atexit.register
def _close_all() -> None:
    # Not by a finalizer: it would close connections that another thread may be using, which crashes Python.
    for store in all_stores():
        store.close_at_exit()


def _before_fork() -> None:
    """Close all connections: a forked child must not use SQLite's connections, not even close them."""
    for store in all_stores():
        store.stop_waiting()
    _lock.acquire()
    for guard in list(_guards.values()):
        guard.acquire()
        _acquired.append(guard)
        for store in list(guard.stores):
            store.let_go()


def _after_fork() -> None:
    while _acquired:
        _acquired.pop().release()
    _lock.release()


def _after_fork_in_child() -> None:
    for guard in _acquired:
        guard._readers = 0  # the threads that read are not in the child
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
