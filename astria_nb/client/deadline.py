"""A moment by which a call is over, whatever the other side does."""

from __future__ import annotations

import math
import time
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self

_current: ContextVar[Deadline | None] = ContextVar("astria_nb_deadline", default=None)


class Deadline:
    """The seconds that everything inside a ``with`` may take together.

    The earliest of those around a request counts, so an outer one holds for many calls. It belongs to one
    thread.

    Parameters
    ----------
    seconds : float
    answer : float, optional
        Seconds from when a request left to the end of its answer. Without it, the answer has what is left.

    Examples
    --------
    >>> with Deadline(60):
    ...     with Deadline(600) as inner:
    ...         print(f"{inner.left():.0f} s")
    60 s
    """

    def __init__(self, seconds: float, *, answer: float | None = None) -> None:
        self._seconds, self._answer = seconds, answer
        self._end = self._outer_end = math.inf
        self._token: Token[Deadline | None] | None = None

    def __enter__(self) -> Self:
        outer = _current.get()
        self._outer_end = outer._end if outer is not None else math.inf
        self._end = min(time.monotonic() + self._seconds, self._outer_end)
        self._token = _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)

    def left(self) -> float:
        """Return the seconds that are left, more than none.

        Raises
        ------
        TimeoutError
            When there are none.
        """
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the time is up")
        return seconds

    def allows(self, seconds: float) -> bool:
        """Tell whether there is time for a wait, and for something after it."""
        return seconds < self._end - time.monotonic()

    def wait_for_answer(self) -> None:
        """Count the seconds of the answer from here on."""
        if self._answer is not None:
            self._end = min(time.monotonic() + self._answer, self._outer_end)


def allowed(seconds: float) -> bool:
    """Tell whether there is time for a wait: there is outside of any deadline."""
    found = _current.get()
    return found is None or found.allows(seconds)


def current() -> Deadline:
    """Return the deadline of the request that this thread is in.

    Raises
    ------
    LookupError
        Outside of any: no request is made without one.
    """
    found = _current.get()
    if found is None:
        raise LookupError("a request needs a deadline")
    return found
