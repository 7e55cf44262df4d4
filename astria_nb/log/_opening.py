"""Creating the log's file, and refusing files that are not a log for this version."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from astria_nb.log._errors import refuse
from astria_nb.log._schema import APPLICATION, VERSION
from astria_nb.utils.formatting import quoted

_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Opening:
    """How a file can be opened.

    Attributes
    ----------
    url : str
        SQLite's URI.
    may_write : bool
    file : os.stat_result
    """

    url: str
    may_write: bool
    file: os.stat_result


def prepare(path: Path, timeout: float, *, is_open: bool) -> Opening:
    """Create the file if needed, refuse a file that is not a log, and return how to open it.

    Parameters
    ----------
    path : Path
    timeout : float
        Seconds to wait while another process writes.
    is_open : bool
        Whether this process may have connections to the file. Then only SQLite may open it: when a process
        closes any handle of a file, POSIX releases all locks that the process holds on it. Another process
        would then consider the log unused and delete its write-ahead log.
    """
    wal = Path(f"{os.path.realpath(path)}-wal")
    if is_open:
        may_write = _has_access(path, os.W_OK)
    else:
        _refuse_left_behind(path, wal)
        may_write = _create(path)
    if not may_write and not _has_access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if is_open or _may_be_foreign(path, wal):
        # A read-only connection never changes the file.
        with suppress(sqlite3.Error):  # raised again when the file is opened
            mode = "ro" if wal.exists() else "ro&immutable=1"
            probe = sqlite3.connect(_uri(path, mode), uri=True, timeout=timeout)
            try:
                probe.execute("BEGIN")
                refuse_foreign(path, probe)
            finally:
                probe.close()
    # In a folder without write permission, an immutable file can be read without companion files.
    mode = "rw" if may_write else "ro" if wal.exists() else "ro&immutable=1"
    return Opening(_uri(path, mode), may_write, path.stat())


def refuse_foreign(path: Path, connection: sqlite3.Connection) -> int:
    """Return the version of a log; refuse another database, or a log of a newer version."""
    queries = ("PRAGMA user_version", "PRAGMA application_id", "SELECT count(*) FROM sqlite_master")
    version, application, tables = (int(connection.execute(query).fetchone()[0]) for query in queries)
    if application != APPLICATION and tables:
        refuse(path, "is a database of another program", "choose another file for the log")
    if version > VERSION:
        what = f"was written by a newer astria_nb (format {version}; this version reads up to {VERSION})"
        refuse(path, what, "upgrade astria_nb, or choose another file; nothing in it was changed")
    return version


def _refuse_left_behind(path: Path, wal: Path) -> None:
    """Refuse to create a new file beside a write-ahead log, which has the latest records."""
    if _size(wal) and not _size(path):
        what = f"is missing, but {quoted(wal.name)} is there with the latest changes: it was moved or deleted"
        hint = "put it back; to start with an empty log, delete the files beside it, or choose another file"
        refuse(path, what, hint)


def _create(path: Path) -> bool:
    """Create the file if needed, and return whether it may be written."""
    try:
        # Readable by its owner only; SQLite gives its companion files the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
    except PermissionError:
        return False
    except OSError as error:
        if error.errno != errno.EROFS or not path.is_file():
            raise
        return False
    return True


def _may_be_foreign(path: Path, wal: Path) -> bool:
    """Return whether a database may not be a log of this version; refuse a file that is not a database."""
    with path.open("rb") as file:
        header = file.read(100)
    if not header:
        return False
    if len(header) < 100 or not header.startswith(_MAGIC):
        refuse(path, "is not an experiment log", "choose another file, or move this one away")
    version, application = (int.from_bytes(header[at : at + 4], "big") for at in (60, 68))
    # A write-ahead log may hold newer values.
    return application != APPLICATION or version > VERSION or _size(wal) > 0


def _has_access(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another process may delete it at any moment
        return 0


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(os.fsencode(path))}?mode={mode}"
