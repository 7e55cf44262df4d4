"""Waiting for a reason: visible, interruptible, and never shorter than promised."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

Say = Callable[[float, str], None]
"""Is told how much of a wait is over, from 0 to 1, and the same in words."""

_STEP = 0.2  # seconds between two signs of life


def pause(seconds: float, why: str, say: Say) -> None:
    """Wait; an interrupt ends it at once.

    Parameters
    ----------
    seconds : float
        At least so long; nothing for zero and below.
    why : str
        What is waited for.
    say : callable
        Is told how it goes on.
    """
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        say(1 - left / seconds, f"{why} · {left:.0f} s left")
        time.sleep(min(left, _STEP))


def seconds_of(retry_after: str | None, now: datetime) -> float | None:
    """Return how long a ``Retry-After`` asks to wait, by the service's time; None when it says nothing.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> now = datetime(2031, 1, 1, tzinfo=timezone.utc)
    >>> seconds_of("3", now), seconds_of("Wed, 01 Jan 2031 00:00:09 GMT", now), seconds_of("soon", now)
    (3.0, 9.0, None)
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:12])
    try:
        return max(0.0, (parsedate_to_datetime(text).astimezone(UTC) - now).total_seconds())
    except (ValueError, OverflowError, TypeError):
        return None
