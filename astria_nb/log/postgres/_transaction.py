"""A PostgreSQL transaction for the log's SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from typing import Any, LiteralString

import psycopg

from astria_nb.log._inserts import APPEND_EVENT
from astria_nb.log._sql import Cursor

_PARAMETER = re.compile(r"(?<![:\w]):([a-z]\w*)")
_NUL = "\0"


class Transaction:
    """A transaction that accepts the log's statements.

    Parameters
    ----------
    connection : psycopg.Connection

    Attributes
    ----------
    latest_event : mapping or None
        The event that was inserted last, which identifies the transaction once it is committed.
    is_ending : bool
        Whether COMMIT may have been sent.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.latest_event: Mapping[str, Any] | None = None
        self.is_ending = False

    @contextmanager
    def running(self, begin: LiteralString) -> Iterator[Transaction]:
        """Begin, and commit at the end; statements without a result are sent together with the next one."""
        connection, pipeline = self._connection, ExitStack()
        connection.autocommit = True  # psycopg would wait for the answer to its own BEGIN
        try:
            pipeline.enter_context(connection.pipeline())
            connection.execute(begin, prepare=False)
            yield self
            self.is_ending = True
            connection.execute("COMMIT", prepare=False)
            pipeline.close()
            connection.autocommit = False
        except BaseException:
            with suppress(psycopg.Error):
                pipeline.close()  # not with its own context, which would log errors
            self._undo()
            raise

    def _undo(self) -> None:
        """Roll back; a connection that cannot roll back is no longer usable."""
        try:
            self._connection.rollback()
            self._connection.autocommit = False
        except psycopg.Error:
            self._connection.close()

    def execute(self, text: str, values: Mapping[str, Any] | None = None, /) -> Cursor:
        """Run a statement with the values of its named parameters."""
        cleaned = _cleaned(values or {})
        if text == APPEND_EVENT:
            self.latest_event = cleaned
        # Binary: a bytes value would be sent as twice as many digits.
        return self._connection.execute(_translated(text), cleaned or None, binary=True)

    def executemany(self, text: str, rows: Iterable[Mapping[str, Any]], /) -> None:
        """Run a statement once for the values of each row."""
        self._connection.cursor().executemany(_translated(text), map(_cleaned, rows))


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _storable(value) for name, value in values.items()}


@cache  # there are a few dozen statements
def _translated(text: str) -> LiteralString:
    """Return a statement in psycopg's notation."""
    return _PARAMETER.sub(r"%(\1)s", text.replace("%", "%%"))


def _storable(value: Any) -> Any:
    """Return a value that PostgreSQL can store: text without NUL, which titles never contain."""
    return value.replace(_NUL, "\ufffd") if isinstance(value, str) and _NUL in value else value
