"""Statements of the log, with the same text for both kinds of database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from astria_nb.log._checksums import COLUMNS
from astria_nb.log._sql import Cursor, SqlConnection

ROW_CHECKSUM = f"row_checksum({', '.join(COLUMNS)})"
"""The checksum of a stored submission."""
IS_SOUND = f"(checksum IS NULL OR checksum = {ROW_CHECKSUM})"
"""Whether a submission is as written: damaged data must not get a new checksum."""


class Query:
    """A SELECT of a log.

    Parameters
    ----------
    text : str
        The values of its named parameters are passed when it is run.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def rows(self, connection: SqlConnection, **values: Any) -> Iterator[dict[str, Any]]:
        """Yield the rows, each as a mapping by column name."""
        return _named(connection.execute(self._text, values))

    def first(self, connection: SqlConnection, **values: Any) -> dict[str, Any] | None:
        """Return the first row, or None."""
        cursor = connection.execute(self._text, values)
        row = cursor.fetchone()
        names = None if row is None else [column[0] for column in cursor.description]
        cursor.close()  # there may be more rows
        return None if names is None else dict(zip(names, row, strict=True))


def _named(cursor: Cursor) -> Iterator[dict[str, Any]]:
    names: list[str] = []
    for row in cursor:
        names = names or [column[0] for column in cursor.description]
        yield dict(zip(names, row, strict=True))


def in_list(values: Iterable[Any], prefix: str) -> tuple[str, dict[str, Any]]:
    """Return a list of parameters for ``IN``, and their values by name; nothing is in that of no values.

    Examples
    --------
    >>> in_list(["a", "b"], "title")
    ('(:title_0, :title_1)', {'title_0': 'a', 'title_1': 'b'})
    """
    named = {f"{prefix}_{number}": value for number, value in enumerate(values)}
    return f"({', '.join(f':{name}' for name in named) or 'NULL'})", named


def among(connection: SqlConnection, ids: Collection[int]) -> tuple[str, dict[str, Any]]:
    """Return the condition that a submission is one of several, and its values."""
    if isinstance(connection, sqlite3.Connection):
        return "submission.id IN (SELECT value FROM json_each(:ids))", {"ids": json.dumps([*ids])}
    return "submission.id = ANY(CAST(:ids AS bigint[]))", {"ids": [*ids]}


def insert_into(table: str, columns: Collection[str]) -> str:
    """Return an INSERT with a named parameter for each column."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES (:{', :'.join(columns)})"  # noqa: S608  names


class Update:
    """An UPDATE of the submission ``:id``.

    In a file, it writes the checksum of the new row, and skips a damaged row. A server has its own checksums.

    Parameters
    ----------
    columns : collection of str
        The columns that get the value with their name.
    optional : collection of str
        Columns that keep their value if the new value is null.
    only_of_version : bool
        Whether the row must have the version ``:of_version``.
    """

    def __init__(
        self, columns: Collection[str], optional: Collection[str] = (), *, only_of_version: bool = False
    ) -> None:
        values = {name: f"coalesce(:{name}, {name})" if name in optional else f":{name}" for name in columns}
        # In an UPDATE, a column's name means its previous value.
        checksum = f"row_checksum({', '.join(values.get(name, name) for name in COLUMNS)})"
        condition = "id = :id AND version = :of_version" if only_of_version else "id = :id"
        self._on_server = _update(values, condition)
        self._in_file = _update(
            values | {"checksum": checksum}, f"{condition} AND {IS_SOUND}" if only_of_version else condition
        )

    def run(self, connection: SqlConnection, values: Mapping[str, Any]) -> None:
        """Change the row."""
        is_file = isinstance(connection, sqlite3.Connection)
        connection.execute(self._in_file if is_file else self._on_server, values)

    def has_changed(self, connection: SqlConnection, values: Mapping[str, Any]) -> bool:
        """Change the row, and return whether there was one with this version."""
        if isinstance(connection, sqlite3.Connection):
            return connection.execute(self._in_file, values).rowcount > 0
        changed = connection.execute(f"{self._on_server} RETURNING id", values)
        return changed.fetchone() is not None


def _update(values: Mapping[str, str], condition: str) -> str:
    changes = ", ".join(f"{name} = {value}" for name, value in values.items())
    return f"UPDATE submission SET {changes} WHERE {condition}"  # noqa: S608  names of columns
