"""The progress of a batch: counts, rate, time left and cost."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from astria_nb.submission.batch._row_outcome import RowOutcome
from astria_nb.submission.batch._slots import NotBegunError
from astria_nb.tune import dollars
from astria_nb.utils.formatting import format_duration

_RATE_SECONDS = 2.0  # a rate measured over less time is not meaningful
_WINDOW = 30  # seconds: rows that are already recorded end faster than rows that are sent


@dataclass(slots=True)
class Tally:
    """The progress of a batch.

    Attributes
    ----------
    total : int
        Rows.
    price : str
        Expected cost of all rows, as text; empty if unknown.
    done, failed : int
        Rows whose tune exists, and rows that failed.
    active : int
        Rows that were handed out.
    unsent : int
        Of these, rows that are prepared and wait for others, or that will not be sent since the batch was
        stopped.
    most : int or None
        Maximum number of rows in progress, not counting answered rows that are being recorded.
    cost_mc : int
        Amount spent, in millicents, by the service's figures or else by the estimates.
    held_for : float
        Seconds for which the service asked to send nothing.
    is_ending : bool
        Whether the batch was interrupted, and waits for rows in progress.
    is_over : bool
        Whether no row is sent any more.
    """

    total: int
    price: str = ""
    done: int = 0
    failed: int = 0
    active: int = 0
    unsent: int = 0
    most: int | None = None
    cost_mc: int = 0
    held_for: float = 0.0
    is_ending: bool = False
    is_over: bool = False
    _ended: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_WINDOW + 1))

    def count(self, outcome: RowOutcome) -> None:
        """Count a row whose outcome is known; a row that was not started is still waiting."""
        if outcome.has_tune:
            self.done += 1
        elif not isinstance(outcome.error, NotBegunError):
            self.failed += 1

    @property
    def waiting(self) -> int:
        """Rows that have not been started yet."""
        return self.total - self.done - self.failed - self.active + self.unsent

    @property
    def fraction(self) -> float:
        """The fraction of rows whose outcome is known."""
        return (self.done + self.failed) / self.total if self.total else 1.0

    def __str__(self) -> str:
        return self.text()

    def text(self, width: int | None = None) -> str:
        """Return everything in one line.

        Parameters
        ----------
        width : int, optional
            Maximum number of characters: less important parts are left out. Default: no limit.
        """
        active, not_begun = self.active - self.unsent, "not sent" if self.is_over else "waiting"
        active = active if self.most is None else min(active, self.most)
        parts = {
            "done": f"{self.done:,} of {self.total:,} done",
            "failed": f"{self.failed:,} failed" if self.failed else "",
            "active": f"{active:,} under way" if active else "",
            "waiting": f"{self.waiting:,} {not_begun}" if self.waiting else "",
            **(self._speed() if not self.is_over else {}),
            "cost": dollars(self.cost_mc) if self.cost_mc else "",
        }
        of_price = f" of {self.price}" if self.price and self.cost_mc and not self.is_over else ""
        for name in ("", "waiting", "rate", "active", "price"):
            parts.pop(name, None)
            text = " · ".join(filter(None, parts.values())) + of_price * (name != "price")
            if width is None or len(text) <= width:
                break
        return text

    def _speed(self) -> dict[str, str]:
        """Return the rate and the time left as text, or why nothing is sent."""
        if self.held_for >= 1:
            return {"left": f"the service asks to wait {format_duration(self.held_for)}"}
        now, ended = time.monotonic(), self.done + self.failed
        if not self._ended or now - self._ended[-1][0] >= 1:
            self._ended.append((now, ended))
        since, before = self._ended[0]
        if now - since < _RATE_SECONDS or ended <= before or ended >= self.total:
            return {}
        rate = (ended - before) / (now - since)
        return {
            "rate": f"{rate:,.0f}/s" if rate >= 1 else f"{rate * 60:,.1f}/min",
            "left": f"{format_duration((self.total - ended) / rate)} left",
        }
