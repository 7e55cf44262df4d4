"""The log's records about requests that are about to be sent; with many requests, most are new."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from astria_nb.log._inserts import to_json
from astria_nb.log._queries import claimant, claiming_run, has_later_with_content, has_unsettled
from astria_nb.log._sql import SqlConnection
from astria_nb.log._states import RELEASED, Precedents, Submission
from astria_nb.tune import Request

_FEW = 8  # up to this many requests, queries about all of them do not pay off
_OLDEST_SQLITE = (3, 38)  # with JSON
_RELEASED = ", ".join(f"'{state}'" for state in RELEASED)
_MAY_EXIST = f"state NOT IN ({_RELEASED})"
# Each returns one row: Python lets other threads run before each row, and waits for its turn afterwards.
_TITLES = f"""
    SELECT json_group_array(title) FROM submission WHERE {_MAY_EXIST} AND service = :service
        AND title IN (SELECT value FROM json_each(:values))
"""  # noqa: S608  names of states
_CONTENTS = f"""
    SELECT json_group_array(content_fingerprint) FROM submission WHERE {_MAY_EXIST} AND service = :service
        AND content_fingerprint IN (SELECT value FROM json_each(:values))
"""  # noqa: S608  names of states
_BLANKS = "".join(chr(number) for number in range(0x3001) if chr(number).isspace())
_HAS_BLANKS = "SELECT EXISTS (SELECT 1 FROM submission WHERE title <> trim(title, :blanks))"


def precedents_of(connection: SqlConnection, requests: Sequence[Request]) -> list[Precedents]:
    """Return the log's records about each of several requests.

    Parameters
    ----------
    connection : SqlConnection
    requests : sequence of Request
        Without secrets.
    """
    concerned = _concerned(connection, requests)
    unsettled: dict[tuple[str, str | None], bool] = {}
    for request in requests:
        account = request.service, request.account
        if account not in unsettled:
            unsettled[account] = has_unsettled(connection, *account)
    return [
        Precedents(
            claimant=claimant_of(connection, request) if is_concerned else None,
            has_equal=is_concerned and has_later_with_content(connection, request, 0),
            has_unsettled=unsettled[request.service, request.account],
        )
        for request, is_concerned in zip(requests, concerned, strict=True)
    ]


def claimant_of(connection: SqlConnection, request: Request) -> Submission | None:
    """Return the submission that claims a title, or a run without one."""
    if request.title is None:
        return claiming_run(connection, request)
    return claimant(connection, request.service, request.title, request.account)


def can_ask_at_once(connection: SqlConnection) -> bool:
    """Return whether `taken_titles` may be used: the database has JSON, and no title has surrounding blanks.

    Older releases recorded titles with blanks, which are found one by one. The whole table is read.
    """
    if not isinstance(connection, sqlite3.Connection) or sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        return False
    (has_blanks,) = connection.execute(_HAS_BLANKS, {"blanks": _BLANKS}).fetchone()
    return not has_blanks


def taken_titles(connection: SqlConnection, service: str, titles: Iterable[str]) -> set[str]:
    """Return which of some titles, without surrounding blanks, a submission to a service may have."""
    return _recorded(connection, _TITLES, service, titles)


def _concerned(connection: SqlConnection, requests: Sequence[Request]) -> list[bool]:
    """Return for each request whether the log may have a record about it."""
    services = {request.service for request in requests}
    if len(requests) < _FEW or len(services) > 1 or not can_ask_at_once(connection):
        return [True] * len(requests)
    (service,) = services
    titles = [request.title for request in requests if request.title is not None]
    taken = taken_titles(connection, service, titles)
    contents = [{one.content_fingerprint, one.former_content_fingerprint} for one in requests]
    known = _recorded(connection, _CONTENTS, service, set[str]().union(*contents))
    return [
        request.title is None
        or request.title in taken
        or request.title != request.title.strip()
        or not content.isdisjoint(known)
        for request, content in zip(requests, contents, strict=True)
    ]


def _recorded(connection: SqlConnection, query: str, service: str, values: Iterable[str]) -> set[str]:
    (recorded,) = connection.execute(query, {"service": service, "values": to_json([*values])}).fetchone()
    return {*json.loads(recorded)}
