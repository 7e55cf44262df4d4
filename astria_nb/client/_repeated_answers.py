"""Answers that are repeated byte by byte, such as those of a poll that finds nothing new."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self

_current: ContextVar[RepeatedAnswers | None] = ContextVar("astria_nb_repeated_answers", default=None)


class RepeatedAnswers:
    """Remembers the answers to the requests in a ``with`` block, until its next use.

    A repeated answer is not parsed again: its data are the same objects, so they must not be changed.

    Examples
    --------
    >>> import json
    >>> answers = RepeatedAnswers()
    >>> with answers:
    ...     first = parse_once(b'{"id": 7}', json.loads)
    >>> with answers:
    ...     parse_once(b'{"id": 7}', json.loads) is first
    True
    """

    def __init__(self) -> None:
        self._before: dict[bytes, Any] = {}
        self._data: dict[bytes, Any] = {}
        self._token: Token[RepeatedAnswers | None] | None = None

    def __enter__(self) -> Self:
        self._before, self._data = self._data, {}
        self._token = _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)

    def parse(self, content: bytes, parse: Callable[[bytes], Any]) -> Any:
        """Return the data of an answer."""
        data = self._before[content] if content in self._before else parse(content)
        self._data[content] = data
        return data


def parse_once(content: bytes, parse: Callable[[bytes], Any]) -> Any:
    """Return the data of an answer; inside a `RepeatedAnswers`, the earlier data if it is repeated.

    Parameters
    ----------
    content : bytes
    parse : callable
        Called with the content.
    """
    answers = _current.get()
    return parse(content) if answers is None else answers.parse(content, parse)
