"""What the log's SQL needs of a database: SQLite's connection has it, and PostgreSQL's is made to.

There is one text of each statement for both, with named parameters as SQLite writes them.
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
        """Return the rows that are left."""

    def close(self) -> object:
        """Forget the rows that are left."""

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
        """Refuse to go on if something has happened to what was written."""

    def pop_notice(self) -> str | None:
        """Return what the user should know, once."""

    def writing(self) -> AbstractContextManager[SqlConnection]:
        """Yield a connection in a transaction of its own, which is on the disk when the context ends."""

    def reading(self, *, checked: bool = True) -> AbstractContextManager[SqlConnection]:
        """Yield a connection that reads one state of the database, whatever is written meanwhile.

        Parameters
        ----------
        checked : bool
            Whether the indexes that tell what was sent must have been checked: a frame has its own check.
        """

    def naming_errors(self) -> AbstractContextManager[None]:
        """Turn errors of this database into a `LogError` that names it, in a transaction of another one."""

    def shrink(self) -> None:
        """Give the space of deleted rows back to the disk."""

    def close(self) -> None:
        """Close every connection."""
