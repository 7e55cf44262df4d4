"""The connections of one process to a log: one that writes, and those that read."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from astria_nb.log._connection import LogConnection
from astria_nb.log._errors import is_busy
from astria_nb.log._machine import on_network
from astria_nb.log._opening import Opening
from astria_nb.log._set_up import FUNCTIONS, up_to_date

# IMMEDIATE takes the write lock at once; upgrading a read transaction could fail with BUSY.
_BEGIN_TO_READ, _BEGIN_TO_WRITE = "BEGIN", "BEGIN IMMEDIATE"
_IDLE_READERS = 2  # readers that stay open, so that statements and the schema are not parsed again
_WORTHWHILE = 8  # a file is rewritten if at least this fraction of it is free


class Connections:
    """The connections to one file, each opened when it is needed.

    The writing connection stays open: if the file loses its name, its content can still be read.

    Parameters
    ----------
    path : Path
    opening : Opening
        How the file can be opened.
    timeout : float
        Seconds to wait while another process writes.

    Attributes
    ----------
    file : os.stat_result
        The status that identifies the file.
    """

    def __init__(self, path: Path, opening: Opening, timeout: float) -> None:
        self._path, self._url, self._timeout, self._durable = path, opening.url, timeout, opening.may_write
        self.file = opening.file
        self._held: LogConnection | None = None
        self._idle: list[LogConnection] = []

    @property
    def is_held(self) -> bool:
        """Whether the connection that writes is open."""
        return self._held is not None

    @property
    def is_closed(self) -> bool:
        """Whether no connection is open; another thread may be reading."""
        return self._held is None and not self._idle

    def held(self) -> LogConnection:
        """Return the connection that writes."""
        if self._held is None:
            held = self._open()
            held.execute("SELECT 1 FROM sqlite_master").fetchone()  # also opens the write-ahead log
            self._held = held
        return self._held

    @contextmanager
    def writing(self) -> Iterator[LogConnection]:
        """Yield the connection that writes, in a transaction."""
        held = self.held()
        held.execute(_BEGIN_TO_WRITE)
        try:
            yield held
            held.commit()
        except BaseException:
            held.rollback()
            raise
        finally:
            held.end_cursors()

    @contextmanager
    def reading(self) -> Iterator[LogConnection]:
        """Yield a connection that reads, in a transaction."""
        idle = self._idle  # `close` replaces the list
        try:
            connection = idle.pop()
        except IndexError:
            connection = self._open()
        try:
            connection.execute(_BEGIN_TO_READ)
            yield connection
            connection.end_cursors()
            connection.rollback()
        except BaseException:
            connection.close()
            raise
        if idle is self._idle and len(idle) < _IDLE_READERS:
            idle.append(connection)
        else:
            connection.close()

    @property
    def is_writing(self) -> bool:
        """Whether a transaction that writes is open."""
        return self._held is not None and self._held.in_transaction

    def roll_back(self) -> None:
        """End a transaction that was left open, whatever happened to the objects around the connection."""
        if self._held is not None and self._held.in_transaction:
            self._held.rollback()

    def checkpoint(self) -> bool:
        """Move the write-ahead log into the file, and return whether that is complete.

        Does not wait: concurrent readers and writers prevent some of it from being moved.
        """
        held = self.held()
        held.execute("PRAGMA busy_timeout = 0")
        try:
            busy, frames, moved = held.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            held.execute(f"PRAGMA busy_timeout = {round(self._timeout * 1000)}")
        return not busy and frames == moved

    def shrink(self) -> None:
        """Rewrite the file without the space of deleted rows, if that is worthwhile and possible."""
        ask = self.held().execute
        pages, free = (ask(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        with suppress(sqlite3.OperationalError):
            if free * _WORTHWHILE >= pages:
                ask("VACUUM")
        with suppress(sqlite3.OperationalError):
            ask("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close them; the next use opens them again. The last one moves the write-ahead log into the file."""
        idle, self._idle = self._idle, []
        with suppress(IndexError):  # otherwise a reading thread could take the last one
            while True:
                idle.pop().close()
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def _open(self) -> LogConnection:
        connection = LogConnection(
            self._url, uri=True, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            for function in FUNCTIONS:
                connection.create_function(*function, deterministic=True)
            if self._durable:
                self._make_durable(connection)
            return connection if self._durable else up_to_date(connection)
        except BaseException:
            connection.close()
            raise

    def _make_durable(self, connection: LogConnection) -> None:
        connection.execute("PRAGMA fullfsync = ON")  # macOS: also flush the disk's cache
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
        # A write-ahead log needs memory shared between processes, which machines on a network lack.
        journal = self._set_journal(connection, "delete" if on_network(self._path) else "wal")
        connection.execute(f"PRAGMA synchronous = {'FULL' if journal == 'wal' else 'EXTRA'}")

    def _set_journal(self, connection: LogConnection, mode: str) -> str:
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                (journal,) = connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
                return str(journal)
            except sqlite3.OperationalError as error:
                # SQLite's own timeout does not apply when two processes change the mode at once.
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.005)
