"""Submissions as they are read from the log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from astria_nb.images.preprocessing import UNCHANGED, Preprocessing
from astria_nb.log.schema import body, submission
from astria_nb.log.states import RELEASED, Submission
from astria_nb.tune.request import ImageRecord, Request

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_asked, _told = body.alias("asked"), body.alias("told")
_SUBMISSIONS = (
    sa.select(submission, _asked.c.json.label("asked"), _told.c.json.label("told"))
    .join(_asked, _asked.c.sha256 == submission.c.request)
    .outerjoin(_told, _told.c.sha256 == submission.c.record)
)
# Built once: that takes longer than running them.
_BY_ID = _SUBMISSIONS.where(submission.c.id == sa.bindparam("of_id"))
_OF_SERVICE = _SUBMISSIONS.where(submission.c.service == sa.bindparam("of_service"))
_OF_TUNE = (
    _OF_SERVICE.where(submission.c.tune_id == sa.bindparam("of_tune"))
    .order_by(submission.c.id.desc())
    .limit(1)
)
_RUNS_ON = _OF_SERVICE.where(
    submission.c.tune_id.is_(None),
    submission.c.state.in_(("done", "adopted")),
    _asked.c.json.contains(sa.bindparam("of_digits")),
).order_by(submission.c.id.desc())
_CLAIMANT = _OF_SERVICE.where(
    submission.c.title == sa.bindparam("of_title"), submission.c.state.not_in(RELEASED)
)


def by_id(connection: sa.Connection, id: int) -> Submission | None:  # noqa: A002  the column's own name
    """Return a submission, or None."""
    return _first(connection, _BY_ID, of_id=id)


def one(connection: sa.Connection, id: int) -> Submission:  # noqa: A002  the column's own name
    """Return a submission that was there.

    Raises
    ------
    KeyError
        It was pruned.
    """
    found = by_id(connection, id)
    if found is None:
        raise KeyError(id)
    return found


def claimant(connection: sa.Connection, service: str, title: str) -> Submission | None:
    """Return the submission that claims a title, or None."""
    return _first(connection, _CLAIMANT, of_service=service, of_title=title)


def of_tune(connection: sa.Connection, service: str, tune_id: int) -> Submission | None:
    """Return the submission that made a tune, or None."""
    return _first(connection, _OF_TUNE, of_service=service, of_tune=tune_id)


def run_on(connection: sa.Connection, service: str, tune_id: int) -> Submission | None:
    """Return the latest submission that ran a pack on a tune, or None."""
    runs = connection.execute(_RUNS_ON, {"of_service": service, "of_digits": str(tune_id)})
    found = (_read(row._asdict()) for row in runs)
    return next((each for each in found if tune_id in (each.request.parameters.get("tune_ids") or ())), None)


def in_states(connection: sa.Connection, service: str, states: Sequence[str]) -> list[Submission]:
    """Return the submissions of a service in one of some states, oldest first."""
    query = _OF_SERVICE.where(submission.c.state.in_(states)).order_by(submission.c.id)
    return [_read(row._asdict()) for row in connection.execute(query, {"of_service": service})]


def moment(microseconds: int) -> datetime:
    """Return a stored time."""
    return EPOCH + timedelta(microseconds=microseconds)


def _first(connection: sa.Connection, query: sa.Select[Any], **values: Any) -> Submission | None:
    row = connection.execute(query, values).first()
    return None if row is None else _read(row._asdict())


def _read(row: Mapping[str, Any]) -> Submission:
    asked = json.loads(row["asked"])
    images = tuple(ImageRecord(**image) for image in asked.pop("images"))
    preprocessing = Preprocessing(**asked.pop("treatment")) if "treatment" in asked else UNCHANGED
    known = json.loads(row["image_sha256"]) if row["image_sha256"] else None
    request = Request(
        **asked, images=images, preprocessing=preprocessing, recorded_fingerprint=row["fingerprint"]
    ).with_sha256(known)
    return Submission(
        id=row["id"],
        service=row["service"],
        title=row["title"],
        state=row["state"],
        attempt=row["attempt"],
        tune_id=row["tune_id"],
        newest_known_id=row["newest_known_id"],
        request=request,
        planned_at=moment(row["planned_at"]),
        changed_at=moment(row["changed_at"]),
        record=json.loads(row["told"]) if row["told"] else None,
        problem=row["problem"],
        session=row["session"],
        uptime=None if row["uptime"] is None else row["uptime"] / 1e6,
        version=row["version"],
    )
