"""The interface that the log's SQL needs: SQLite's connection has it, and PostgreSQL's is adapted.

Each statement has one text for both, with named parameters in SQLite's notation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Cursor(Protocol):
    """The rows of a statement."""

    @property
    def description(self) -> Any:
        """A sequence for each column, which begins with its name."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return the remaining rows."""

    def close(self) -> object:
        """Forget the remaining rows."""

    def __iter__(self) -> Iterator[Any]: ...


class SqlConnection(Protocol):
    """A connection in a transaction."""

    def execute(self, text: str, values: Any = ..., /) -> Cursor:
        """Run a statement with the values of its named parameters."""

    def executemany(self, text: str, rows: Any, /) -> object:
        """Run a statement once for the values of each row."""


class LogStore(Protocol):
    """An open database of a log: the file's, or the server's."""

    @property
    def is_lost(self) -> bool:
        """Whether it has to be opened again."""

    def check(self) -> None:
        """Raise an error if something has happened to the written data."""

    def pop_notice(self) -> str | None:
        """Return a notice for the user, once."""

    def writing(self) -> AbstractContextManager[SqlConnection]:
        """Yield a connection in its own transaction, which is on the disk when the context ends."""

    def reading(self, *, checked: bool = True) -> AbstractContextManager[SqlConnection]:
        """Yield a connection that reads a consistent state of the database.

        Parameters
        ----------
        checked : bool
            Whether the indexes of sent requests must have been checked: a frame has its own check.
        """

    def naming_errors(self) -> AbstractContextManager[None]:
        """Turn errors of this database into a `LogError` that names it, within a transaction of another."""

    def shrink(self) -> None:
        """Release the space of deleted rows."""

    def close(self) -> None:
        """Close every connection."""
