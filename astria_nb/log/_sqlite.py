"""The log's SQLite file: opening it, and its transactions."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from astria_nb.errors import LogError
from astria_nb.log._access import READ_ONLY
from astria_nb.log._connections import Connections
from astria_nb.log._dropping import close_when_dropped
from astria_nb.log._errors import log_errors, refuse
from astria_nb.log._fate import Fate, OpenFiles
from astria_nb.log._guard import all_connections, all_stores, guard_of
from astria_nb.log._idle import WhenIdle
from astria_nb.log._index_check import check_indexes, is_unchanged_since_check, leave
from astria_nb.log._kept_file import KeptFile
from astria_nb.log._opening import prepare, refuse_foreign
from astria_nb.log._schema import VERSION
from astria_nb.log._set_up import set_up

_IDLE_SECONDS = 0.3  # seconds after the last write until a copy of the main file is complete
_EXIT_SECONDS = 5.0  # seconds that the interpreter's exit waits for a writing thread


class SqliteStore(KeptFile):
    """An open log file.

    Parameters
    ----------
    path : Path
    timeout : float
        Seconds to wait while another process writes.

    Raises
    ------
    LogError
        The file cannot be opened, or is not a log that this version can use.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__()
        self._path = path
        self._guard = guard_of(path)
        self._is_checked = False
        with log_errors(path):
            for store in self._guard.stores():
                try:
                    store._repair()
                except LogError as error:  # that store has lost its file; this one opens the current file
                    self.notice = error.problems[0].what, error.problems[0].hint
            opening = prepare(path, timeout, is_open=_is_open(path))
            self._may_write = opening.may_write
            self.connections = Connections(path, opening, timeout)
            when_idle = weakref.WeakMethod(self._checkpoint)
            self._idle = WhenIdle(lambda: (work := when_idle()) is None or work(), _IDLE_SECONDS)
            close_when_dropped(self, self.connections, self._guard, path, self._idle.cancel)
            try:
                if self._may_write:
                    self._set_up()
                is_unchanged_since_check(path)
                self._files = OpenFiles(path)
                if self._may_write:
                    self._hold()
                    self._files.note_companions()
            except BaseException:
                self.close()
                raise
        self._guard.add(self)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in its own transaction, which is on the disk when the context ends."""
        self._check_indexes()
        with self._writing() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with log_errors(self._path), self._guard.lock:
            if not self._may_write:
                refuse(self._path, *READ_ONLY)
            if self._files is not None and not self._files.has_companions:
                self._repair()  # without a write-ahead log, SQLite refuses files that lost their names
            self._follow()
            held = self._hold()
            try:
                with self.connections.writing() as connection:
                    self._refuse_overwritten(held)
                    yield connection
                    last_event = self._last(held)
            finally:
                self.connections.roll_back()
            self._last_event = last_event
            self._idle.touch()
            if self._files is not None:
                # It was written to the open file. If that has lost its name, its content is saved.
                self._repair()
                self._files.mark()

    @contextmanager
    def reading(self, *, checked: bool = True) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a read transaction: a consistent snapshot of the file.

        Parameters
        ----------
        checked : bool
            See `astria_nb.log._sql.LogStore.reading`.
        """
        if checked:
            self._check_indexes()
        with log_errors(self._path):
            self._repair()
            if self._may_write and not self.connections.is_held:
                with self._guard.lock:
                    self._hold()
            with self._guard.reading(), self.connections.reading() as connection:
                yield connection

    def naming_errors(self) -> AbstractContextManager[None]:
        """Turn errors of this file into a `LogError` that names it, inside a transaction of another one."""
        return log_errors(self._path)

    def shrink(self) -> None:
        """Release the space of deleted rows, unless another process keeps the file busy.

        The file is rewritten, so the disk temporarily needs room for a second copy. Without it, the space
        stays in the file and is reused by later rows.
        """
        with log_errors(self._path), self._guard.lock:
            self.connections.shrink()
            if self._files is not None:
                self._files.mark()

    def close(self) -> None:
        """Close every connection."""
        self._idle.stop()
        with self._guard.lock:
            self.close_connections()
            leave(self._path)

    def close_at_exit(self) -> None:
        """Close every connection, unless another thread uses the file for too long."""
        self._idle.stop(_EXIT_SECONDS)
        if self._guard.lock.acquire(timeout=_EXIT_SECONDS):
            try:
                self.close_connections()
            finally:
                self._guard.lock.release()

    def stop_waiting(self) -> None:
        """End the thread that waits for the log to be idle."""
        self._idle.stop()

    def begin_in_child(self) -> None:
        """Reset in a forked child, where no connection is open."""
        self._idle.begin_in_child()

    def _checkpoint(self) -> bool:
        """Move the write-ahead log into the file, and return whether nothing is left to do."""
        with suppress(LogError), log_errors(self._path), self._guard.lock:
            files = self._files
            if self.is_lost or files is None or not files.has_companions or files.fate() is not Fate.INTACT:
                return True
            is_complete = self.connections.checkpoint()
            files.mark()
            return is_complete
        return True

    def _check_indexes(self) -> None:
        """Check the indexes of the file once, but not when it is opened: that takes long in a long log."""
        if self._is_checked:
            return
        if not _is_checked_elsewhere(self.connections.file):
            with self.reading(checked=False) as connection:
                check_indexes(connection, self._path)
        self._is_checked = True

    def _set_up(self) -> None:
        with self.reading(checked=False) as connection:
            if refuse_foreign(self._path, connection) == VERSION:
                return
        with self._writing() as connection:
            refuse_foreign(self._path, connection)
            set_up(connection)


def _is_checked_elsewhere(file: os.stat_result) -> bool:
    """Return whether another store of this process has the file open and has checked it."""
    return any(
        store._is_checked and store.connections.is_held and os.path.samestat(store.connections.file, file)
        for store in all_stores()
    )


def _is_open(path: Path) -> bool:
    try:
        file = path.stat()
    except OSError:
        return False
    return any(os.path.samestat(connections.file, file) for connections in all_connections())
