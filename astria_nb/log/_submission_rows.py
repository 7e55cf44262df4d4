"""Writing the rows of submissions, each with its new checksum."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from astria_nb.log import _inserts as inserts
from astria_nb.log import _serialization as serialization
from astria_nb.log._checksums import COLUMNS, of_row
from astria_nb.log._queries import existing, to_datetime
from astria_nb.log._schema import MAY_EXIST
from astria_nb.log._sql import Cursor, SqlConnection
from astria_nb.log._statements import Query, Update, insert_into
from astria_nb.log._states import StaleSubmission, Submission
from astria_nb.tune import Request

# As SQLite chooses ids for a column with AUTOINCREMENT: the id of a deleted row is not used again.
NEXT_ID = """
    SELECT 1 + max(
        coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'submission'), 0),
        coalesce((SELECT max(id) FROM submission), 0)
    )
"""
_INSERT = insert_into("submission", (*COLUMNS, "checksum"))
_INSERT_ON_SERVER = insert_into("submission", COLUMNS)
_OPTIONAL = ("attempt", "tune_id", "newest_known_id", "image_sha256", "record")  # used if no value is passed
CHANGED = ("state", "version", "problem", "changed_at", "session", "uptime", *_OPTIONAL)
_MOVE = Update(CHANGED, optional=_OPTIONAL, only_of_version=True)
_RECORD = Update(("record", "sealed"))
_OWN = Update(("account", "sealed"))
_OF_ACCOUNT = Query(
    "SELECT submission.id FROM submission WHERE submission.service = :service "  # noqa: S608  constants
    f"AND submission.title = :title AND submission.account = :account AND {MAY_EXIST}"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a row is written, and by which process."""

    session: str
    at: int
    uptime: int | None

    @classmethod
    def of(cls, session_id: str) -> Moment:
        """Return the current moment."""
        return cls(session_id, inserts.now(), inserts.uptime())

    @property
    def columns(self) -> dict[str, Any]:
        """The columns about a submission's last change."""
        return {"changed_at": self.at, "session": self.session, "uptime": self.uptime}


def add(
    connection: SqlConnection,
    recorded: Request,
    newest_known_id: int | None,
    moment: Moment,
    new_id: Cursor | None,
    *,
    sending: bool,
) -> Submission:
    """Insert a submission, and return it.

    Parameters
    ----------
    connection : SqlConnection
    recorded : Request
        Without secrets.
    newest_known_id : int, optional
    moment : Moment
    new_id : Cursor or None
        From `astria_nb.log._claims.queue_for`.
    sending : bool
        Whether the first attempt starts.
    """
    text = inserts.to_json(serialization.of_request(recorded))
    row = row_of(recorded, newest_known_id, moment, text, sending=sending)
    inserts.put_body(connection, text)
    if isinstance(connection, sqlite3.Connection):
        (row["id"],) = connection.execute(NEXT_ID).fetchone()
        connection.execute(_INSERT, row | {"checksum": of_row(*row.values())})
    else:
        assert new_id is not None
        (row["id"],) = new_id.fetchone()
        connection.execute(_INSERT_ON_SERVER, row)
    return first_version(row, recorded)


def row_of(
    recorded: Request, newest_known_id: int | None, moment: Moment, text: str, *, sending: bool
) -> dict[str, Any]:
    """Return the columns of a new submission, except its id and checksum; `text` is its request's JSON."""
    return dict.fromkeys(COLUMNS) | {
        "service": recorded.service,
        "account": recorded.account,
        "title": recorded.title,
        "state": "sending" if sending else "planned",
        "version": 0,
        "attempt": int(sending),
        "newest_known_id": newest_known_id,
        "request": inserts.hash_of(text),
        "fingerprint": recorded.fingerprint,
        "content_fingerprint": recorded.content_fingerprint,
        "planned_at": moment.at,
        **moment.columns,
    }


def first_version(row: Mapping[str, Any], recorded: Request) -> Submission:
    """Return the submission of a new row."""
    at = to_datetime(row["planned_at"])
    return Submission(
        id=row["id"],
        service=row["service"],
        title=row["title"],
        state=row["state"],
        attempt=row["attempt"],
        tune_id=None,
        newest_known_id=row["newest_known_id"],
        request=recorded,
        planned_at=at,
        changed_at=at,
        record=None,
        problem=None,
        session=row["session"],
        uptime=None if row["uptime"] is None else row["uptime"] / 1e6,
        version=0,
    )


def move(
    connection: SqlConnection,
    before: Submission,
    state: str,
    moment: Moment,
    changes: Mapping[str, int | None],
    tune: Mapping[str, Any] | None,
    image_sha256: Sequence[str | None] | None,
    problem: str | None,
) -> Submission:
    """Move a submission to another state, and return it.

    Parameters
    ----------
    connection : SqlConnection
    before : Submission
    state : str
    moment : Moment
    changes : mapping
        ``attempt``, ``newest_known_id`` and ``tune_id``; None for unchanged values.
    tune : mapping or None
        The fields for its record, if it has a tune.
    image_sha256 : sequence, optional
    problem : str or None
        Without secrets.

    Raises
    ------
    StaleSubmission
        It was changed meanwhile.
    """
    text = None if tune is None else record_text(before, tune, image_sha256)
    row = {
        "id": before.id,
        "of_version": before.version,
        "state": state,
        "version": before.version + 1,
        "problem": problem,
        "image_sha256": json.dumps(list(image_sha256)) if image_sha256 else None,
        "record": None if text is None else inserts.put_body(connection, text),
        **changes,
        **moment.columns,
    }
    if not _MOVE.has_changed(connection, row):
        raise StaleSubmission(existing(connection, before.id))
    if before.version or text is None:
        return existing(connection, before.id)
    return second_version(before, state, moment, changes, text, image_sha256, problem)


def second_version(
    before: Submission,
    state: str,
    moment: Moment,
    changes: Mapping[str, int | None],
    text: str,
    image_sha256: Sequence[str | None] | None,
    problem: str | None,
) -> Submission:
    """Return a new submission after its first change: all its columns are known."""
    new_values: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    return replace(
        before,
        state=state,
        version=1,
        problem=problem,
        request=before.request.with_sha256(image_sha256),
        record=json.loads(text),
        changed_at=to_datetime(moment.at),
        session=moment.session,
        uptime=None if moment.uptime is None else moment.uptime / 1e6,
        **new_values,
    )


def record(connection: SqlConnection, current: Submission, tune: Mapping[str, Any]) -> None:
    """Write a newer tune as a submission's record; its segment is then outdated."""
    text = inserts.to_safe_json(serialization.updated(current, tune))
    row = {"id": current.id, "record": inserts.put_body(connection, text), "sealed": None}
    _RECORD.run(connection, row)


def own(connection: SqlConnection, current: Submission, tune: Mapping[str, Any], account: str) -> None:
    """Write the account of a submission of unknown account, if a tune that it was asked for is its own.

    Parameters
    ----------
    connection : SqlConnection
    current : Submission
    tune : mapping
        As the service answered it to a key of the account.
    account : str
    """
    titles = current.title, (current.record or {}).get("title")
    is_shown = tune.get("id") == current.tune_id and tune.get("status") != "deleted"
    if current.request.account is not None or not is_shown or tune.get("title") not in titles:
        return
    row = {"id": current.id, "service": current.service, "title": current.title, "account": account}
    if current.title is None or _OF_ACCOUNT.first(connection, **row) is None:  # else its claim is taken
        _OWN.run(connection, {"id": current.id, "account": account, "sealed": None})


def record_text(
    before: Submission, tune: Mapping[str, Any], image_sha256: Sequence[str | None] | None
) -> str:
    """Return the JSON of a submission's record, once it has a tune."""
    return inserts.to_safe_json(record_fields(before, tune, image_sha256))


def record_fields(
    before: Submission, tune: Mapping[str, Any], image_sha256: Sequence[str | None] | None
) -> dict[str, Any]:
    """Return the fields of a submission's record, once it has a tune."""
    fields = serialization.updated(before, serialization.row_fields(tune))
    if image_sha256:
        fields["image_sha256"] = list(image_sha256)
    return fields
