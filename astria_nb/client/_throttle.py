"""Client-wide back-off after a 429."""

from __future__ import annotations

import threading
import time

from astria_nb.client import deadline
from astria_nb.utils.interrupts import raise_if_interrupted
from astria_nb.utils.progress import TICK_SECONDS

_MAX_SECONDS = 600.0  # an absurd Retry-After must not block a client


class Throttle:
    """Makes all requests of a client wait once the service has asked one of them to wait. Thread-safe.

    Attributes
    ----------
    count : int
        How often the service asked to slow down.

    Examples
    --------
    >>> throttle = Throttle()
    >>> throttle.back_off(0.1)
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

    def back_off(self, seconds: float) -> None:
        """Delay all requests for some seconds (at most 600); a longer back-off stays in force.

        Parameters
        ----------
        seconds : float
        """
        with self._lock:
            self.count += 1
            self._until = max(self._until, time.monotonic() + min(seconds, _MAX_SECONDS))

    def remaining(self) -> float:
        """Return the seconds until requests are allowed; 0 or less if they are."""
        return self._until - time.monotonic()

    def wait(self, stop: threading.Event | None = None) -> float:
        """Wait until requests are allowed.

        Parameters
        ----------
        stop : threading.Event, optional
            Ends the wait when it is set.

        Returns
        -------
        float
            0.0, or the seconds of the back-off if they exceed the current deadline; then there was no wait.
        """
        while (seconds := self.remaining()) > 0 and not (stop is not None and stop.is_set()):
            raise_if_interrupted()
            if not deadline.has_time_for(seconds):
                return seconds
            time.sleep(min(seconds, TICK_SECONDS))
        return 0.0
