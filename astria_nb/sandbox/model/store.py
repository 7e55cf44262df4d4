"""The account on disk: a record a row, so that a restart goes on where the sandbox stopped."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from astria_nb.sandbox.model.packs import Pack
from astria_nb.sandbox.model.records import Announcement, Prompt, Tune
from astria_nb.sandbox.uploads.spool import Upload

Record = Tune | Prompt | Announcement | Pack
Kept = TypeVar("Kept", Tune, Prompt, Announcement, Pack)

_VERSION = 1
_SCHEMA = """
CREATE TABLE record (kind TEXT NOT NULL, id INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE fact (name TEXT PRIMARY KEY, json TEXT NOT NULL);
"""


class Store:
    """A SQLite file in a folder, for one sandbox at a time.

    Parameters
    ----------
    folder : Path
        Made if need be; uploads lie beside the file.

    Raises
    ------
    ValueError
        If the folder cannot be used: another sandbox has it, or the file is no account or a newer one's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = folder / "account.sqlite"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            # Whoever calls holds the state's lock.
            self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.2)
        except (OSError, sqlite3.Error) as error:
            raise ValueError(f"data: {folder} cannot be used ({error}); give another folder") from error
        try:
            self._open()
        except sqlite3.OperationalError as error:
            self._file.close()
            raise ValueError(f"data: another sandbox uses {folder}; stop it first ({error})") from error
        except (sqlite3.DatabaseError, ValueError) as error:
            self._file.close()
            raise ValueError(f"data: {path} is not an account of this sandbox ({error})") from error

    def _open(self) -> None:
        self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("BEGIN EXCLUSIVE")
        (version,) = self._file.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise ValueError(f"it is of version {version}, and this release reads {_VERSION}")
        if version == 0:
            for statement in _SCHEMA.strip().split("\n"):
                self._file.execute(statement)
            self._file.execute(f"PRAGMA user_version = {_VERSION}")
        self._file.execute("COMMIT")

    def close(self) -> None:
        """Let another sandbox have it."""
        self._file.close()

    def save(
        self, kept: Iterable[Record], facts: Mapping[str, object], removed: Iterable[Record] = ()
    ) -> None:
        """Write records and facts, and remove records, all or nothing."""
        self._file.execute("BEGIN")
        try:
            self._file.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", map(self._row, kept))
            self._file.executemany(
                "DELETE FROM record WHERE kind = ? AND id = ?", ((_kind(each), each.id) for each in removed)
            )
            self._file.executemany(
                "INSERT OR REPLACE INTO fact VALUES (?, ?)",
                ((name, json.dumps(value)) for name, value in facts.items()),
            )
            self._file.execute("COMMIT")
        except BaseException:
            self._file.execute("ROLLBACK")
            raise

    def load(self, kind: type[Kept]) -> Iterator[Kept]:
        """Return the records of a kind, in the order of their ids."""
        rows = self._file.execute("SELECT json FROM record WHERE kind = ? ORDER BY id", [kind.__name__])
        for (text,) in rows.fetchall():
            yield kind(**{name: self._revived(name, value) for name, value in json.loads(text).items()})

    def fact(self, name: str) -> Any:
        """Return a fact; None when there is none."""
        row = self._file.execute("SELECT json FROM fact WHERE name = ?", [name]).fetchone()
        return None if row is None else json.loads(row[0])

    def _row(self, record: Record) -> tuple[str, int, str]:
        plain = asdict(record)
        for name in _FILES & plain.keys():
            plain[name] = [upload | {"path": upload["path"].name} for upload in plain[name]]
        return _kind(record), record.id, json.dumps(plain, ensure_ascii=False)

    def _revived(self, name: str, value: Any) -> Any:
        if name in _FILES:
            return tuple(Upload(**each | {"path": self._folder / "files" / each["path"]}) for each in value)
        return tuple(value) if isinstance(value, list) else value


_FILES = {"images", "training"}


def _kind(record: Record) -> str:
    return type(record).__name__
