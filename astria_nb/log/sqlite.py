"""The log's file: opening it safely, one transaction at a time, and its errors in plain words."""

from __future__ import annotations

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

from astria_nb.log.environment import on_network
from astria_nb.log.errors import plainly, refuse
from astria_nb.log.schema import APPLICATION, VERSION, metadata

_MAGIC = b"SQLite format 3\0"
_WRITES = {"writes": True}


class Store:
    """An open log file.

    Parameters
    ----------
    path : Path
    timeout : float
        Seconds to wait while another process writes.

    Raises
    ------
    LogError
        When it cannot be opened, or is not a log that this version can use.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self._path, self._timeout = path, timeout
        # Threads wait for each other here, in order; left to SQLite, they would poll.
        self._turn = threading.RLock()
        self._may_write = True
        with plainly(path):
            self._url = self._prepare()
            open_one = partial(_open, self._path, self._url, self._timeout, durable=self._may_write)
            self._engine = _engine(open_one)
            # Where nobody closes it: SQLite cleans up beside the file, and Python does not complain.
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
        """Yield a connection in a transaction of its own; what it wrote is on the disk at the end."""
        with plainly(self._path):
            if not self._may_write:
                raise sqlite3.OperationalError("attempt to write a readonly database")
            with self._turn, self._engine.connect() as connection:
                connection = connection.execution_options(**_WRITES)
                with connection.begin():
                    yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Yield a connection that sees one state of the file."""
        with plainly(self._path), self._engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _prepare(self) -> str:
        """Create the file where there is none, refuse what is no log of ours, and return its address."""
        try:
            # Only its owner may read it; SQLite gives the files beside it the same mode.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
        except PermissionError:
            self._may_write = False
            if not os.access(self._path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
                raise
        except OSError as error:
            if error.errno != 30 or not self._path.is_file():  # a read-only disk
                raise
            self._may_write = False
        wal = Path(f"{self._path}-wal")
        if _may_be_foreign(self._path, wal):
            # A read-only connection leaves the file as it is, whatever it turns out to be.
            with suppress(sqlite3.Error):  # the real opening will tell
                mode = "ro" if wal.exists() else "ro&immutable=1"
                probe = sqlite3.connect(self._address(mode), uri=True, timeout=self._timeout)
                try:
                    probe.execute("BEGIN")
                    _refuse_foreign(self._path, lambda query: probe.execute(query).fetchone()[0])
                finally:
                    probe.close()
        # Without its companion files, which a folder may refuse, an unchanging file can still be read.
        mode = "rw" if self._may_write else "ro" if wal.exists() else "ro&immutable=1"
        return self._address(mode)

    def _address(self, mode: str) -> str:
        return f"file:{quote(str(self._path))}?mode={mode}"

    def _set_up(self) -> None:
        with self.read() as connection:
            if _refuse_foreign(self._path, _asker(connection)) == VERSION:
                return
        with self.write() as connection:
            _refuse_foreign(self._path, _asker(connection))
            metadata.create_all(connection)
            for table in metadata.sorted_tables:
                _add_columns(connection, table)
                for index in table.indexes:
                    index.create(connection, checkfirst=True)
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
            connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")


def _engine(open_one: Callable[[], sqlite3.Connection]) -> sa.Engine:
    engine = sa.create_engine(
        "sqlite://",
        creator=open_one,
        poolclass=sa.pool.QueuePool,
        pool_size=2,
        max_overflow=-1,
        hide_parameters=True,
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # IMMEDIATE takes the write lock at once: a reader that turns writer could lose to another.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _open(path: Path, url: str, timeout: float, *, durable: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        url, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        if durable:
            connection.execute("PRAGMA fullfsync = ON")  # macOS: flush the disk's own cache too
            connection.execute("PRAGMA checkpoint_fullfsync = ON")
            # A write-ahead log shares memory between processes, which machines on a network do not.
            found = _set_journal(connection, "delete" if on_network(path) else "wal", timeout)
            connection.execute(f"PRAGMA synchronous = {'FULL' if found == 'wal' else 'EXTRA'}")
    except BaseException:
        connection.close()
        raise
    return connection


def _set_journal(connection: sqlite3.Connection, mode: str, timeout: float) -> str:
    deadline = time.monotonic() + timeout
    while True:
        try:
            (found,) = connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
            return str(found)
        except sqlite3.OperationalError as error:
            # SQLite does not wait by itself when two processes change the mode at once.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.005)


def _may_be_foreign(path: Path, wal: Path) -> bool:
    """Tell whether a file needs a closer look; refuse one that is no database at all."""
    with path.open("rb") as file:
        header = file.read(100)
    if not header:
        return False
    if len(header) < 100 or not header.startswith(_MAGIC):
        refuse(path, "is not an experiment log", "choose another file, or move this one away")
    version, application = (int.from_bytes(header[at : at + 4], "big") for at in (60, 68))
    # Where there is a write-ahead log, the latest word is in there.
    return application != APPLICATION or version > VERSION or _size(wal) > 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # also of one that another process takes away this moment
        return 0


def _refuse_foreign(path: Path, ask: Callable[[str], Any]) -> int:
    """Refuse a database that is not a log, or a log of a newer version; else return its version."""
    found, application = int(ask("PRAGMA user_version")), int(ask("PRAGMA application_id"))
    if application != APPLICATION and ask("SELECT count(*) FROM sqlite_master"):
        refuse(path, "is a database of another program", "choose another file for the log")
    if found > VERSION:
        what = f"was written by a newer astria_nb (format {found}; this one knows {VERSION})"
        refuse(path, what, "upgrade astria_nb, or choose another file; nothing in it was changed")
    return found


def _asker(connection: sa.Connection) -> Callable[[str], Any]:
    return lambda query: connection.exec_driver_sql(query).scalar_one()


def _add_columns(connection: sa.Connection, table: sa.Table) -> None:
    known = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    for column in table.columns:
        if column.name not in known:
            kind = column.type.compile(connection.dialect)
            connection.exec_driver_sql(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}')


_stores: weakref.WeakSet[Store] = weakref.WeakSet()
_held: list[Store] = []


def _before_fork() -> None:
    """Let no connection into the child: SQLite must not even close one there."""
    for store in list(_stores):
        store._turn.acquire()
        _held.append(store)
        store._engine.dispose()


def _after_fork() -> None:
    while _held:
        _held.pop()._turn.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
