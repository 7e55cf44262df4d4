"""The log's SQLite file: opening it safely, and its transactions."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from astria_nb.log._errors import log_errors, refuse
from astria_nb.log._machine import on_network
from astria_nb.log._schema import APPLICATION, VERSION
from astria_nb.log._set_up import FUNCTIONS, set_up

_MAGIC = b"SQLite format 3\0"
_WRITES = {"writes": True}
_WORTHWHILE = 8  # a file is rewritten if at least this fraction of it is free


class SqliteStore:
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
        self._path, self._timeout = path, timeout
        self._file: os.stat_result | None = None
        # Threads queue here; SQLite would poll.
        self._write_lock = threading.RLock()
        self._may_write = True
        with log_errors(path):
            self._url = self._prepare()
            connect = partial(_open, self._path, self._url, self._timeout, durable=self._may_write)
            self._engine = _engine(connect)
            # If it is never closed: SQLite removes its companion files, and Python raises no ResourceWarning.
            weakref.finalize(self, self._engine.dispose)
            try:
                if self._may_write:
                    self._set_up()
            except BaseException:
                self.close()
                raise
        _stores.add(self)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction of its own, which is on the disk when the context ends."""
        with log_errors(self._path):
            if not self._may_write:
                raise sqlite3.OperationalError("attempt to write a readonly database")
            with self._write_lock, self._engine.connect() as connection:
                connection = connection.execution_options(**_WRITES)
                with connection.begin():
                    yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Yield a connection in a read transaction: a consistent snapshot of the file."""
        with log_errors(self._path), self._engine.connect() as connection, connection.begin():
            yield connection

    def shrink(self) -> None:
        """Give the space of deleted rows back to the disk, unless another process keeps the file busy.

        The file is rewritten, so the disk needs room for a second copy meanwhile. Without it, the space stays
        in the file and is used by later rows.
        """
        with self._write_lock, self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            ask = driver.execute  # outside of a transaction
            pages, free = (ask(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
            with suppress(sqlite3.OperationalError):
                if free * _WORTHWHILE >= pages:
                    ask("VACUUM")
            with suppress(sqlite3.OperationalError):
                ask("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _prepare(self) -> str:
        """Create the file if needed, refuse a file that is not a log, and return the URI for SQLite."""
        is_open = _is_open(self._path)
        if is_open:
            self._may_write = _has_access(self._path, os.W_OK)
        else:
            self._create()
        if not self._may_write and not _has_access(self._path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        wal = Path(f"{self._path}-wal")
        if is_open or _may_be_foreign(self._path, wal):
            # A read-only connection never changes the file, whatever it is.
            with suppress(sqlite3.Error):  # raised again when the file is opened below
                mode = "ro" if wal.exists() else "ro&immutable=1"
                probe = sqlite3.connect(self._uri(mode), uri=True, timeout=self._timeout)
                try:
                    probe.execute("BEGIN")
                    _refuse_foreign(self._path, lambda query: probe.execute(query).fetchone()[0])
                finally:
                    probe.close()
        # In a folder without write permission, an immutable file can be read without companion files.
        mode = "rw" if self._may_write else "ro" if wal.exists() else "ro&immutable=1"
        self._file = self._path.stat()
        return self._uri(mode)

    def _create(self) -> None:
        """Create the file if needed, and find out whether it may be written."""
        try:
            # Readable by its owner only; SQLite gives its companion files the same mode.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
        except PermissionError:
            self._may_write = False
        except OSError as error:
            if error.errno != errno.EROFS or not self._path.is_file():
                raise
            self._may_write = False

    def _uri(self, mode: str) -> str:
        return f"file:{quote(str(self._path))}?mode={mode}"

    def _set_up(self) -> None:
        with self.read() as connection:
            if _refuse_foreign(self._path, _asker(connection)) == VERSION:
                return
        with self.write() as connection:
            _refuse_foreign(self._path, _asker(connection))
            set_up(connection)


def _engine(connect: Callable[[], sqlite3.Connection]) -> sa.Engine:
    engine = sa.create_engine(
        "sqlite://",
        creator=connect,
        poolclass=sa.pool.QueuePool,
        pool_size=2,
        max_overflow=-1,
        hide_parameters=True,
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # IMMEDIATE takes the write lock at once; upgrading a read transaction could fail with BUSY.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

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
    except BaseException:
        connection.close()
        raise
    return connection


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


def _may_be_foreign(path: Path, wal: Path) -> bool:
    """Return whether a database may not be a log of this version; refuse a file that is not a database."""
    with path.open("rb") as file:
        header = file.read(100)
    if not header:
        return False
    if len(header) < 100 or not header.startswith(_MAGIC):
        refuse(path, "is not an experiment log", "choose another file, or move this one away")
    version, application = (int.from_bytes(header[at : at + 4], "big") for at in (60, 68))
    # A write-ahead log, if there is one, may hold newer values.
    return application != APPLICATION or version > VERSION or _size(wal) > 0


def _is_open(path: Path) -> bool:
    """Return whether this process may have connections to a file.

    Then only SQLite may open it: when a process closes any handle of a file, POSIX releases all locks that
    the process holds on it. Another process would take the log for unused and delete its write-ahead log.
    """
    try:
        file = path.stat()
    except OSError:
        return False
    return any(store._file is not None and os.path.samestat(store._file, file) for store in list(_stores))


def _has_access(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another process may delete it at any moment
        return 0


def _refuse_foreign(path: Path, ask: Callable[[str], Any]) -> int:
    """Refuse a database that is not a log, or a log of a newer version; else return its version."""
    version, application = int(ask("PRAGMA user_version")), int(ask("PRAGMA application_id"))
    if application != APPLICATION and ask("SELECT count(*) FROM sqlite_master"):
        refuse(path, "is a database of another program", "choose another file for the log")
    if version > VERSION:
        what = f"was written by a newer astria_nb (format {version}; this version reads up to {VERSION})"
        refuse(path, what, "upgrade astria_nb, or choose another file; nothing in it was changed")
    return version


def _asker(connection: sa.Connection) -> Callable[[str], Any]:
    return lambda query: connection.exec_driver_sql(query).scalar_one()


_stores: weakref.WeakSet[SqliteStore] = weakref.WeakSet()
_locked: list[SqliteStore] = []


def _before_fork() -> None:
    """Close all connections: a forked child must not use SQLite's connections, not even close them."""
    for store in list(_stores):
        store._write_lock.acquire()
        _locked.append(store)
        store._engine.dispose()


def _after_fork() -> None:
    while _locked:
        _locked.pop()._write_lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
