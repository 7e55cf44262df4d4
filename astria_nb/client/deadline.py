"""A total deadline for a call, enforced at every step of a request."""

from __future__ import annotations

import math
import socket
import time
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self

from astria_nb.utils.interrupts import raise_if_interrupted

_NEAR_SECONDS = 30  # before a deadline, from which it is kept exactly
_current: ContextVar[Deadline | None] = ContextVar("astria_nb_deadline", default=None)


class Deadline:
    """Limits the total time of everything inside a ``with`` block.

    Deadlines nest: the earliest of those around a request applies, so an outer deadline can cover many calls.
    A deadline belongs to one thread.

    Parameters
    ----------
    seconds : float
        Time limit of the block, in seconds.
    answer : float, optional
        Time limit in seconds for the response, from the moment when the request was sent. Default: the rest
        of `seconds`.

    Examples
    --------
    >>> with Deadline(60):
    ...     with Deadline(600) as inner:
    ...         print(f"{inner.remaining():.0f} s")
    60 s
    """

    def __init__(self, seconds: float, *, answer: float | None = None) -> None:
        self._seconds, self._answer_seconds = seconds, answer
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

    def remaining(self) -> float:
        """Return the remaining seconds (> 0).

        Raises
        ------
        TimeoutError
            The deadline has passed.
        KeyboardInterrupt
            The surrounding call was interrupted.
        """
        raise_if_interrupted()
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the time is up")
        return seconds

    def has_time_for(self, seconds: float) -> bool:
        """Return whether the deadline leaves time for a wait and for work after it."""
        return seconds < self._end - time.monotonic()

    def start_answer_timer(self) -> None:
        """Start counting the seconds of the response, if they are limited."""
        if self._answer_seconds is not None:
            self._end = min(time.monotonic() + self._answer_seconds, self._outer_end)


def has_time_for(seconds: float) -> bool:
    """Return whether the current deadline leaves time for a wait; True outside any deadline."""
    deadline = _current.get()
    return deadline is None or deadline.has_time_for(seconds)


def current_deadline() -> Deadline:
    """Return the innermost deadline of this thread.

    Raises
    ------
    LookupError
        There is no deadline; no request is made without one.
    """
    deadline = _current.get()
    if deadline is None:
        raise LookupError("a request needs a deadline")
    return deadline


def limit_socket(sock: socket.socket) -> None:
    """Let a socket wait until the current deadline; a distant deadline is kept to the second.

    Each change of the timeout is a system call, for which Python lets other threads run.

    Parameters
    ----------
    sock : socket.socket
    """
    remaining, limit = current_deadline().remaining(), sock.gettimeout()
    is_near = remaining < _NEAR_SECONDS
    if is_near or limit is None or not remaining - 1 < limit < remaining + 1:
        sock.settimeout(remaining)
