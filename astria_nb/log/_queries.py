"""Reading submissions: each is checked, and is either as written or an error."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from astria_nb.errors import Problem
from astria_nb.log import _selects as selects
from astria_nb.log import _serialization as serialization
from astria_nb.log._checksums import DamagedError, check_body, check_row
from astria_nb.log._errors import NoSubmissionError
from astria_nb.log._sql import SqlConnection
from astria_nb.log._statements import Query
from astria_nb.log._states import Submission
from astria_nb.tune import Request
from astria_nb.utils.service_address import is_same_service

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def by_id(connection: SqlConnection, id: int) -> Submission | None:  # noqa: A002  the column's own name
    """Return a submission, or None."""
    return _first(connection, selects.BY_ID, of_id=id)


def existing(connection: SqlConnection, id: int) -> Submission:  # noqa: A002  the column's own name
    """Return a submission that was in the log before.

    Raises
    ------
    NoSubmissionError
        It was pruned in the meantime.
    """
    current = by_id(connection, id)
    if current is None:
        what, hint = f"no longer has submission {id}: it was pruned", "log.frame() lists those that it has"
        raise NoSubmissionError(Problem("log", what, hint, kind="not_found"))
    return current


def claimant(
    connection: SqlConnection, service: str, title: str, account: str | None = None
) -> Submission | None:
    """Return the submission that claims a title, perhaps recorded with surrounding blanks, or None."""
    values = {"of_service": service, "of_account": account}
    if not isinstance(connection, sqlite3.Connection):
        return _first(connection, selects.CLAIMANT_ON_SERVER, of_title=title, **values)
    exact = _first(connection, selects.CLAIMANT, of_title=title, **values)
    if exact is not None or title != title.strip():
        return exact
    for row in list(selects.WITH_BLANKS.rows(connection, of_service=service, of_title=title)):
        if row["title"].strip() == title:
            older = _first(connection, selects.CLAIMANT, of_title=row["title"], **values)
            if older is not None:
                return older
    return None


def claiming_run(connection: SqlConnection, request: Request) -> Submission | None:
    """Return the latest equal run without a title that may exist and was not returned to its caller, or None.

    Parameters
    ----------
    connection : SqlConnection
    request : Request
        Without secrets.
    """
    service, content = request.service, request.content_fingerprint
    run = _first(connection, selects.CLAIMING_RUN, **_of_content(request))
    if run is not None:
        return run
    candidates = map(_read, selects.OLD_CLAIMING_RUNS.rows(connection))
    wanted = service, content
    return next((run for run in candidates if (run.service, run.request.content_fingerprint) == wanted), None)


def with_content(connection: SqlConnection, request: Request, limit: int) -> list[Submission]:
    """Return the latest submissions that may exist and ask for the same, by fields and sizes."""
    rows = selects.LATEST_WITH_CONTENT.rows(connection, of_limit=limit, **_of_content(request))
    return list(map(_read, rows))


def has_later_with_content(connection: SqlConnection, request: Request, id: int) -> bool:  # noqa: A002
    """Return whether a submission that asks for the same, and may exist, was recorded after another."""
    return selects.LATER_WITH_CONTENT.first(connection, of_id=id, **_of_content(request)) is not None


def was_returned(connection: SqlConnection, id: int) -> bool:  # noqa: A002  the column's own name
    """Return whether the row of a submission was returned to its caller."""
    return selects.RETURNS.first(connection, of_id=id) is not None


def polls(connection: SqlConnection, id: int) -> Iterator[tuple[int, Any, Any]]:  # noqa: A002
    """Yield the polls of a submission, in order: the event's id, the reply's hash, and its JSON."""
    return ((row["id"], row["reply"], row["json"]) for row in selects.POLLS.rows(connection, of_id=id))


def session_of(connection: SqlConnection, id: str) -> Mapping[str, Any] | None:  # noqa: A002
    """Return the row of a process that wrote to this log, or None."""
    return selects.SESSION.first(connection, of_id=id)


def of_tune(
    connection: SqlConnection, service: str, tune_id: int, account: str | None = None
) -> Submission | None:
    """Return the submission that made a tune, or None."""
    return _first(connection, selects.OF_TUNE, of_service=service, of_tune=tune_id, of_account=account)


def runs_on(
    connection: SqlConnection, service: str, tune_id: int, account: str | None = None
) -> Iterator[Submission]:
    """Yield the submissions that ran a pack on a tune, latest first."""
    # The SQL finds the digits anywhere in the request.
    values = {"of_service": service, "of_digits": str(tune_id), "of_account": account}
    for candidate in map(_read, selects.RUNS_ON.rows(connection, **values)):
        if tune_id in (candidate.request.parameters.get("tune_ids") or ()):
            yield candidate


def of_row(
    connection: SqlConnection,
    tune_id: int | None,
    prompt_ids: Collection[int],
    service: str | None,
    account: str | None,
) -> list[int]:
    """Return the latest submission of a row for each service that may have it.

    Parameters
    ----------
    connection : SqlConnection
    tune_id : int or None
        None for a run on existing tunes, which has its own prompts.
    prompt_ids : collection of int
    service, account : str or None
        None if unknown.
    """
    matching: Iterator[Submission]
    if tune_id is None:
        recorded = map(_read, selects.RUNS.rows(connection)) if prompt_ids else iter(())
        matching = (run for run in recorded if (run.record or {}).get("prompt_ids") == list(prompt_ids))
    else:
        matching = map(_read, selects.ALL_OF_TUNE.rows(connection, of_tune=tune_id))
    latest: dict[str, int] = {}
    for candidate in matching:
        is_of_account = account is None or candidate.request.account in (None, account)
        if is_of_account and (service is None or is_same_service(service, candidate.service)):
            latest.setdefault(candidate.service, candidate.id)
    return [*latest.values()]


def unsettled(connection: SqlConnection, service: str, account: str | None) -> list[Submission]:
    """Return the unsettled submissions of an account, oldest first."""
    return list(map(_read, selects.ALL_UNSETTLED.rows(connection, of_service=service, of_account=account)))


def has_unsettled(connection: SqlConnection, service: str, account: str | None) -> bool:
    """Return whether `unsettled` would return any."""
    return selects.ANY_UNSETTLED.first(connection, of_service=service, of_account=account) is not None


@contextmanager
def parsing(what: str) -> Iterator[None]:
    """Report data that cannot be parsed as damage: it was valid when it was written.

    Raises
    ------
    DamagedError
        In place of any parsing error.
    """
    try:
        yield
        return
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        pass
    raise DamagedError(f"{what} does not match what was written")


def to_datetime(microseconds: int) -> datetime:
    """Return a stored time."""
    return EPOCH + timedelta(microseconds=microseconds)


def _of_content(request: Request) -> dict[str, str | None]:
    return {
        "of_service": request.service,
        "of_content": request.content_fingerprint,
        "of_former_content": request.former_content_fingerprint,
        "of_account": request.account,
    }


def _first(connection: SqlConnection, query: Query, **values: Any) -> Submission | None:
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
    """Return a submission from the values of its columns, and the JSON of its request and its record."""
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
