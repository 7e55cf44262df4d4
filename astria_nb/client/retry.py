"""Asking again: which failures of a GET are worth it, and how long to wait before."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from astria_nb.client.deadline import Deadline
from astria_nb.errors import ApiError, AstriaError, NotSentError, UnexpectedReplyError

ATTEMPTS = 4
_STATUSES = (429, 500, 502, 503, 504)
_FIRST_WAIT, _JITTER = 0.5, 0.5  # seconds; each wait is twice the one before, and a random bit

_log = logging.getLogger(__name__)
# Of its own: a notebook that seeded Python's goes on as it would without us.
_chance = random.Random()  # noqa: S311  no secret
# stamina tells each retry itself, as a warning. Where nobody set up logging, that is not printed.
logging.getLogger("stamina").addHandler(logging.NullHandler())

T = TypeVar("T")


def ask(call: Callable[[], T], *, seconds: float, name: str, now: Callable[[], datetime]) -> T:
    """Return what a call returns, asking again while that can help and there is time.

    Parameters
    ----------
    call : callable
        Only something that may be repeated. Each time it has at most half of the seconds, so that one that
        hangs can be asked again.
    seconds : float
        For all of it, the waits included.
    name : str
        For the log: a line at INFO for each time it is asked again.
    now : callable
        The service's clock, by which a ``Retry-After`` that is a date is judged.

    Raises
    ------
    AstriaError
        The last failure: one that asking again cannot mend, or that came after the last attempt, or that
        asks for a longer wait than there is time.
    """
    import stamina  # here: only a call needs it

    failures: list[Exception] = []

    def worth_it(error: Exception) -> bool | float:
        failures.append(error)
        if not may_pass(error):
            return False
        wait = _FIRST_WAIT * 2 ** (len(failures) - 1)
        if isinstance(error, ApiError) and error.status in (429, 503):
            wait = max(wait, seconds_asked_for(error.retry_after, now()) or 0)
        wait += _chance.uniform(0, _JITTER)  # so that many who were refused do not return at once
        return wait if overall.allows(wait) else False

    failure: Exception
    with Deadline(seconds) as overall:
        try:
            for attempt in stamina.retry_context(worth_it, attempts=ATTEMPTS, timeout=None):
                if failures:
                    _log.info("%s is asked again (attempt %d): %s", name, attempt.num, failures[-1])
                with attempt, Deadline(seconds / 2):
                    return call()
        except AstriaError as error:
            failure = error
    # Raised outside `except`: the frames between hold what a traceback should not show.
    failure.__cause__ = failure.__context__ = None
    raise failure.with_traceback(None)


def seconds_asked_for(retry_after: str | None, now: datetime) -> float | None:
    """Return how long a ``Retry-After`` asks to wait; None where it says nothing that makes sense.

    Parameters
    ----------
    retry_after : str or None
        Seconds or an HTTP date.
    now : datetime
        The service's time.

    Examples
    --------
    >>> now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> seconds_asked_for("7", now), seconds_asked_for("Thu, 01 Jan 2026 12:01:00 GMT", now)
    (7.0, 60.0)
    >>> seconds_asked_for("-7", now) is None
    True
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text) if len(text) < 16 else math.inf
    with suppress(ValueError, OverflowError):
        date = parsedate_to_datetime(text)
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())
    return None


def may_pass(error: Exception) -> bool:
    """Tell whether a failure may pass by itself."""
    if isinstance(error, UnexpectedReplyError):
        return 200 <= error.status < 300  # cut off, or the page of something between; no redirect
    return isinstance(error, NotSentError) or (isinstance(error, ApiError) and error.status in _STATUSES)
