"""How far a batch is: counts, rate, time left and cost."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from astria_nb.submission.batch._row_outcome import RowOutcome
from astria_nb.tune import dollars
from astria_nb.utils.formatting import format_duration

_RATE_SECONDS = 2.0  # a rate that was measured for less says little


@dataclass(slots=True)
class Tally:
    """How far a batch is.

    Attributes
    ----------
    total : int
        Rows.
    done, failed : int
        Rows whose tune exists, and rows that failed.
    active : int
        Rows that are under way.
    cost_mc : int
        What was spent, in millicents, by the service's figures or else by the estimates.
    """

    total: int
    done: int = 0
    failed: int = 0
    active: int = 0
    cost_mc: int = 0
    _started: float = field(default_factory=time.monotonic)

    def count(self, outcome: RowOutcome) -> None:
        """Count a row whose outcome is known."""
        if outcome.has_tune:
            self.done += 1
        else:
            self.failed += 1

    @property
    def waiting(self) -> int:
        """Rows that were not begun yet."""
        return self.total - self.done - self.failed - self.active

    @property
    def fraction(self) -> float:
        """The part of the rows whose outcome is known."""
        return (self.done + self.failed) / self.total if self.total else 1.0

    def __str__(self) -> str:
        parts = [f"{self.done:,} of {self.total:,} done"]
        parts += [f"{self.failed:,} failed"] * bool(self.failed)
        parts += [f"{self.active:,} under way"] * bool(self.active)
        ended, seconds = self.done + self.failed, time.monotonic() - self._started
        if ended and ended < self.total and seconds >= _RATE_SECONDS:
            rate = ended / seconds
            parts.append(f"{rate:,.0f}/s" if rate >= 1 else f"{rate * 60:,.1f}/min")
            parts.append(f"{format_duration((self.total - ended) / rate)} left")
        parts += [dollars(self.cost_mc)] * bool(self.cost_mc)
        return " · ".join(parts)
