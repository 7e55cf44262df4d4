"""Inserts of events and JSON bodies, and the clocks that their rows carry."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from astria_nb.log import _machine as machine
from astria_nb.log._queries import EPOCH
from astria_nb.log._schema import event
from astria_nb.log._sql import SqlConnection
from astria_nb.log._statements import insert_into
from astria_nb.log._states import Submission
from astria_nb.log.environment import Session
from astria_nb.utils.redaction import is_harmless, redact_json, redact_text

_MICROSECOND = timedelta(microseconds=1)
_JSON = json.JSONEncoder(separators=(",", ":"), default=str)  # `json.dumps` would create one each time
_redacted_name = lru_cache(64)(redact_text)  # cached for services and kinds of events, which are few
_EVENT = {name: None for name in event.columns if name != "id"}
APPEND_EVENT = insert_into("event", _EVENT)
_PUT = f"{insert_into('body', ('sha256', 'json'))} ON CONFLICT DO NOTHING"


def microseconds(at: datetime) -> int:
    """Return a time as the log stores it."""
    return (at - EPOCH) // _MICROSECOND


def now() -> int:
    """Return the time of day as the log stores it."""
    return microseconds(datetime.now(UTC))


def uptime() -> int | None:
    """Return this machine's uptime in microseconds, rounded up, or None if unknown."""
    seconds = machine.uptime()
    return None if seconds is None else math.ceil(seconds * 1e6)


def to_json(value: Any) -> str:
    """Return a value as the log stores it."""
    return _JSON.encode(value)


def to_safe_json(value: Any) -> str:
    """Return a value as the log stores it, without secrets."""
    text = to_json(value)
    return text if is_harmless(text) else to_json(redact_json(value))


def put_body(connection: SqlConnection, text: str) -> bytes:
    """Store JSON only once, however many rows refer to it, and return its hash."""
    sha256 = hash_of(text)
    connection.execute(_PUT, {"sha256": sha256, "json": text})
    return sha256


def hash_of(text: str) -> bytes:
    """Return the reference from a row to a JSON body."""
    return hashlib.sha256(text.encode()).digest()


def put_session(connection: SqlConnection, current: Session) -> None:
    """Store the facts about a process, once."""
    row = asdict(current) | {
        "started_at": microseconds(current.started_at),
        "packages": json.dumps(dict(current.packages)),
    }
    connection.execute(f"{insert_into('session', row)} ON CONFLICT DO NOTHING", row)


def append_event(
    connection: SqlConnection,
    kind: str,
    session_id: str,
    at: int,
    current: Submission | None,
    values: Mapping[str, Any] | None = None,
    *,
    reply: Any = None,
    problem: str | None = None,
) -> None:
    """Insert an event; that of a submission carries its current state.

    Parameters
    ----------
    connection : SqlConnection
    kind : str
    session_id : str
    at : int
        Time from `now`.
    current : Submission, optional
    values : mapping, optional
        The columns that differ from the submission's state; for an event that may not belong to one, its
        ``tune_id`` and ``service``.
    reply : JSON, optional
    problem : str, optional
    """
    row = dict(values or {})
    if current is not None:
        changes = {name: value for name, value in row.items() if value is not None and name != "service"}
        row = of_submission(current) | changes
    elif isinstance(row.get("service"), str):
        row["service"] = _redacted_name(row["service"])
    row["reply"] = None if reply is None else put_body(connection, to_safe_json(reply))
    connection.execute(APPEND_EVENT, event_row(kind, session_id, at, row, problem))


def of_submission(current: Submission) -> dict[str, Any]:
    """Return the columns of an event that carry the current state of a submission."""
    return {
        "submission": current.id,
        "service": _redacted_name(current.service),
        "title": current.title,
        "tune_id": current.tune_id,
        "attempt": current.attempt,
        "state": current.state,
        "fingerprint": current.request.fingerprint,
    }


def event_row(
    kind: str, session_id: str, at: int, values: Mapping[str, Any], problem: str | None = None
) -> dict[str, Any]:
    """Return the columns of an event; `values` are those that not every kind has."""
    row = {"kind": _redacted_name(kind), "at": at, "session": session_id, "problem": redact_problem(problem)}
    return {**_EVENT, **row, **values}


def redact_problem(problem: str | None) -> str | None:
    """Return an error message in a form that can be stored."""
    # A lone surrogate, as in an undecodable file name, cannot be stored as text.
    return None if problem is None else redact_text(problem).encode("utf-8", "replace").decode()
