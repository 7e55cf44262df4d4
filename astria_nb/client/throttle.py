"""A service that says 429 is left alone by everyone who asks through one client, not only by who was told."""

from __future__ import annotations

import threading
import time

from astria_nb.client import deadline
from astria_nb.utils.progress import TICK_SECONDS

_LONGEST = 600.0  # seconds that are believed of a service: an absurd wait must not make a client useless


class Throttle:
    """Until when nothing is asked. Safe to use from several threads.

    Attributes
    ----------
    count : int
        How often the service asked to be left alone.

    Examples
    --------
    >>> throttle = Throttle()
    >>> throttle.hold(0.1)
    >>> started = time.monotonic()
    >>> throttle.wait()
    0.0
    >>> time.monotonic() - started > 0.05
    True
    """

    def __init__(self) -> None:
        self.count = 0
        self._until = 0.0
        self._lock = threading.Lock()

    def hold(self, seconds: float) -> None:
        """Let nobody ask for some seconds, or for longer where that was asked for before."""
        with self._lock:
            self.count += 1
            self._until = max(self._until, time.monotonic() + min(seconds, _LONGEST))

    def left(self) -> float:
        """Return the seconds until asking is allowed; 0 or less where it is."""
        return self._until - time.monotonic()

    def wait(self, stop: threading.Event | None = None) -> float:
        """Wait until asking is allowed; if that is later than who asks has time, return how many seconds.

        Parameters
        ----------
        stop : threading.Event, optional
            Ends the wait when it is set.
        """
        while (left := self.left()) > 0 and not (stop is not None and stop.is_set()):
            if not deadline.allowed(left):
                return left
            time.sleep(min(left, TICK_SECONDS))
        return 0.0
