"""What the log writes and reads, in SQL."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from astria_nb import redaction, rows, surroundings
from astria_nb.log_schema import body, event, session, submission
from astria_nb.log_states import RELEASED, SETTLED, StaleSubmission, Submission, TitleClaimed
from astria_nb.log_store import Store
from astria_nb.request import ImageRecord, Request

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_asked, _told = body.alias("asked"), body.alias("told")
_SUBMISSIONS = (
    sa.select(submission, _asked.c.json.label("asked"), _told.c.json.label("told"))
    .join(_asked, _asked.c.sha256 == submission.c.request)
    .outerjoin(_told, _told.c.sha256 == submission.c.record)
)


class Book:
    """An open log.

    Parameters
    ----------
    path : Path
    timeout : float
        Seconds to wait while another process writes.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self.store = Store(path, timeout)
        self._written_session = ""

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def plan(self, request: Request, newest_known_id: int | None) -> Submission:
        """Write the intent; see `astria_nb.log.Log.plan`."""
        kept = request.recorded()
        with self._write() as (connection, me):
            claimant = _claimant(connection, kept.service, kept.title) if kept.title is not None else None
            if claimant is not None:
                raise TitleClaimed(claimant)
            now = _now()
            made = connection.execute(
                submission.insert().values(
                    service=kept.service,
                    title=kept.title,
                    state="planned",
                    version=0,
                    attempt=0,
                    newest_known_id=newest_known_id,
                    request=_put(connection, _request_json(kept)),
                    fingerprint=kept.fingerprint,
                    planned_at=now,
                    changed_at=now,
                    session=me,
                )
            )
            planned = _one(connection, submission.c.id == made.lastrowid)
            _append(connection, "planned", me, now, planned)
        return planned

    def change(
        self,
        seen: Submission,
        state: str,
        kind: str,
        news: Mapping[str, int | None],
        reply: Any,
        image_sha256: Sequence[str | None] | None,
        problem: str | None,
    ) -> Submission:
        """Move a submission; see `astria_nb.log.Log.change`."""
        values: dict[str, Any] = {key: value for key, value in news.items() if value is not None}
        tune = _tune(reply) if state in ("done", "adopted") else None
        if tune is not None and isinstance(tune.get("id"), int):
            values.setdefault("tune_id", tune["id"])
        if image_sha256:
            values["image_sha256"] = json.dumps(list(image_sha256))
        with self._write() as (connection, me):
            now = _now()
            if tune is not None:
                record = {**(seen.record or _ours(seen.request)), **_known(tune)}
                if image_sha256:
                    record["image_sha256"] = list(image_sha256)
                values["record"] = _put(connection, redaction.json(record))
            moved = connection.execute(
                submission.update()
                .where(submission.c.id == seen.id, submission.c.version == seen.version)
                .values(
                    state=state,
                    version=seen.version + 1,
                    changed_at=now,
                    session=me,
                    problem=_safe(problem),
                    **values,
                )
            )
            changed = _one(connection, submission.c.id == seen.id)
            if moved.rowcount != 1:
                raise StaleSubmission(changed)
            _append(connection, kind, me, now, changed, reply=reply, problem=problem)
        return changed

    def note(
        self,
        kind: str,
        seen: Submission | None,
        tune_id: int | None,
        service: str | None,
        reply: Any,
        problem: str | None,
    ) -> None:
        """Write an event that changes no state; see `astria_nb.log.Log.note`."""
        with self._write() as (connection, me):
            now = _now()
            about: Submission | None = None
            if seen is not None:
                about = _one(connection, submission.c.id == seen.id)
            elif tune_id is not None and service is not None:
                is_of_tune = (submission.c.tune_id == tune_id) & (submission.c.service == service.rstrip("/"))
                about = _first(connection, is_of_tune)
            tune = _tune(reply)
            if about is not None and tune is not None and _is_news(about, tune):
                record = _put(connection, redaction.json({**(about.record or _ours(about.request)), **tune}))
                connection.execute(
                    submission.update().where(submission.c.id == about.id).values(record=record)
                )
            other = {"tune_id": tune_id, "service": service}
            _append(connection, kind, me, now, about, other, reply=reply, problem=problem)

    def find(self, service: str, title: str) -> Submission | None:
        """Return the submission that claims a title."""
        with self.store.read() as connection:
            return _claimant(connection, redaction.text(service), title)

    def get(self, id: int) -> Submission | None:  # noqa: A002  the column's own name
        """Return a submission."""
        with self.store.read() as connection:
            return _first(connection, submission.c.id == id)

    def in_states(self, service: str, states: Sequence[str]) -> list[Submission]:
        """Return the submissions of a service in one of some states, oldest first."""
        wanted = (submission.c.service == redaction.text(service)) & submission.c.state.in_(states)
        with self.store.read() as connection:
            found = connection.execute(_SUBMISSIONS.where(wanted).order_by(submission.c.id))
            return [_read(row._asdict()) for row in found]

    def session(self, id: str) -> Mapping[str, Any] | None:  # noqa: A002  the column's own name
        """Return what is known of a process that wrote here."""
        with self.store.read() as connection:
            found = connection.execute(session.select().where(session.c.id == id)).first()
            return None if found is None else found._asdict()

    def prune(self, before: datetime) -> int:
        """Forget what is settled; see `astria_nb.log.Log.prune`."""
        moment = (before - _EPOCH) // _MICROSECOND
        old = submission.c.state.in_(SETTLED) & (submission.c.changed_at < moment)
        used = [
            sa.exists().where(column == body.c.sha256)
            for column in (submission.c.request, submission.c.record, event.c.reply)
        ]
        with self.store.write() as connection:
            gone = event.c.submission.in_(sa.select(submission.c.id).where(old))
            stray = event.c.submission.is_(None) & (event.c.at < moment)
            connection.execute(event.delete().where(gone | stray))
            pruned = connection.execute(submission.delete().where(old)).rowcount
            connection.execute(body.delete().where(~sa.or_(*used)))
        return int(pruned)

    @contextmanager
    def _write(self) -> Iterator[tuple[sa.Connection, str]]:
        """Yield a connection in a transaction, and the id of this process's session, which is written."""
        me = surroundings.session()
        with self.store.write() as connection:
            if self._written_session != me.id:
                values = asdict(me) | {
                    "started_at": _microseconds(me.started_at),
                    "packages": json.dumps(dict(me.packages)),
                }
                connection.execute(insert(session).values(values).on_conflict_do_nothing())
            yield connection, me.id
        self._written_session = me.id


def moment(microseconds: int) -> datetime:
    """Return a stored time."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _now() -> int:
    return _microseconds(datetime.now(UTC))


def _put(connection: sa.Connection, value: Any) -> bytes:
    """Store JSON once, whatever refers to it, and return its hash."""
    text = json.dumps(value, separators=(",", ":"), default=str)
    sha256 = hashlib.sha256(text.encode()).digest()
    connection.execute(insert(body).values(sha256=sha256, json=text).on_conflict_do_nothing())
    return sha256


def _append(
    connection: sa.Connection,
    kind: str,
    me: str,
    at: int,
    about: Submission | None,
    other: Mapping[str, Any] | None = None,
    *,
    reply: Any = None,
    problem: str | None = None,
) -> None:
    values = dict(other or {})
    if about is not None:
        values = {
            "submission": about.id,
            "service": about.service,
            "title": about.title,
            "tune_id": about.tune_id if values.get("tune_id") is None else values["tune_id"],
            "attempt": about.attempt,
            "state": about.state,
            "fingerprint": about.request.fingerprint,
        }
    if isinstance(values.get("service"), str):
        values["service"] = redaction.text(values["service"])
    values["reply"] = None if reply is None else _put(connection, redaction.json(reply))
    connection.execute(
        event.insert().values(kind=redaction.text(kind), at=at, session=me, problem=_safe(problem), **values)
    )


def _claimant(connection: sa.Connection, service: str, title: str) -> Submission | None:
    same = (submission.c.service == service) & (submission.c.title == title)
    return _first(connection, same & submission.c.state.not_in(RELEASED))


def _first(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Submission | None:
    found = connection.execute(_SUBMISSIONS.where(where).order_by(submission.c.id.desc()).limit(1))
    row = found.first()
    return None if row is None else _read(row._asdict())


def _one(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Submission:
    found = _first(connection, where)
    if found is None:
        raise KeyError("there is no such submission; was it pruned?")
    return found


def _read(row: Mapping[str, Any]) -> Submission:
    asked = json.loads(row["asked"])
    images = tuple(ImageRecord(**image) for image in asked.pop("images"))
    known = json.loads(row["image_sha256"]) if row["image_sha256"] else None
    request = Request(**asked, images=images, recorded_fingerprint=row["fingerprint"]).with_sha256(known)
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
        version=row["version"],
    )


def _request_json(request: Request) -> dict[str, Any]:
    fields = {key: getattr(request, key) for key in ("service", "pack", "title", "encoding", "parameters")}
    return {**fields, "images": [asdict(image) for image in request.images], "redacted": request.redacted}


def _ours(request: Request) -> dict[str, Any]:
    """Return what is known of a tune before the service answered."""
    asked = request.parameters
    ours = {"title": request.title, "name": asked.get("name"), "pack": request.pack}
    return {**ours, "encoding": request.encoding, "tune_ids": asked.get("tune_ids")}


def _tune(reply: Any) -> dict[str, Any] | None:
    """Return the tune that a reply tells of; a callback's is wrapped (astria-api, section 9)."""
    if isinstance(reply, Mapping) and isinstance(reply.get("tune"), Mapping):
        reply = reply["tune"]
    return dict(reply) if isinstance(reply, Mapping) else None


def _known(tune: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields for a row: all of a tune; of a run that made none only those that rows know."""
    return (
        tune if tune.get("id") is not None else {key: tune[key] for key in tune.keys() & set(rows.TUNE.names)}
    )


def _is_news(about: Submission, tune: Mapping[str, Any]) -> bool:
    if about.tune_id is None or tune.get("id") != about.tune_id:
        return False
    before, after = ((each or {}).get("updated_at") for each in (about.record, tune))
    # Times of one service, in one form: their order is that of the text.
    return not (isinstance(before, str) and isinstance(after, str)) or before <= after


def _safe(problem: str | None) -> str | None:
    # Half of a surrogate pair, as in a strange file name, cannot be stored as text.
    return None if problem is None else redaction.text(problem).encode("utf-8", "replace").decode()
