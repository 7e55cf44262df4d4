"""Saving a log's content after its file lost its name: the open connection can still read everything."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from urllib.parse import quote

from astria_nb.log._fate import OpenFiles
from astria_nb.log._states import UNSETTLED

_LAST_EVENT = "SELECT id, at, kind, session FROM event ORDER BY id DESC LIMIT 1"
_EVENT = "SELECT id, at, kind, session FROM event WHERE id = ?"
_OPEN = f"SELECT 1 FROM submission WHERE state IN {(*UNSETTLED, 'needs_review')} LIMIT 1"  # noqa: S608


def restore(held: sqlite3.Connection, path: Path, files: OpenFiles) -> None:
    """Write all content of an open connection to a path without a file.

    Parameters
    ----------
    held : sqlite3.Connection
        Not in a transaction.
    path : Path
    files : OpenFiles
        The files of the connection.

    Raises
    ------
    OSError, sqlite3.Error
        It cannot be written there, or a file exists. Nothing was changed.
    """
    with _copy(held, path) as copy:
        files.remove_companions()  # their content is part of the copy
        _move(copy, path)


def save_beside(held: sqlite3.Connection, path: Path) -> Path:
    """Write all content of an open connection to a new file beside a path, and return its path."""
    with _copy(held, path) as copy:
        for number in count(1):
            target = path.with_name(f"{path.stem}.kept-{number}{path.suffix}")
            with suppress(FileExistsError):
                _move(copy, target)
                return target
    raise AssertionError("unreachable")


def holds_all(path: Path, held: sqlite3.Connection) -> bool:
    """Return whether the log at a path has an open connection's latest event, and so all earlier ones."""
    latest = latest_event(held)
    if latest is None:
        return True
    try:
        with closing(sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True)) as other:
            return has_event(other, latest)
    except sqlite3.Error:
        return False


def latest_event(log: sqlite3.Connection) -> tuple[object, ...] | None:
    """Return the identity of the latest event of a log; None if there is none."""
    row: tuple[object, ...] | None = log.execute(_LAST_EVENT).fetchone()
    return row


def has_event(log: sqlite3.Connection, event: tuple[object, ...] | None) -> bool:
    """Return whether a log has the event that `latest_event` returned for a log."""
    return event is None or log.execute(_EVENT, event[:1]).fetchone() == event


def has_open(log: sqlite3.Connection) -> bool:
    """Return whether a log has submissions of unknown outcome."""
    return log.execute(_OPEN).fetchone() is not None


@contextmanager
def _copy(held: sqlite3.Connection, path: Path) -> Iterator[Path]:
    """Copy a database durably to a new, private file beside a path; deleted after use."""
    copy = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600))
        with closing(sqlite3.connect(copy)) as target:
            target.execute("PRAGMA synchronous = EXTRA")
            held.backup(target)
        yield copy
    finally:
        for name in ("", "-wal", "-shm", "-journal"):
            Path(f"{copy}{name}").unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    """Give a file a name that no other file has."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        source.replace(target)
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
