"""An SQLite connection whose `close` really closes it."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterable
from typing import Any


class LogConnection(sqlite3.Connection):
    """A connection that ends its cursors.

    While a cursor has rows to fetch, `close` of `sqlite3` leaves the file open and locked as long as any
    variable refers to the cursor, for example in the traceback of an error that a notebook shows.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._cursors: list[weakref.ref[sqlite3.Cursor]] = []

    def execute(self, text: str, values: Any = (), /) -> sqlite3.Cursor:
        """Run a statement."""
        return self._cursor().execute(text, values)

    def executemany(self, text: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
        """Run a statement once for the values of each row."""
        return self._cursor().executemany(text, rows)

    def end_cursors(self) -> None:
        """End all cursors, even if they have rows to fetch."""
        cursors, self._cursors = self._cursors, []
        for reference in cursors:
            if (cursor := reference()) is not None:
                cursor.close()

    def close(self) -> None:
        """Close the connection, and release the file."""
        self.end_cursors()
        super().close()

    def _cursor(self) -> sqlite3.Cursor:
        cursor = self.cursor()
        self._cursors.append(weakref.ref(cursor))
        return cursor
