"""Queries that return submissions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from astria_nb.log import _serialization as serialization
from astria_nb.log._checksums import DamagedError, check_body, check_row
from astria_nb.log._schema import body, event, submission
from astria_nb.log._statements import Query
from astria_nb.log._states import HAS_TUNE, RELEASED, UNSETTLED, Submission
from astria_nb.tune import Request

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RETURNED = "returned"
"""The kind of the event that a row which may have been lost was handed to its caller."""


def _literals(states: Sequence[str]) -> list[sa.ColumnElement[str]]:
    """Return states as a part of the statement.

    SQLite uses a partial index only for literals, and SQLAlchemy would compile each list of parameters again.
    """
    return [sa.literal_column(f"'{state}'", sa.Text) for state in states]


_request_body, _record_body = body.alias("request_body"), body.alias("record_body")
_SUBMISSIONS = (
    sa.select(
        submission,
        _request_body.c.json.label("request_json"),
        _record_body.c.json.label("record_json"),
    )
    # An inner join would hide a submission whose body is missing.
    .outerjoin(_request_body, _request_body.c.sha256 == submission.c.request)
    .outerjoin(_record_body, _record_body.c.sha256 == submission.c.record)
)
_account: sa.BindParameter[str | None] = sa.bindparam("of_account", type_=sa.Text)
_of_service = sa.and_(
    submission.c.service == sa.bindparam("of_service"),
    _account.is_(None) | submission.c.account.is_(None) | (submission.c.account == _account),
)
_OF_SERVICE = _SUBMISSIONS.where(_of_service)
_is_unsettled = submission.c.state.in_(_literals(UNSETTLED))
_may_exist = submission.c.state.not_in(_literals(RELEASED))
_has_content = submission.c.content_fingerprint == sa.bindparam("of_content")
_WITH_CONTENT = _OF_SERVICE.where(_has_content, _may_exist).order_by(submission.c.id.desc())

_BY_ID = Query(_SUBMISSIONS.where(submission.c.id == sa.bindparam("of_id")))
_OF_TUNE = Query(
    _OF_SERVICE.where(submission.c.tune_id == sa.bindparam("of_tune")).order_by(submission.c.id.desc())
)
_RUNS_ON = Query(
    _OF_SERVICE.where(
        submission.c.tune_id.is_(None),
        submission.c.state.in_(_literals(HAS_TUNE)),
        _request_body.c.json.contains(sa.bindparam("of_digits")),
    ).order_by(submission.c.id.desc())
)
_UNSETTLED = Query(_OF_SERVICE.where(_is_unsettled).order_by(submission.c.id))
_ANY_UNSETTLED = Query(sa.select(submission.c.id).where(_of_service, _is_unsettled))
_CLAIMANT = Query(_OF_SERVICE.where(submission.c.title == sa.bindparam("of_title"), _may_exist))
# Older releases recorded titles with the blanks around them. First and last of each range of white space.
_BLANKS = (
    *("\t\r", "\x1c ", "\x85\x85", "\xa0\xa0", "\u1680\u1680"),
    *("\u2000\u200a", "\u2028\u2029", "\u202f\u202f", "\u205f\u205f", "\u3000\u3000"),
)
_title: sa.BindParameter[str] = sa.bindparam("of_title", type_=sa.Text)
# A query for each range: one with `or` would read all titles of the service.
_WITH_BLANKS = Query(
    sa.union_all(
        *(
            sa.select(submission.c.title).where(
                submission.c.service == sa.bindparam("of_service"),
                submission.c.title >= before + ends[0],
                submission.c.title < before + chr(ord(ends[1]) + 1),
                _may_exist,
            )
            for ends in _BLANKS
            for before in (sa.literal("", sa.Text), _title)
        )
    )
)
_LATEST_WITH_CONTENT = Query(_WITH_CONTENT.limit(sa.bindparam("of_limit", type_=sa.Integer)))
_LATER_WITH_CONTENT = Query(
    sa.select(submission.c.id).where(
        submission.c.id > sa.bindparam("of_id"), _has_content, _of_service, _may_exist
    )
)
_is_returned = sa.exists().where(event.c.submission == submission.c.id, event.c.kind == RETURNED)
_CLAIMING_RUN = Query(
    _WITH_CONTENT.where(
        submission.c.title.is_(None), ~(submission.c.state.in_(_literals(HAS_TUNE)) & _is_returned)
    )
)
_RETURNED = Query(
    sa.select(event.c.id).where(event.c.submission == sa.bindparam("of_id"), event.c.kind == RETURNED)
)
# Rows of format 3. Without the service, so that the index of the states is used.
_OLD_CLAIMING_RUNS = Query(
    _SUBMISSIONS.where(
        submission.c.state.in_(_literals((*UNSETTLED, "needs_review"))),
        submission.c.title.is_(None),
        submission.c.content_fingerprint.is_(None),
    ).order_by(submission.c.id.desc())
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


def claimant(
    connection: sa.Connection, service: str, title: str, account: str | None = None
) -> Submission | None:
    """Return the submission that claims a title, perhaps recorded with blanks around it, or None."""
    values = {"of_service": service, "of_account": account}
    exact = _first(connection, _CLAIMANT, of_title=title, **values)
    if exact is not None or title != title.strip():
        return exact
    for row in list(_WITH_BLANKS.rows(connection, of_service=service, of_title=title)):
        if row["title"].strip() == title:
            older = _first(connection, _CLAIMANT, of_title=row["title"], **values)
            if older is not None:
                return older
    return None


def claiming_run(connection: sa.Connection, request: Request) -> Submission | None:
    """Return the latest equal run without a title that may exist and was not handed to its caller, or None.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    request : Request
        Without secrets.
    """
    service, content = request.service, request.content_fingerprint
    values = {"of_service": service, "of_content": content, "of_account": request.account}
    run = _first(connection, _CLAIMING_RUN, **values)
    if run is not None:
        return run
    candidates = map(_read, _OLD_CLAIMING_RUNS.rows(connection))
    wanted = service, content
    return next((run for run in candidates if (run.service, run.request.content_fingerprint) == wanted), None)


def with_content(connection: sa.Connection, request: Request, limit: int) -> list[Submission]:
    """Return the latest submissions that may exist and ask for the same, by fields and sizes."""
    values = {
        "of_service": request.service,
        "of_content": request.content_fingerprint,
        "of_account": request.account,
    }
    return list(map(_read, _LATEST_WITH_CONTENT.rows(connection, of_limit=limit, **values)))


def has_later_with_content(connection: sa.Connection, request: Request, id: int) -> bool:  # noqa: A002
    """Return whether a submission that asks for the same, and may exist, was recorded after another."""
    values = {
        "of_id": id,
        "of_service": request.service,
        "of_content": request.content_fingerprint,
        "of_account": request.account,
    }
    return _LATER_WITH_CONTENT.first(connection, **values) is not None


def was_returned(connection: sa.Connection, id: int) -> bool:  # noqa: A002  the column's own name
    """Return whether the row of a submission was handed to its caller."""
    return _RETURNED.first(connection, of_id=id) is not None


def of_tune(
    connection: sa.Connection, service: str, tune_id: int, account: str | None = None
) -> Submission | None:
    """Return the submission that made a tune, or None."""
    return _first(connection, _OF_TUNE, of_service=service, of_tune=tune_id, of_account=account)


def run_on(
    connection: sa.Connection, service: str, tune_id: int, account: str | None = None
) -> Submission | None:
    """Return the latest submission that ran a pack on a tune, or None."""
    # The SQL finds the digits anywhere in the request.
    values = {"of_service": service, "of_digits": str(tune_id), "of_account": account}
    for candidate in map(_read, _RUNS_ON.rows(connection, **values)):
        if tune_id in (candidate.request.parameters.get("tune_ids") or ()):
            return candidate
    return None


def unsettled(connection: sa.Connection, service: str, account: str | None) -> list[Submission]:
    """Return the unsettled submissions of an account, oldest first."""
    return list(map(_read, _UNSETTLED.rows(connection, of_service=service, of_account=account)))


def has_unsettled(connection: sa.Connection, service: str, account: str | None) -> bool:
    """Return whether `unsettled` has any."""
    return _ANY_UNSETTLED.first(connection, of_service=service, of_account=account) is not None


@contextmanager
def parsing(what: str) -> Iterator[None]:
    """Report what cannot be parsed as damage: it was JSON and numbers when it was written.

    Raises
    ------
    DamagedError
        Instead of any error of parsing.
    """
    try:
        yield
        return
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        pass
    raise DamagedError(f"{what} is not what was written")


def to_datetime(microseconds: int) -> datetime:
    """Return a stored time."""
    return EPOCH + timedelta(microseconds=microseconds)


def _first(connection: sa.Connection, query: Query, **values: Any) -> Submission | None:
    row = query.first(connection, **values)
    return None if row is None else _read(row)


def _read(row: Mapping[str, Any]) -> Submission:
    name = f"submission {row['id']}"
    check_row(row)
    check_body(row["request"], row["request_json"], f"the request of {name}")
    check_body(row["record"], row["record_json"], f"the record of {name}")
    with parsing(name):
        return to_submission(row)


def to_submission(row: Mapping[str, Any]) -> Submission:
    """Return a submission of the values of its columns, and of the JSON of its request and its record."""
    return Submission(
        id=row["id"],
        service=row["service"],
        title=row["title"],
        state=row["state"],
        attempt=row["attempt"],
        tune_id=row["tune_id"],
        newest_known_id=row["newest_known_id"],
        request=serialization.to_request(
            row["request_json"], row["fingerprint"], row["image_sha256"], row["service"], row["account"]
        ),
        planned_at=to_datetime(row["planned_at"]),
        changed_at=to_datetime(row["changed_at"]),
        record=json.loads(row["record_json"]) if row["record_json"] else None,
        problem=row["problem"],
        session=row["session"],
        uptime=None if row["uptime"] is None else row["uptime"] / 1e6,
        version=row["version"],
    )
