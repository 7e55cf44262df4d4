"""Queries that return submissions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from astria_nb.log import _serialization as serialization
from astria_nb.log._schema import body, submission
from astria_nb.log._states import RELEASED, Submission

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_request_body, _record_body = body.alias("request_body"), body.alias("record_body")
_SUBMISSIONS = (
    sa.select(
        submission,
        _request_body.c.json.label("request_json"),
        _record_body.c.json.label("record_json"),
    )
    .join(_request_body, _request_body.c.sha256 == submission.c.request)
    .outerjoin(_record_body, _record_body.c.sha256 == submission.c.record)
)
# Building a statement takes longer than running it.
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
    _request_body.c.json.contains(sa.bindparam("of_digits")),
).order_by(submission.c.id.desc())
_CLAIMANT = _OF_SERVICE.where(
    submission.c.title == sa.bindparam("of_title"), submission.c.state.not_in(RELEASED)
)


def by_id(connection: sa.Connection, id: int) -> Submission | None:  # noqa: A002  the column's own name
    """Return a submission, or None."""
    return _first(connection, _BY_ID, of_id=id)


def existing(connection: sa.Connection, id: int) -> Submission:  # noqa: A002  the column's own name
    """Return a submission that was in the log before.

    Raises
    ------
    KeyError
        It was pruned in the meantime.
    """
    current = by_id(connection, id)
    if current is None:
        raise KeyError(id)
    return current


def claimant(connection: sa.Connection, service: str, title: str) -> Submission | None:
    """Return the submission that claims a title, or None."""
    return _first(connection, _CLAIMANT, of_service=service, of_title=title)


def of_tune(connection: sa.Connection, service: str, tune_id: int) -> Submission | None:
    """Return the submission that made a tune, or None."""
    return _first(connection, _OF_TUNE, of_service=service, of_tune=tune_id)


def run_on(connection: sa.Connection, service: str, tune_id: int) -> Submission | None:
    """Return the latest submission that ran a pack on a tune, or None."""
    # The SQL finds the digits anywhere in the request.
    rows = connection.execute(_RUNS_ON, {"of_service": service, "of_digits": str(tune_id)})
    for candidate in (_read(row._asdict()) for row in rows):
        if tune_id in (candidate.request.parameters.get("tune_ids") or ()):
            return candidate
    return None


def in_states(connection: sa.Connection, service: str, states: Sequence[str]) -> list[Submission]:
    """Return the submissions of a service in one of some states, oldest first."""
    query = _OF_SERVICE.where(submission.c.state.in_(states)).order_by(submission.c.id)
    return [_read(row._asdict()) for row in connection.execute(query, {"of_service": service})]


def to_datetime(microseconds: int) -> datetime:
    """Return a stored time."""
    return EPOCH + timedelta(microseconds=microseconds)


def _first(connection: sa.Connection, query: sa.Select[Any], **values: Any) -> Submission | None:
    row = connection.execute(query, values).first()
    return None if row is None else _read(row._asdict())


def _read(row: Mapping[str, Any]) -> Submission:
    return Submission(
        id=row["id"],
        service=row["service"],
        title=row["title"],
        state=row["state"],
        attempt=row["attempt"],
        tune_id=row["tune_id"],
        newest_known_id=row["newest_known_id"],
        request=serialization.to_request(row["request_json"], row["fingerprint"], row["image_sha256"]),
        planned_at=to_datetime(row["planned_at"]),
        changed_at=to_datetime(row["changed_at"]),
        record=json.loads(row["record_json"]) if row["record_json"] else None,
        problem=row["problem"],
        session=row["session"],
        uptime=None if row["uptime"] is None else row["uptime"] / 1e6,
        version=row["version"],
    )
