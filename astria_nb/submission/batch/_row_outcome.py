"""The outcome of one tune of a batch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from astria_nb.errors import (
    ApiError,
    AstriaError,
    NotSentError,
    OutcomeUnknownError,
    TuneError,
    UnreachableError,
)
from astria_nb.log import HAS_TUNE, Submission
from astria_nb.utils.arguments import parse_whole

_ACCOUNT_STATUSES = (401, 402)  # its key is not accepted, or it has no credit


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """The outcome of one tune of a batch; workers return it to the process that called `submit_many`.

    Attributes
    ----------
    state : str
        State of the submission, as in the log; ``invalid`` for a row with problems, which is not sent.
    submission : int or None
        Its number in the log; None if it was not recorded.
    planned_at : datetime or None
        When it was first recorded, in UTC.
    text : str or None
        The `record`, as JSON: thousands of them are kept until the frame is made, and a dict takes three
        times the memory.
    error : AstriaError or None
    retry_after : float or None
        Seconds that the service asked to wait before this tune is sent.
    cost_mc : int or None
        Its cost in millicents according to the service; None if the service does not report it.
    found : str
        A description of the tune, if only the account had its title: it may belong to somebody else. Empty
        otherwise.
    older : str
        A description of the tune that the service answered with, if it existed before. Empty otherwise.
    problem : str
        The problem in the log, such as how its answer was lost. Empty otherwise.
    """

    state: str
    submission: int | None = None
    planned_at: datetime | None = None
    text: str | None = None
    error: AstriaError | None = None
    retry_after: float | None = None
    cost_mc: int | None = None
    found: str = ""
    older: str = ""
    problem: str = ""

    @property
    def has_tune(self) -> bool:
        """Whether the requested tune exists on the service."""
        return self.state in HAS_TUNE

    @property
    def is_lost(self) -> bool:
        """Whether it may exist on the service, and has to be looked up."""
        return self.state in ("planned", "sending", "unknown", "needs_review")

    @property
    def has_lost_answer(self) -> bool:
        """Whether it was sent, but the service's answer does not show the outcome."""
        return self.state == "unknown" and self.error is None

    @property
    def is_unreached(self) -> bool:
        """Whether the connection failed, and may work the next time."""
        return isinstance(self.error, NotSentError) and not isinstance(self.error, UnreachableError)

    @property
    def concerns_all(self) -> bool:
        """Whether every other row of the account would fail in the same way."""
        is_refused = isinstance(self.error, ApiError) and self.error.status in _ACCOUNT_STATUSES
        return is_refused or isinstance(self.error, UnreachableError)

    @property
    def record(self) -> dict[str, Any] | None:
        """The record from which the row is made, with the service and the account."""
        return None if self.text is None else json.loads(self.text)


def of_submission(submission: Submission) -> RowOutcome:
    """Return the outcome of a submission according to the log."""
    record = {**submission.own_fields, **(submission.record or {}), **submission.origin}
    cost = parse_whole(record.get("cost_mc"))
    return RowOutcome(
        submission.state,
        submission.id,
        submission.planned_at,
        json.dumps(record),
        cost_mc=cost if cost is not None and cost > 0 else None,
        problem=submission.problem or "",
    )


def of_error(error: AstriaError, *, was_sent: bool) -> RowOutcome:
    """Return the outcome of a tune whose submission raised an error.

    Parameters
    ----------
    error : AstriaError
    was_sent : bool
        Whether the whole request was sent.
    """
    if isinstance(error, OutcomeUnknownError):
        state = "unknown"
    elif isinstance(error, TuneError | NotSentError) or not was_sent:
        state = "not_sent"
    else:
        state = "rejected" if hasattr(error, "status") else "unknown"
    return RowOutcome(state, error=error)
