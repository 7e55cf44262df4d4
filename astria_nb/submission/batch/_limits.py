"""The limits of a running batch."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from astria_nb.submission.batch._balance import BalanceCheck
from astria_nb.submission.batch._budget import Budget
from astria_nb.submission.batch._outage import ServiceOutage
from astria_nb.submission.batch._pace import Pace
from astria_nb.submission.batch._stop import BatchStop


@dataclass(slots=True)
class BatchLimits:
    """The limits of a running batch.

    Attributes
    ----------
    most : int
        Rows that may be handed out at once.
    pace : Pace
    budget : Budget
    stop : BatchStop
    balance : BalanceCheck
    outage : ServiceOutage
    stops_at_error : bool
        Whether the first row that fails stops the batch.
    begun : collection of int or None
        Rows whose sending has begun; None if that is not known for rows in progress.
    row_seconds : float or None
        Seconds after which a row counts as lost if no worker has answered; None if all of them answer in
        time.
    """

    most: int
    pace: Pace
    budget: Budget
    stop: BatchStop
    balance: BalanceCheck
    outage: ServiceOutage
    stops_at_error: bool = False
    begun: Collection[int] | None = None
    row_seconds: float | None = None

    @property
    def in_flight(self) -> int:
        """Rows that may be handed out now."""
        return 1 if self.outage.is_probed else self.most

    def unsent(self, rows: Iterable[int]) -> int:
        """Return how many of the rows that were handed out are only prepared."""
        if self.begun is None:
            return 0
        return sum(row not in self.begun for row in rows)
