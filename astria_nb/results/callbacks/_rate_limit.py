"""A token bucket."""

from __future__ import annotations

import threading
import time


class RateLimit:
    """Limits how many calls are allowed.

    Parameters
    ----------
    burst : int
        Calls allowed at once.
    rate : float
        Calls allowed per second from there on.

    Examples
    --------
    >>> limit = RateLimit(burst=2, rate=0.001)
    >>> limit.allows(), limit.allows(), limit.allows()
    (True, True, False)
    """

    def __init__(self, burst: int, rate: float) -> None:
        self._burst, self._rate = float(burst), rate
        self._tokens, self._updated_at = self._burst, time.monotonic()
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Count a call, and return whether it is allowed."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._updated_at) * self._rate)
            self._updated_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
