"""Waiting for a reason: visible, interruptible, and never shorter than promised."""

from __future__ import annotations

import time
from collections.abc import Callable

Say = Callable[[float, str], None]
"""Is told how much of a wait is over, from 0 to 1, and the same in words."""

STEP = 0.2  # seconds between two signs of life


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
        time.sleep(min(left, STEP))
