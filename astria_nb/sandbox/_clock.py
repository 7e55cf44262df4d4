"""The service's time: whole milliseconds since 1970, UTC."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

SECOND = 1_000
DAY = 86_400 * SECOND
LATEST = 221_845_392_000 * SECOND
"""The start of the year 9000, the limit for clocks: records created then have dates up to 9999."""


class Clock(Protocol):
    """The service's clock."""

    def now(self) -> int:
        """Return the current time, in milliseconds."""

    def create(self) -> int:
        """Return the time at which a request creates something."""

    def poll(self) -> int:
        """Return the time at which a client polls tunes or prompts."""

    def span(self, seconds: float) -> int:
        """Return how long work takes here that takes `seconds` on the real service, in milliseconds."""

    def until(self, due: int) -> float | None:
        """Return how many seconds to wait for `due`; None if waiting does not help."""

    def advance(self, milliseconds: int) -> None:
        """Move the clock forward."""

    def resume(self, now: int) -> None:
        """Continue from where an earlier clock stopped, if that is later."""


class WallClock:
    """Real time, in which work takes `speed` times less.

    Times themselves are not scaled: a client can compare `created_at` and `eta` with its own clock.

    Parameters
    ----------
    speed : float
        How many times faster than the real service tunes are trained.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        # The system's clock may be set back while the service runs; a monotonic one keeps times in order.
        self._offset = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """Return the current time, in milliseconds."""
        return (self._offset + time.monotonic_ns()) // 1_000_000

    create = poll = now

    def span(self, seconds: float) -> int:
        """Return `seconds` divided by the speed, in milliseconds, at least 1."""
        return max(1, round(seconds * SECOND / self._speed))

    def until(self, due: int) -> float | None:
        """Return the seconds until `due`."""
        return max(0, due - self.now()) / SECOND

    def advance(self, milliseconds: int) -> None:
        """Run ahead of real time from now on."""
        self._offset += milliseconds * 1_000_000

    def resume(self, now: int) -> None:
        """Run ahead of real time if the earlier clock did."""
        self.advance(max(0, now - self.now()))


class SteppedClock:
    """A clock that starts at 2026-01-01T12:00:00.000Z and is only moved by calls.

    Creating something moves it by one second, and polling by four minutes, both after the time of the call
    was read: a polling client sees a tune queued, then training, and trained at the fourth poll. Work takes
    as long as on the real service. Not thread-safe: the state locks it.
    """

    START = 1_767_268_800_000
    CREATE = 1 * SECOND
    POLL = 240 * SECOND

    def __init__(self) -> None:
        self._now = self.START

    def now(self) -> int:
        """Return the current time, in milliseconds."""
        return self._now

    def create(self) -> int:
        """Return the current time, and move one second forward."""
        return self._move(self.CREATE)

    def poll(self) -> int:
        """Return the current time, and move four minutes forward."""
        return self._move(self.POLL)

    def span(self, seconds: float) -> int:
        """Return `seconds` in milliseconds."""
        return round(seconds * SECOND)

    def until(self, due: int) -> float | None:
        """Return 0 for a time in the past, else None."""
        return 0.0 if due <= self._now else None

    def advance(self, milliseconds: int) -> None:
        """Move the clock forward."""
        self._now += milliseconds

    def resume(self, now: int) -> None:
        """Continue from where an earlier clock stopped."""
        self._now = max(self._now, now)

    def _move(self, step: int) -> int:
        before = self._now
        self._now += step
        return before


@lru_cache(4096)  # a list of tunes has many times again
def iso(moment: int) -> str:
    """Format a time as the API does.

    Examples
    --------
    >>> iso(1_767_268_800_000)
    '2026-01-01T12:00:00.000Z'
    """
    seconds = datetime.fromtimestamp(moment // SECOND, UTC).isoformat()[: -len("+00:00")]
    return f"{seconds}.{moment % SECOND:03d}Z"
