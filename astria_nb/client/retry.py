"""Retries of requests that only read: which failures to retry, and how long to wait before that."""

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
from astria_nb.errors import ApiError, AstriaError, NotSentError, UnexpectedReplyError, UnreachableError
from astria_nb.utils import interrupts

ATTEMPTS = 4
_STATUSES = (408, 425, 429, 500, 502, 503, 504)
_FIRST_WAIT, _JITTER = 0.5, 0.5  # seconds; the wait doubles with each attempt

_log = logging.getLogger(__name__)
# A separate generator: retries must not change the numbers that a notebook draws after random.seed().
_random = random.Random()  # noqa: S311  no secret

T = TypeVar("T")


def call_with_retries(call: Callable[[], T], *, seconds: float, name: str, now: Callable[[], datetime]) -> T:
    """Return the result of a call, and retry it while that can help and there is time.

    Implemented here instead of with a library: the wait depends on the attempt, on ``Retry-After`` and on the
    deadline of the whole call, and the jitter must not affect Python's global generator.

    Parameters
    ----------
    call : callable
        Must be safe to repeat. Each attempt has at most half of `seconds`, so that there is time for another
        one if it hangs.
    seconds : float
        Time limit for all attempts and the waits between them.
    name : str
        Names the call in the log, which has a line at INFO for each retry.
    now : callable
        Returns the service's time (UTC), which a date in ``Retry-After`` is compared with.

    Raises
    ------
    AstriaError
        The last failure: a permanent one, that of the last attempt, or one that asks for a longer wait than
        the deadline allows.
    """
    failure: AstriaError
    with Deadline(seconds) as overall:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with Deadline(seconds / 2):
                    return call()
            except AstriaError as error:
                failure = error
            wait = _wait_after(failure, attempt, now)
            if attempt == ATTEMPTS or not is_transient(failure) or not overall.has_time_for(wait):
                break
            _log.info("retrying %s in %.1f s (attempt %d): %s", name, wait, attempt + 1, failure)
            _sleep(wait)
    # Raised outside `except`: the frames in between hold values that a traceback must not show.
    failure.__cause__ = failure.__context__ = None
    raise failure.with_traceback(None)


def retry_after_seconds(retry_after: str | None, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for, or None if it cannot be interpreted.

    Parameters
    ----------
    retry_after : str or None
        Seconds or an HTTP date.
    now : datetime
        The service's time, time zone aware.

    Returns
    -------
    float or None
        0.0 for a date in the past.

    Examples
    --------
    >>> now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> retry_after_seconds("7", now), retry_after_seconds("Thu, 01 Jan 2026 12:01:00 GMT", now)
    (7.0, 60.0)
    >>> retry_after_seconds("-7", now) is None
    True
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text) if len(text) < 16 else math.inf
    with suppress(ValueError, OverflowError):
        date = parsedate_to_datetime(text)
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())
    return None


def is_transient(error: Exception) -> bool:
    """Return whether the same request may succeed later.

    Parameters
    ----------
    error : Exception
    """
    if isinstance(error, UnexpectedReplyError):
        # Truncated, or a page of a gateway; a redirect would be repeated.
        return 200 <= error.status < 300 or bool(error.page)
    if isinstance(error, UnreachableError):
        return False
    return isinstance(error, NotSentError) or (isinstance(error, ApiError) and error.status in _STATUSES)


def _wait_after(failure: AstriaError, attempt: int, now: Callable[[], datetime]) -> float:
    wait = _FIRST_WAIT * 2.0 ** (attempt - 1)
    if isinstance(failure, ApiError) and failure.status in (429, 503):
        wait = max(wait, retry_after_seconds(failure.retry_after, now()) or 0)
    return wait + _random.uniform(0, _JITTER)  # so that clients that were refused together spread out


def _sleep(seconds: float) -> None:
    interrupts.sleep(seconds)
