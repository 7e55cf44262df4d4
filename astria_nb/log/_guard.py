"""Shared state of a file's stores in a process: one writes at a time, and all can be made to close.

Each connection is opened, used and closed under `OPEN_LOCK`, under the lock of its file's guard, or inside
the guard's `reading`. A thread that holds all three knows that no other thread is in SQLite.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from astria_nb.log._open_lock import OPEN_LOCK
from astria_nb.utils.child_exit import at_child_exit
from astria_nb.utils.interrupts import InterruptsHeld

if TYPE_CHECKING:
    from astria_nb.log._connections import Connections
    from astria_nb.log._sqlite import SqliteStore

_PATIENCE = 10.0  # seconds to wait for readers
_EXIT_SECONDS = 5.0  # seconds that the interpreter's exit waits for connections that are being closed
_MOMENT, _PAUSE = 0.2, 0.01  # seconds, before a fork: for one lock, and between attempts to get all


class FileGuard:
    """Locks for the stores of one file.

    Attributes
    ----------
    lock : threading.RLock
        Held by the writer: threads queue here, where SQLite would poll.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._stores: weakref.WeakSet[SqliteStore] = weakref.WeakSet()
        self._readers = 0
        self._shut_by = 0  # the number of `shut` calls in effect
        self._gate = threading.Condition()  # held only briefly

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read; the connections are not closed meanwhile."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def enter(self) -> None:
        """Begin reading; ends with `leave`."""
        with self._gate:
            # Later readers wait: with many reading threads, there might never be a moment without readers.
            self._gate.wait_for(lambda: not self._shut_by)
            self._readers += 1

    def enter_at_once(self) -> bool:
        """Like `enter`, but return False if that would have to wait."""
        if not self._gate.acquire(blocking=False):
            return False
        try:
            if self._shut_by:
                return False
            self._readers += 1
            return True
        finally:
            self._gate.release()

    def leave(self) -> None:
        """End reading, after `enter`."""
        with self._gate:
            self._readers -= 1
            self._gate.notify_all()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Prevent all use of the file, except by threads that read it for too long."""
        with self.lock:
            try:
                self.shut(_PATIENCE)
                yield
            finally:
                self.reopen()

    def shut(self, seconds: float) -> bool:
        """Block new readers until `reopen`, and return whether the current readers have left in time."""
        with self._gate:
            self._shut_by += 1
            return self._gate.wait_for(lambda: not self._readers, seconds)

    def reopen(self) -> None:
        """Allow readers again, after `shut`."""
        with self._gate:
            self._shut_by -= 1
            self._gate.notify_all()

    def add(self, store: SqliteStore) -> None:
        """Register a store of the file."""
        with _lock:  # a set must not grow while another thread goes through it
            self._stores.add(store)

    def stores(self) -> list[SqliteStore]:
        """Return the stores of the file."""
        with _lock:
            return list(self._stores)

    def keep(self, connections: Connections) -> None:
        """Register connections to the file before any is opened: they outlive their store."""
        _kept[connections] = self

    def close_all(self) -> None:
        """Close every connection to the file; the next use opens it again. No thread uses them."""
        for connections, guard in _kept.copy().items():
            if guard is self:
                connections.close()

    def close_connections(self) -> None:
        """Close every connection to the file before a fork, and inform the stores."""
        self.close_all()
        for store in list(self._stores):
            store.close_connections()

    def begin_in_child(self) -> None:
        """Start afresh in a forked child, which has none of the parent's other threads."""
        self._gate, self._readers, self._shut_by = threading.Condition(), 0, 0
        for store in list(self._stores):
            self.keep(store.connections)
            store.begin_in_child()


_guards: weakref.WeakValueDictionary[str, FileGuard] = weakref.WeakValueDictionary()
_kept: dict[Connections, FileGuard] = {}  # connections that may be open, until they are finally closed
_lock = threading.Lock()
_shut: list[FileGuard] = []  # state before a fork, like the next
_locked: list[FileGuard] = []
_interrupts = InterruptsHeld()


def guard_of(path: Path) -> FileGuard:
    """Return the guard of a file."""
    with _lock:
        return _guards.setdefault(os.path.realpath(path), FileGuard())


def all_guards() -> list[FileGuard]:
    """Return the guards of all files that are open."""
    with _lock:
        return list(_guards.values())


def all_stores() -> list[SqliteStore]:
    """Return every open store of this process."""
    return [store for guard in all_guards() for store in guard.stores()]


def all_connections() -> list[Connections]:
    """Return all connections of this process, including those of stores that are gone."""
    return list(_kept)


def close_for_good(connections: Connections) -> None:
    """Close the connections of a store that is gone, so that none is opened again."""
    connections.close()
    _kept.pop(connections, None)


def close_in_child() -> None:
    """Close open connections at the exit of this process, if it is a child of multiprocessing."""
    at_child_exit(_close_all)


@atexit.register
def _close_all() -> None:
    # Not by a finalizer: it would close connections that another thread may be using, which crashes Python.
    for store in all_stores():
        store.close_at_exit()
    if not OPEN_LOCK.acquire(timeout=_EXIT_SECONDS):
        return
    of_stores = {store.connections for store in all_stores()}
    for connections, guard in _kept.copy().items():
        if connections not in of_stores:  # their store is gone, so no thread is opening it
            guard.shut(_EXIT_SECONDS)  # another thread may be closing them
            connections.close()
            guard.reopen()
    OPEN_LOCK.release()


def _before_fork() -> None:
    """Close all connections: a forked child must not use SQLite's connections, not even close them.

    A child that inherits a connection treats its parent's locks as its own, which damages the file.
    """
    _interrupts.hold()
    OPEN_LOCK.acquire()  # also here: its own hook runs after this one
    for store in all_stores():
        store.stop_waiting()
    seconds = _MOMENT
    while not _lock_all(seconds):
        time.sleep(_PAUSE)
        seconds *= 2  # another thread reads or writes for this long
    _lock.acquire()
    for guard in _locked:
        guard.close_connections()


def _lock_all(seconds: float) -> bool:
    """Prevent all use of any file; return False, with everything released, if that takes too long.

    All readers have left before the first lock is taken: a copy reads one file and waits for another's lock.
    """
    for guard in all_guards():
        _shut.append(guard)
        if not guard.shut(seconds):
            _unlock_all()
            return False
    for guard in _shut:
        if not guard.lock.acquire(timeout=seconds):
            _unlock_all()
            return False
        _locked.append(guard)
    return True


def _unlock_all() -> None:
    while _locked:
        _locked.pop().lock.release()
    while _shut:
        _shut.pop().reopen()


def _after_fork() -> None:
    _unlock_all()
    _lock.release()
    OPEN_LOCK.release()
    _interrupts.release_interrupts()


def _after_fork_in_child() -> None:
    _interrupts.begin_in_child()
    _kept.clear()  # also for stores that are gone: the threads that would do it do not exist
    while _shut:
        _shut.pop().begin_in_child()
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
