"""A submission and its states."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from astria_nb.tune import Request

STATES: dict[str, tuple[str, ...]] = {
    "planned": ("sending", "rejected", "not_sent", "unknown", "adopted", "needs_review"),
    # Back to planned: the service temporarily refused it (429), so nothing is in flight.
    "sending": ("sending", "planned", "done", "rejected", "not_sent", "unknown", "adopted", "needs_review"),
    "unknown": ("unknown", "sending", "not_sent", "adopted", "needs_review"),
    "needs_review": ("unknown", "sending", "not_sent", "adopted"),
    "done": (),
    "adopted": (),
    "rejected": (),
    "not_sent": (),
}
"""The states of a submission, and the states that may follow each."""
UNSETTLED = ("planned", "sending", "unknown")
RELEASED = ("rejected", "not_sent")
"""Nothing exists on the service, so the title may be used again."""
HAS_TUNE = ("done", "adopted")
"""The requested tune exists on the service."""
SETTLED = tuple(state for state, after in STATES.items() if not after)


@dataclass(frozen=True, slots=True)
class Submission:
    """One request for a tune, in its latest state.

    Attributes
    ----------
    id : int
        Its number in the log.
    service : str
    title : str or None
        None for a run on existing tunes.
    state : str
        ``planned``, ``sending``, ``done``, ``rejected``, ``not_sent``, ``unknown``, ``adopted`` or
        ``needs_review``.
    attempt : int
        Number of times it was sent, including the one about to start.
    tune_id : int or None
    newest_known_id : int or None
        The account's newest tune before the first byte was sent: this submission's tune is newer.
    request : Request
        As recorded, with the hashes of its files if known.
    planned_at, changed_at : datetime
        UTC.
    record : dict or None
        The latest state of the tune that the service sent, with our own ``pack, encoding, image_sha256,
        tune_ids``, in the form for `astria_nb.rows.tune_frame`. None before the service answered.
    problem : str or None
        The latest error.
    session : str
        Id of the process that last changed it; see `Log.is_abandoned`.
    uptime : float or None
        Seconds from that process's machine's boot to the last change; see `Log.age`.
    version : int
        Number of changes since it was planned.
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

    @property
    def own_fields(self) -> dict[str, Any]:
        """The fields of the tune that are known without the service's answer."""
        parameters = self.request.parameters
        return {
            "title": self.title,
            "name": parameters.get("name"),
            "pack": self.request.pack,
            "encoding": self.request.encoding,
            "tune_ids": parameters.get("tune_ids"),
        }

    @property
    def origin(self) -> dict[str, str | None]:
        """The origin of its tune: the ``service`` and the ``account`` of the row."""
        return {"service": self.service, "account": self.request.account}


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a submission.

    Attributes
    ----------
    tags : tuple of str
        In the order in which they were added.
    note : str or None
    hidden : bool
    """

    tags: tuple[str, ...] = ()
    note: str | None = None
    hidden: bool = False

    @property
    def json(self) -> str | None:
        """The labels as they are stored; None if there are none."""
        return None if self == Labels() else json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | None) -> Labels:
        """Return stored labels."""
        if text is None:
            return cls()
        stored = json.loads(text)
        return cls(tuple(stored["tags"]), stored["note"], bool(stored["hidden"]))


@dataclass(frozen=True, slots=True)
class Precedents:
    """The log's records about a request that is about to be sent.

    Attributes
    ----------
    claimant : Submission or None
        As `Log.claimant` returns it.
    has_equal : bool
        Whether `Log.with_content` returns any.
    has_unsettled : bool
        Whether `Log.unsettled` returns any for its service and account.
    """

    claimant: Submission | None
    has_equal: bool
    has_unsettled: bool


class RequestClaimed(Exception):  # noqa: N818  carries the first submission
    """Another submission with this title, or of this run without a title, may exist on the service."""

    def __init__(self, submission: Submission) -> None:
        super().__init__(f"submission {submission.id} ({submission.state})")
        self.submission = submission


class SameContentRecorded(Exception):  # noqa: N818  the caller compares again
    """Another submission with the same content, under any title, was recorded meanwhile."""


class StaleSubmission(Exception):  # noqa: N818  carries the current submission
    """The submission was changed by another thread or process in the meantime; has the new state."""

    def __init__(self, submission: Submission) -> None:
        super().__init__(f"submission {submission.id} ({submission.state})")
        self.submission = submission
