"""Queries that return submissions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from astria_nb.log import _serialization as serialization
from astria_nb.log._schema import body, event, submission
from astria_nb.log._states import HAS_TUNE, RELEASED, UNSETTLED, Submission
from astria_nb.tune import Request

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RETURNED = "returned"
"""The kind of the event that the row of a run without a title was handed to its caller."""
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
    submission.c.state.in_(HAS_TUNE),
    _request_body.c.json.contains(sa.bindparam("of_digits")),
).order_by(submission.c.id.desc())
_CLAIMANT = _OF_SERVICE.where(
    submission.c.title == sa.bindparam("of_title"), submission.c.state.not_in(RELEASED)
)
_WITH_CONTENT = _OF_SERVICE.where(
    submission.c.content_fingerprint == sa.bindparam("of_content"), submission.c.state.not_in(RELEASED)
).order_by(submission.c.id.desc())
_WAS_RETURNED = sa.exists().where(event.c.submission == submission.c.id, event.c.kind == RETURNED)
_CLAIMING_RUN = _WITH_CONTENT.where(
    submission.c.title.is_(None), ~(submission.c.state.in_(HAS_TUNE) & _WAS_RETURNED)
)
# Rows of format 3. Without the service, so that the index of the states is used.
_OLD_CLAIMING_RUNS = _SUBMISSIONS.where(
    submission.c.state.in_((*UNSETTLED, "needs_review")),
    submission.c.title.is_(None),
    submission.c.content_fingerprint.is_(None),
).order_by(submission.c.id.desc())


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


def claiming_run(connection: sa.Connection, request: Request) -> Submission | None:
    """Return the latest equal run without a title that may exist and was not handed to its caller, or None.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    request : Request
        Without secrets.
    """
    service, content = request.service, request.content_fingerprint
    run = _first(connection, _CLAIMING_RUN, of_service=service, of_content=content)
    if run is not None:
        return run
    candidates = (_read(row._asdict()) for row in connection.execute(_OLD_CLAIMING_RUNS))
    wanted = service, content
    return next((run for run in candidates if (run.service, run.request.content_fingerprint) == wanted), None)


def with_content(connection: sa.Connection, request: Request, limit: int) -> list[Submission]:
    """Return the latest submissions that may exist and ask for the same, by fields and sizes."""
    query = _WITH_CONTENT.limit(limit)
    values = {"of_service": request.service, "of_content": request.content_fingerprint}
    return [_read(row._asdict()) for row in connection.execute(query, values)]


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
