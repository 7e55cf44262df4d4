"""What holds a batch back."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from astria_nb.submission.batch._budget import Budget
from astria_nb.submission.batch._pace import Pace


@dataclass(slots=True)
class Limits:
    """What holds a batch back.

    Attributes
    ----------
    in_flight : int
        Rows that may be under way at once.
    pace : Pace
    budget : Budget
    stop : threading.Event
        Set to hand out no more rows.
    stops_at_error : bool
        Whether the first row that fails stops the batch.
    row_seconds : float or None
        After which a row counts as lost if no worker has answered; None where all of them answer in time.
    """

    in_flight: int
    pace: Pace
    budget: Budget
    stop: threading.Event
    stops_at_error: bool = False
    row_seconds: float | None = None
