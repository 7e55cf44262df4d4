"""What became of one tune of a batch."""

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
    """What became of one tune of a batch; it travels from a worker to the process that has the frame.

    Attributes
    ----------
    state : str
        Of the submission, as in the log; ``invalid`` for a row that is not sent as it is.
    submission : int or None
        Its number in the log; None if it was not recorded.
    planned_at : datetime or None
        When it was recorded first, in UTC.
    text : str or None
        The `record`, as JSON: thousands of them are kept until the frame is made, and a dict takes three
        times the memory.
    error : AstriaError or None
    retry_after : float or None
        Seconds that the service asked to wait before this tune is sent.
    cost_mc : int or None
        What the service says that it cost, in millicents; None if it does not say.
    found : str
        Which tune of the account it is, in words, if only the account had its title: it may be somebody
        else's. Empty otherwise.
    older : str
        Which tune the service answered with, in words, if it was there before. Empty otherwise.
    problem : str
        What the log says of it, such as how its answer was lost. Empty otherwise.
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
        """Whether what was asked for exists on the service."""
        return self.state in HAS_TUNE

    @property
    def is_lost(self) -> bool:
        """Whether it may exist on the service: it has to be looked for."""
        return self.state in ("planned", "sending", "unknown", "needs_review")

    @property
    def has_lost_answer(self) -> bool:
        """Whether it was sent, and the service gave no answer that says what became of it."""
        return self.state == "unknown" and self.error is None

    @property
    def is_unreached(self) -> bool:
        """Whether the connection failed, as it may not the next time."""
        return isinstance(self.error, NotSentError) and not isinstance(self.error, UnreachableError)

    @property
    def concerns_all(self) -> bool:
        """Whether every other row of the account would end in the same way."""
        is_refused = isinstance(self.error, ApiError) and self.error.status in _ACCOUNT_STATUSES
        return is_refused or isinstance(self.error, UnreachableError)

    @property
    def record(self) -> dict[str, Any] | None:
        """What the row is made of, with the service and the account."""
        return None if self.text is None else json.loads(self.text)


def of_submission(submission: Submission) -> RowOutcome:
    """Return the outcome of a submission, as far as the log knows it."""
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
