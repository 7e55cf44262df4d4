"""How long a batch retries rows that the service does not accept or does not answer."""

from __future__ import annotations

import time
from collections import Counter

_ATTEMPTS = 20  # attempts for a row whose connection fails
_OUTAGE_SECONDS, _LONGEST_PAUSE = 300.0, 30.0  # seconds without any answer
_PATIENCE = 3600.0  # seconds for which the service may delay a row before it counts as refused


class Patience:
    """Whether a row that was not created is sent again. Used only by the thread that hands out rows."""

    def __init__(self) -> None:
        self._asked_to_wait: dict[int, float] = {}
        self._attempts: Counter[int] = Counter()
        self._unreached_since: float | None = None

    def may_wait(self, row: int) -> bool:
        """Return whether a row that the service asked to delay is sent again."""
        first = self._asked_to_wait.setdefault(row, time.monotonic())
        return time.monotonic() - first < _PATIENCE

    def pause_before_next(self, row: int) -> float | None:
        """Return the seconds until a row whose connection failed is sent again; None if it is not."""
        now = time.monotonic()
        self._unreached_since = now if self._unreached_since is None else self._unreached_since
        self._attempts[row] += 1
        if self._attempts[row] >= _ATTEMPTS or self.is_cut_off:
            return None
        return min(1 + (now - self._unreached_since) / 2, _LONGEST_PAUSE)

    def note_answer(self) -> None:
        """Record that the service was reached."""
        self._unreached_since = None

    @property
    def is_cut_off(self) -> bool:
        """Whether nothing has been answered for too long."""
        since = self._unreached_since
        return since is not None and time.monotonic() - since > _OUTAGE_SECONDS
