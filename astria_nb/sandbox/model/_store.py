"""The account on disk, one record a row, so that a restarted sandbox continues with it."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from astria_nb.sandbox.model._packs import PackRecord
from astria_nb.sandbox.model._records import Announcement, Prompt, TuneRecord
from astria_nb.sandbox.uploads import Upload

Record = TuneRecord | Prompt | Announcement | PackRecord
Stored = TypeVar("Stored", TuneRecord, Prompt, Announcement, PackRecord)

_VERSION = 2
_SCHEMA = """
CREATE TABLE record (kind TEXT NOT NULL, id INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE fact (name TEXT PRIMARY KEY, json TEXT NOT NULL);
"""


class Store:
    """A SQLite file in a folder, for one sandbox at a time.

    Parameters
    ----------
    folder : Path
        Created if it does not exist. Uploads are stored in a subfolder.

    Raises
    ------
    ValueError
        If the folder cannot be used: another sandbox uses it, or its file is not an account, or one of a
        later release.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = folder / "account.sqlite"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            # Used by many threads, each of which holds the state's lock.
            self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.2)
        except (OSError, sqlite3.Error) as error:
            raise ValueError(f"data: {folder} cannot be used ({error}); give another folder") from error
        try:
            self._open()
        except sqlite3.OperationalError as error:
            self._file.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise ValueError(f"data: another sandbox uses {folder}; stop it first ({error})") from error
            raise ValueError(f"data: {folder} cannot be used ({error}); give another folder") from error
        except (sqlite3.DatabaseError, ValueError) as error:
            self._file.close()
            raise ValueError(f"data: {path} is not an account of this sandbox ({error})") from error

    def _open(self) -> None:
        self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("BEGIN EXCLUSIVE")
        (version,) = self._file.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise ValueError(f"it has version {version}, and this release reads {_VERSION}")
        if version == 0:
            for statement in _SCHEMA.strip().split("\n"):
                self._file.execute(statement)
        # Data of version 1 can be read unchanged; an older release cannot read the additions.
        self._file.execute(f"PRAGMA user_version = {_VERSION}")
        self._file.execute("COMMIT")

    def close(self) -> None:
        """Close the file, so that another sandbox can use it."""
        self._file.close()

    def save(
        self, records: Iterable[Record], facts: Mapping[str, object], removed: Iterable[Record] = ()
    ) -> None:
        """Write records and facts, and remove other records, in one transaction."""
        self._file.execute("BEGIN")
        try:
            self._file.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", map(self._row, records))
            self._file.executemany(
                "DELETE FROM record WHERE kind = ? AND id = ?",
                ((record.kind, record.id) for record in removed),
            )
            self._file.executemany(
                "INSERT OR REPLACE INTO fact VALUES (?, ?)",
                ((name, json.dumps(value)) for name, value in facts.items()),
            )
            self._file.execute("COMMIT")
        except BaseException:
            self._file.execute("ROLLBACK")
            raise

    def load(self, record_type: type[Stored]) -> Iterator[Stored]:
        """Return the records of a type, in the order of their ids."""
        rows = self._file.execute("SELECT json FROM record WHERE kind = ? ORDER BY id", [record_type.kind])
        for (text,) in rows.fetchall():
            fields = {name: self._from_json(name, value) for name, value in json.loads(text).items()}
            yield record_type(**fields)

    def fact(self, name: str) -> Any:
        """Return a fact; None if it was never saved."""
        row = self._file.execute("SELECT json FROM fact WHERE name = ?", [name]).fetchone()
        return None if row is None else json.loads(row[0])

    def _row(self, record: Record) -> tuple[str, int, str]:
        fields = asdict(record)
        for name in _UPLOAD_FIELDS & fields.keys():
            fields[name] = [upload | {"path": upload["path"].name} for upload in fields[name]]
        return record.kind, record.id, json.dumps(fields, ensure_ascii=False)

    def _from_json(self, name: str, value: Any) -> Any:
        if name in _UPLOAD_FIELDS:
            folder = self._folder / "files"
            return tuple(Upload(**upload | {"path": folder / upload["path"]}) for upload in value)
        return tuple(value) if isinstance(value, list) else value


_UPLOAD_FIELDS = {"images", "training"}
