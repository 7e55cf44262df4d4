"""What the stores of one file share in a process: one writes at a time, and all can be made to let go."""

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
    from astria_nb.log._sqlite import SqliteStore

_PATIENCE = 10.0  # seconds to wait for those who read
_MOMENT, _PAUSE = 0.2, 0.01  # seconds, before a fork: to wait for one lock, and between two attempts at all


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
        """Keep everybody from using the file."""
        with self.lock, self._gate:
            self._gate.wait_for(lambda: not self._readers, _PATIENCE)
            yield

    def acquire(self, seconds: float | None) -> bool:
        """Take the locks, as `quiet` does, until `release`; return False if the file stays in use too long.

        Parameters
        ----------
        seconds : float or None
            How long to wait for writers, and then for readers. None: for writers without a limit, and not for
            readers.
        """
        if not self.lock.acquire(timeout=-1 if seconds is None else seconds):
            return False
        self._gate.acquire()
        if seconds is None or self._gate.wait_for(lambda: not self._readers, seconds):
            return True
        self.release()
        return False

    def release(self) -> None:
        """End what `acquire` began."""
        self._gate.release()
        self.lock.release()

    def begin_in_child(self) -> None:
        """Start afresh in a forked child, which has none of the parent's other threads."""
        self._readers = 0
        for store in list(self.stores):
            store.begin_in_child()


_guards: weakref.WeakValueDictionary[str, FileGuard] = weakref.WeakValueDictionary()
_lock = threading.Lock()
_acquired: list[FileGuard] = []
_interrupts = InterruptsHeld()


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
    _interrupts.hold()
    OPEN_LOCK.acquire()  # here as well as by its own hook, which runs after this one
    for store in all_stores():
        store.stop_waiting()
    deadline = time.monotonic() + _PATIENCE
    while not _acquire_all(_MOMENT if time.monotonic() < deadline else None):
        time.sleep(_PAUSE)
    for guard in _acquired:
        for store in list(guard.stores):
            store.let_go()


def _acquire_all(seconds: float | None) -> bool:
    """Take every lock, or none: whoever has one of them may be waiting for another one."""
    _lock.acquire()
    for guard in list(_guards.values()):
        if not guard.acquire(seconds):
            _release_all()
            return False
        _acquired.append(guard)
    return True


def _release_all() -> None:
    while _acquired:
        _acquired.pop().release()
    _lock.release()


def _after_fork() -> None:
    _release_all()
    OPEN_LOCK.release()
    _interrupts.let_through()


def _after_fork_in_child() -> None:
    _interrupts.begin_in_child()
    for guard in _acquired:
        guard.begin_in_child()
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
