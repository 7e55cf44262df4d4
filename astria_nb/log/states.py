"""A submission, and the states that it goes through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from astria_nb.tune.request import Request

STATES: dict[str, tuple[str, ...]] = {
    "planned": ("sending", "rejected", "not_sent", "unknown", "adopted", "needs_review"),
    # Back to planned: the service said no for now (429), nothing is under way.
    "sending": ("sending", "planned", "done", "rejected", "not_sent", "unknown", "adopted", "needs_review"),
    "unknown": ("unknown", "sending", "not_sent", "adopted", "needs_review"),
    "needs_review": ("unknown", "sending", "not_sent", "adopted"),
    "done": (),
    "adopted": (),
    "rejected": (),
    "not_sent": (),
}
"""The states of a submission, and where each may lead."""
UNSETTLED = ("planned", "sending", "unknown")
RELEASED = ("rejected", "not_sent")
"""Nothing exists on the service, so that the title may be used again."""
SETTLED = tuple(state for state, after in STATES.items() if not after)


@dataclass(frozen=True, slots=True)
class Submission:
    """One request for a tune, in its latest state.

    Attributes
    ----------
    id : int
        In its log.
    service : str
    title : str or None
        None for a run on existing tunes.
    state : str
        ``planned``, ``sending``, ``done``, ``rejected``, ``not_sent``, ``unknown``, ``adopted`` or
        ``needs_review``.
    attempt : int
        How often it was sent, or is about to be.
    tune_id : int or None
    newest_known_id : int or None
        The account's newest tune before the first byte was sent: this one can only be newer.
    request : Request
        As it was recorded, with the hashes of its files where they are known.
    planned_at, changed_at : datetime
        UTC.
    record : dict or None
        The service's latest word on the tune, with our own ``pack, encoding, image_sha256, tune_ids``; what
        `astria_nb.rows.tune_frame` takes. None before the service answered.
    problem : str or None
        What went wrong last.
    session : str
        The process that changed it last; see `Log.is_abandoned`.
    uptime : float or None
        Seconds from the start of that process's machine to the last change; see `Log.age`.
    version : int
        Counts the changes.
    """

    id: int
    service: str
    title: str | None
    state: str
    attempt: int
    tune_id: int | None
    newest_known_id: int | None
    request: Request
    planned_at: datetime
    changed_at: datetime
    record: dict[str, Any] | None
    problem: str | None
    session: str
    uptime: float | None
    version: int


class TitleClaimed(Exception):  # noqa: N818  not at fault: it tells who was first
    """Another submission of this title may exist on the service."""

    def __init__(self, submission: Submission) -> None:
        super().__init__(f"submission {submission.id} ({submission.state})")
        self.submission = submission


class StaleSubmission(Exception):  # noqa: N818  not at fault: it tells what is so
    """Somebody else changed the submission in the meantime; here is how it stands."""

    def __init__(self, submission: Submission) -> None:
        super().__init__(f"submission {submission.id} ({submission.state})")
        self.submission = submission
