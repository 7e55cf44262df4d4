"""The connections of one process to a log: one that writes, and those that read."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from astria_nb.log._machine import on_network
from astria_nb.log._set_up import FUNCTIONS, up_to_date

# IMMEDIATE takes the write lock at once; upgrading a read transaction could fail with BUSY.
_BEGIN_TO_READ, _BEGIN_TO_WRITE = "BEGIN", "BEGIN IMMEDIATE"
_WORTHWHILE = 8  # a file is rewritten if at least this fraction of it is free


class Connections:
    """The connections to one file, each opened when it is needed.

    The one that writes stays open: should the file lose its name, all that it holds can be read from there.

    Parameters
    ----------
    path : Path
    url : str
        SQLite's URI of the file.
    timeout : float
        Seconds to wait while another process writes.
    durable : bool
        Whether the file will be written.
    """

    def __init__(self, path: Path, url: str, timeout: float, *, durable: bool) -> None:
        self._timeout = timeout
        self._held: sqlite3.Connection | None = None

        def connect() -> sqlite3.Connection:
            return _open(path, url, timeout, durable=durable)

        def connect_to_write() -> sqlite3.Connection:
            self._held = connect()
            self._held.execute("SELECT 1 FROM sqlite_master").fetchone()  # opens the write-ahead log as well
            return self._held

        self.writer = _engine(connect_to_write, sa.pool.StaticPool, _BEGIN_TO_WRITE)
        self.readers = _engine(connect, sa.pool.QueuePool, _BEGIN_TO_READ, pool_size=2, max_overflow=-1)

    @property
    def is_held(self) -> bool:
        """Whether the connection that writes is open."""
        return self._held is not None

    def held(self) -> sqlite3.Connection:
        """Return the connection that writes."""
        if self._held is None:
            self.writer.connect().close()
        assert self._held is not None
        return self._held

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection that writes, in a transaction."""
        held = self.held()
        held.execute(_BEGIN_TO_WRITE)
        try:
            yield held
            held.commit()
        except BaseException:
            held.rollback()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that reads, in a transaction."""
        pooled = self.readers.raw_connection()
        try:
            connection = pooled.driver_connection
            assert isinstance(connection, sqlite3.Connection)
            connection.execute(_BEGIN_TO_READ)
            yield connection
        finally:
            pooled.close()  # ends the transaction

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

        Without waiting: who reads or writes meanwhile keeps some of it from being moved.
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
        self.readers.dispose()
        self.writer.dispose()
        self._held = None


def _engine(
    connect: Callable[[], sqlite3.Connection], pool: type[sa.pool.Pool], begin: str, **options: int
) -> sa.Engine:
    engine = sa.create_engine("sqlite://", creator=connect, poolclass=pool, hide_parameters=True, **options)

    @sa.event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _open(path: Path, url: str, timeout: float, *, durable: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        url, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        for function in FUNCTIONS:
            connection.create_function(*function, deterministic=True)
        if durable:
            connection.execute("PRAGMA fullfsync = ON")  # macOS: also flush the disk's cache
            connection.execute("PRAGMA checkpoint_fullfsync = ON")
            # A write-ahead log needs memory shared between processes, which machines on a network lack.
            journal = _set_journal(connection, "delete" if on_network(path) else "wal", timeout)
            connection.execute(f"PRAGMA synchronous = {'FULL' if journal == 'wal' else 'EXTRA'}")
        return connection if durable else up_to_date(connection)
    except BaseException:
        connection.close()
        raise


def _set_journal(connection: sqlite3.Connection, mode: str, timeout: float) -> str:
    deadline = time.monotonic() + timeout
    while True:
        try:
            (journal,) = connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
            return str(journal)
        except sqlite3.OperationalError as error:
            # SQLite's own timeout does not apply when two processes change the mode at once.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.005)
