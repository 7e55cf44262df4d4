"""The service's time: whole milliseconds since 1970, UTC."""

import time
from datetime import UTC, datetime
from typing import Protocol

SECOND = 1_000
DAY = 86_400 * SECOND


class Clock(Protocol):
    """What the service asks of its time."""

    def now(self) -> int:
        """Return the present, in milliseconds."""

    def create(self) -> int:
        """Return the time at which a request creates something."""

    def look(self) -> int:
        """Return the time at which a client looks at tunes or prompts."""

    def span(self, seconds: float) -> int:
        """Return how long work of `seconds` on the real service takes here, in milliseconds."""

    def until(self, due: int) -> float | None:
        """Return how many seconds to wait for `due`; None when waiting does not bring it."""

    def advance(self, milliseconds: int) -> None:
        """Move on."""

    def resume(self, now: int) -> None:
        """Go on from where an earlier clock stopped, if that is later."""


class WallClock:
    """The wall's time, on which work is `speed` times shorter.

    There is no second time scale: `created_at` is when it was, and `eta` is when it will be, so a client
    can compare both with its own clock.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        # A wall clock may be set back while the service runs; a monotonic one keeps times in order.
        self._offset = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """Return the present, in milliseconds."""
        return (self._offset + time.monotonic_ns()) // 1_000_000

    create = look = now

    def span(self, seconds: float) -> int:
        """Return `seconds` divided by the speed, in milliseconds and never zero."""
        return max(1, round(seconds * SECOND / self._speed))

    def until(self, due: int) -> float | None:
        """Return the seconds from here to `due`."""
        return max(0, due - self.now()) / SECOND

    def advance(self, milliseconds: int) -> None:
        """Run ahead of the wall's time from here on."""
        self._offset += milliseconds * 1_000_000

    def resume(self, now: int) -> None:
        """Run ahead of the wall's time if the earlier clock did."""
        self.advance(max(0, now - self.now()))


class SteppedClock:
    """A time that starts at 2026-01-01T12:00:00.000Z and moves by calls only.

    Creating moves it one second and a look four minutes, both after the call's own time was taken: a client
    that polls sees a tune queued, then training, and trained at the fourth look. Work takes as long as on the
    real service.

    Its owner serialises the calls.
    """

    START = 1_767_268_800_000
    CREATE = 1 * SECOND
    LOOK = 240 * SECOND

    def __init__(self) -> None:
        self._now = self.START

    def now(self) -> int:
        """Return the present, in milliseconds."""
        return self._now

    def create(self) -> int:
        """Return the present and move on one second."""
        return self._move(self.CREATE)

    def look(self) -> int:
        """Return the present and move on four minutes."""
        return self._move(self.LOOK)

    def span(self, seconds: float) -> int:
        """Return `seconds` in milliseconds."""
        return round(seconds * SECOND)

    def until(self, due: int) -> float | None:
        """Return 0 for what is past, else None."""
        return 0.0 if due <= self._now else None

    def advance(self, milliseconds: int) -> None:
        """Move on."""
        self._now += milliseconds

    def resume(self, now: int) -> None:
        """Go on from where an earlier clock stopped."""
        self._now = max(self._now, now)

    def _move(self, step: int) -> int:
        present = self._now
        self._now += step
        return present


def iso(moment: int) -> str:
    """Write a time as the API does.

    Examples
    --------
    >>> iso(1_767_268_800_000)
    '2026-01-01T12:00:00.000Z'
    """
    whole = datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{moment % SECOND:03d}Z"
