"""One transaction for several threads that write at once, so that they wait for the disk only once."""

from __future__ import annotations

import os
import weakref
from _thread import allocate_lock
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from astria_nb.errors import AstriaError
from astria_nb.log._bulk import BulkWriter, Change, Intent
from astria_nb.log._reruns import again_if_lost
from astria_nb.log._sql import SqlConnection
from astria_nb.log._states import RequestClaimed, SameContentRecorded, StaleSubmission, Submission

T = TypeVar("T")
Work = Callable[[SqlConnection, str], T]
"""Work that writes, given a connection in a transaction and the id of this process's session."""
Transaction = Callable[[], AbstractContextManager[tuple[SqlConnection, str]]]

_MOST = 256  # writes per transaction: the first waits for the last
_HARMLESS = (RequestClaimed, SameContentRecorded, StaleSubmission, KeyError)
_all: weakref.WeakSet[GroupCommit] = weakref.WeakSet()


class GroupCommit:
    """Runs the writes of threads one after the other, each in a transaction with the other waiting writes.

    If no other thread is writing, a thread opens a transaction, in which it also does the work of threads
    that arrived while the previous transaction was committed. A single thread has its own transactions.
    """

    def __init__(self) -> None:
        self._bulk = BulkWriter()
        self.reset()
        _all.add(self)

    def reset(self) -> None:
        """Forget the writes of other threads, which do not exist in a child process."""
        self._waiting: deque[_Write] = deque()
        self._is_writing = False
        self._lock = allocate_lock()

    def run(self, transaction: Transaction, work: Work[T], entry: Intent | Change | None = None) -> T:
        """Do some work, and return its result once it is on the disk.

        Parameters
        ----------
        transaction : callable
            Returns a context manager with the arguments of `Work`, which commits when it ends, or raises.
        work : callable
            Raises errors that are a result, such as `StaleSubmission`, before it has changed anything.
        entry : Intent or Change, optional
            The same work as data, so that it can be written together with that of other threads.
        """
        write = _Write(work, entry)
        with self._lock:
            self._waiting.append(write)
            is_waiting, self._is_writing = self._is_writing, True
        if is_waiting:
            write.turn.acquire()
        if not write.is_done:
            self._write_all(transaction)
        error, write.error = write.error, None
        try:
            if error is not None:
                raise error
        finally:
            error = None  # otherwise the traceback would keep itself alive
        result: T = write.result
        return result

    def _write_all(self, transaction: Transaction) -> None:
        """Do the waiting work, this thread's own first; then it is another thread's turn."""
        with self._lock:
            writes = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST))]
        try:
            if not _write(transaction, writes, self._bulk):
                for write in writes:  # one of them cannot be written, but the others can
                    _write(transaction, [write], self._bulk)
        except KeyboardInterrupt as error:  # an interrupt of this thread, which waited for a server
            if not writes[0].is_done:
                writes[0].end(error)
        finally:
            with self._lock:
                self._waiting.extendleft(write for write in reversed(writes) if not write.is_done)
                self._is_writing = bool(self._waiting)
                if self._is_writing:
                    self._waiting[0].turn.release()


class _Write:
    """The work of a thread, which waits for its turn, or until another thread has done the work."""

    def __init__(self, work: Work[Any], entry: Intent | Change | None = None) -> None:
        self._work, self.entry = work, entry
        self.turn = allocate_lock()
        self.turn.acquire()
        self.is_working = self.is_done = False
        self.result: Any = None
        self.error: BaseException | None = None

    def do(self, connection: SqlConnection, session_id: str) -> None:
        """Write in a transaction that other threads may share."""
        self.is_working = True
        try:
            self.result = self._work(connection, session_id)
        except _HARMLESS as error:
            self.error = error
        self.is_working = False

    def end(self, error: BaseException | None) -> None:
        """Let the thread continue, with an error or a result."""
        self.error, self.is_done = error, True
        self.turn.release()


def _write(transaction: Transaction, writes: list[_Write], bulk: BulkWriter) -> bool:
    """Write in one transaction, and return False if one of several pieces of work made it fail."""
    try:
        _transact(transaction, writes, bulk)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  raised by each thread that wanted to write
        if len(writes) > 1 and any(write.is_working for write in writes):
            return False
        for write in writes:
            write.end(type(error)(*error.problems) if isinstance(error, AstriaError) else error)
    else:
        for write in writes:
            write.end(write.error)
    return True


@again_if_lost
def _transact(transaction: Transaction, writes: list[_Write], bulk: BulkWriter) -> None:
    with transaction() as (connection, session_id):
        results: list[Submission | None] = [None] * len(writes)
        if len(writes) > 1:
            writes[0].is_working = True
            results = bulk.write(connection, session_id, [write.entry for write in writes])
            writes[0].is_working = False
        for write, result in zip(writes, results, strict=True):
            write.result, write.error = result, None
            if result is None:
                write.do(connection, session_id)


def _reset_all() -> None:
    for group in list(_all):
        group.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
