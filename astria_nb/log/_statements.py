"""SQL whose text is made once: SQLAlchemy takes longer to find that of a statement than SQLite to run it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from astria_nb.log._checksums import COLUMNS

ROW_CHECKSUM = f"row_checksum({', '.join(COLUMNS)})"
"""The checksum of a submission as it is stored."""
IS_SOUND = f"(checksum IS NULL OR checksum = {ROW_CHECKSUM})"
"""Whether a submission is what was written: what was damaged on the disk must not be signed as it is."""


class Query:
    """A SELECT of a log.

    Parameters
    ----------
    select : sqlalchemy.Select or sqlalchemy.CompoundSelect
        What its named parameters leave open is given when it is run.
    """

    def __init__(self, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> None:
        self._select = select

    def rows(self, connection: sqlite3.Connection, **values: Any) -> Iterator[dict[str, Any]]:
        """Yield the rows, each as a mapping of the columns' names."""
        cursor = self._run(connection, values)
        names = [column[0] for column in cursor.description]
        return (dict(zip(names, row, strict=True)) for row in cursor)

    def first(self, connection: sqlite3.Connection, **values: Any) -> dict[str, Any] | None:
        """Return the first row, or None."""
        cursor = self._run(connection, values)
        row, names = cursor.fetchone(), [column[0] for column in cursor.description]
        cursor.close()  # it may have more rows
        return None if row is None else dict(zip(names, row, strict=True))

    def _run(self, connection: sqlite3.Connection, values: dict[str, Any]) -> sqlite3.Cursor:
        text, defaults = self._compiled
        return connection.execute(text, defaults | values)

    @cached_property
    def _compiled(self) -> tuple[str, dict[str, Any]]:
        compiled = self._select.compile(dialect=sqlite.dialect(paramstyle="named"))
        return str(compiled), dict(compiled.params)


def insert_into(table: str, columns: Collection[str]) -> str:
    """Return an INSERT that takes a value for each of the columns by its name."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES (:{', :'.join(columns)})"  # noqa: S608  names


def update_of(columns: Collection[str], optional: Collection[str] = ()) -> str:
    """Return an UPDATE of the submission ``:id``, with the checksum of what it becomes.

    Parameters
    ----------
    columns : collection of str
        Those that get the value of this name.
    optional : collection of str
        Those of them that keep theirs if the value is null.
    """
    values = {name: f"coalesce(:{name}, {name})" if name in optional else f":{name}" for name in columns}
    # In an UPDATE, a column's name stands for what was there before.
    values["checksum"] = f"row_checksum({', '.join(values.get(name, name) for name in COLUMNS)})"
    changes = ", ".join(f"{name} = {value}" for name, value in values.items())
    return f"UPDATE submission SET {changes} WHERE id = :id"  # noqa: S608  names of columns
