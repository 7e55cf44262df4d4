"""The rate of a batch: as requested, and slower for a while after the service asked to slow down."""

from __future__ import annotations

import time
from collections import deque

_HOLD_SECONDS = 30.0  # after a 429 without Retry-After
_MOST_SECONDS = 600.0  # an absurd Retry-After must not stop a batch
_SLOWEST = 0.2  # tunes a second
_WINDOW = 64  # starts that are used to measure the current rate
_GROWTH = 1.03  # factor of the rate after each success: it doubles within 24 of them


class Pace:
    """When the next tune may be sent. Used only by the thread that hands out rows.

    A 429 pauses everything for as long as the service asks, and halves the rate; each success raises it
    again.

    Parameters
    ----------
    rate : float or None
        Maximum number of tunes a second; None for no limit.
    """

    def __init__(self, rate: float | None = None) -> None:
        self._most = rate
        self._reduced: float | None = None  # a lower rate after a 429
        self._starts: deque[float] = deque(maxlen=_WINDOW)
        self._held_at = self._hold_until = 0.0
        self._holds = 0  # consecutive pauses without a success between them

    @property
    def rate(self) -> float | None:
        """The current limit in tunes a second, or None."""
        return self._most if self._reduced is None else self._reduced

    @property
    def held_for(self) -> float:
        """Seconds for which the service asked to send nothing; 0 or less if it did not."""
        return self._hold_until - time.monotonic()

    def wait_seconds(self) -> float:
        """Return the seconds until the next tune may be sent; 0 or less if it may be sent at once."""
        wait = self.held_for
        if self.rate is not None and self._starts:
            wait = max(wait, self._starts[-1] + 1 / self.rate - time.monotonic())
        return wait

    def start(self) -> float:
        """Record that a tune is sent, and return the time of ``time.monotonic``."""
        self._starts.append(time.monotonic())
        return self._starts[-1]

    def succeed(self) -> None:
        """Record that the service accepted a tune."""
        self._holds = 0
        if self._reduced is not None:
            self._reduced *= _GROWTH
            if self._reduced >= (self._most or self._measured_before):
                self._reduced = None

    def slow_down(self, seconds: float | None, started: float | None = None) -> None:
        """Record that the service asked to slow down.

        Parameters
        ----------
        seconds : float or None
            For how long; None if it did not say.
        started : float, optional
            When the tune that it refused was sent, as `start` returned it. Default: just before.
        """
        now = time.monotonic()
        # Only once for all requests in progress.
        if now >= self._hold_until and (started is None or started >= self._held_at):
            self._held_at = now
            self._holds += 1
            measured = self._measured()
            self._measured_before = measured
            self._reduced = max(_SLOWEST, min(measured, self.rate or measured) / 2)
        # A service that keeps answering "Retry-After: 0" is asked less and less often.
        least = min(2.0 ** (self._holds - 2), _HOLD_SECONDS) if self._holds > 1 else 0.0
        hold = _HOLD_SECONDS if seconds is None else max(seconds, least)
        self._hold_until = max(self._hold_until, now + min(hold, _MOST_SECONDS))

    def pause(self, seconds: float) -> None:
        """Pause everything without changing the rate."""
        self._hold_until = max(self._hold_until, time.monotonic() + seconds)

    def _measured(self) -> float:
        """Return the recent rate in tunes a second."""
        if len(self._starts) < 2:
            return 1.0
        return len(self._starts) / max(time.monotonic() - self._starts[0], 1e-3)

    _measured_before = 1.0
