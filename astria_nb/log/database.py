"""What the log writes and reads, in SQL."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from astria_nb.log import environment, segments, serialization
from astria_nb.log.queries import EPOCH, by_id, claimant, in_states, of_tune, one, run_on
from astria_nb.log.schema import body, event, session, submission
from astria_nb.log.sqlite import Store
from astria_nb.log.states import SETTLED, StaleSubmission, Submission, TitleClaimed
from astria_nb.tune.request import Request
from astria_nb.utils.redaction import redact_json, redact_text

_MICROSECOND = timedelta(microseconds=1)
# Built once: that takes longer than running them.
_PUT = insert(body).on_conflict_do_nothing()
_PLAN = submission.insert()
_APPEND = event.insert()
_CHANGE = submission.update().where(
    submission.c.id == sa.bindparam("of_id"), submission.c.version == sa.bindparam("of_version")
)
_RECORD = submission.update().where(submission.c.id == sa.bindparam("of_id"))


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

    def plan(self, request: Request, newest_known_id: int | None, *, sending: bool) -> Submission:
        """Write the intent; see `astria_nb.log.Log.plan`."""
        kept = request.recorded()
        with self._write() as (connection, me):
            first = claimant(connection, kept.service, kept.title) if kept.title is not None else None
            if first is not None:
                raise TitleClaimed(first)
            now = _now()
            state, attempt = ("sending", 1) if sending else ("planned", 0)
            made = connection.execute(
                _PLAN,
                {
                    "service": kept.service,
                    "title": kept.title,
                    "state": state,
                    "version": 0,
                    "attempt": attempt,
                    "newest_known_id": newest_known_id,
                    "request": _put(connection, serialization.of_request(kept)),
                    "fingerprint": kept.fingerprint,
                    "planned_at": now,
                    "changed_at": now,
                    "uptime": _uptime(),
                    "session": me,
                },
            )
            found = one(connection, made.lastrowid)
            _append(connection, "planned", me, now, replace(found, state="planned", attempt=0))
            if sending:
                _append(connection, "sending", me, now, found)
        return found

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
        tune = serialization.tune_of(reply) if state in ("done", "adopted") else None
        if tune is not None and isinstance(tune.get("id"), int):
            values.setdefault("tune_id", tune["id"])
        if image_sha256:
            values["image_sha256"] = json.dumps(list(image_sha256))
        with self._write() as (connection, me):
            now = _now()
            if tune is not None:
                record = serialization.updated(seen, serialization.known(tune))
                if image_sha256:
                    record["image_sha256"] = list(image_sha256)
                values["record"] = _put(connection, redact_json(record))
            moved = connection.execute(
                _CHANGE,
                {
                    "of_id": seen.id,
                    "of_version": seen.version,
                    "state": state,
                    "version": seen.version + 1,
                    "changed_at": now,
                    "uptime": _uptime(),
                    "session": me,
                    "problem": _safe(problem),
                    **values,
                },
            )
            changed = one(connection, seen.id)
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
                about = one(connection, seen.id)
            elif tune_id is not None and service is not None:
                about = of_tune(connection, redact_text(service.rstrip("/")), tune_id)
            tune = serialization.tune_of(reply)
            if about is not None and tune is not None and serialization.is_news(about, tune):
                record = _put(connection, redact_json(serialization.updated(about, tune)))
                connection.execute(_RECORD, {"of_id": about.id, "record": record, "sealed": None})
            other = {"tune_id": tune_id, "service": service}
            _append(connection, kind, me, now, about, other, reply=reply, problem=problem)

    def prompts(self, id: int) -> list[dict[str, Any]]:  # noqa: A002  the column's own name
        """Return the prompts that looks at a submission's tune told of, each in its latest state."""
        looks = (
            sa.select(body.c.json)
            .join(event, event.c.reply == body.c.sha256)
            .where(event.c.submission == id, event.c.kind == "poll", body.c.json.startswith("["))
            .order_by(event.c.id)
        )
        with self.store.read() as connection:
            texts = connection.execute(looks).scalars().all()
        told = (
            each for text in texts for each in json.loads(text) if isinstance(each, dict) and "id" in each
        )
        found = {each["id"]: each for each in told}
        return [found[key] for key in sorted(found, key=str)]

    def find(self, service: str, title: str) -> Submission | None:
        """Return the submission that claims a title."""
        with self.store.read() as connection:
            return claimant(connection, redact_text(service), title)

    def of_tune(self, service: str, tune_id: int) -> Submission | None:
        """Return the submission that made a tune, else one that ran a pack on it."""
        service = redact_text(service)
        with self.store.read() as connection:
            return of_tune(connection, service, tune_id) or run_on(connection, service, tune_id)

    def get(self, id: int) -> Submission | None:  # noqa: A002  the column's own name
        """Return a submission."""
        with self.store.read() as connection:
            return by_id(connection, id)

    def in_states(self, service: str, states: Sequence[str]) -> list[Submission]:
        """Return the submissions of a service in one of some states, oldest first."""
        with self.store.read() as connection:
            return in_states(connection, redact_text(service), states)

    def session(self, id: str) -> Mapping[str, Any] | None:  # noqa: A002  the column's own name
        """Return what is known of a process that wrote here."""
        with self.store.read() as connection:
            found = connection.execute(session.select().where(session.c.id == id)).first()
            return None if found is None else found._asdict()

    def prune(self, before: datetime) -> int:
        """Forget what is settled; see `astria_nb.log.Log.prune`."""
        moment = (before - EPOCH) // _MICROSECOND
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
            segments.compact(connection)
        return int(pruned)

    @contextmanager
    def _write(self) -> Iterator[tuple[sa.Connection, str]]:
        """Yield a connection in a transaction, and the id of this process's session, which is written."""
        me = environment.session()
        with self.store.write() as connection:
            if self._written_session != me.id:
                values = asdict(me) | {
                    "started_at": _microseconds(me.started_at),
                    "packages": json.dumps(dict(me.packages)),
                }
                connection.execute(insert(session).values(values).on_conflict_do_nothing())
            yield connection, me.id
        self._written_session = me.id


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // _MICROSECOND


def _now() -> int:
    return _microseconds(datetime.now(UTC))


def _uptime() -> int | None:
    seconds = environment.uptime()
    return None if seconds is None else math.ceil(seconds * 1e6)


def _put(connection: sa.Connection, value: Any) -> bytes:
    """Store JSON once, whatever refers to it, and return its hash."""
    text = json.dumps(value, separators=(",", ":"), default=str)
    sha256 = hashlib.sha256(text.encode()).digest()
    connection.execute(_PUT, {"sha256": sha256, "json": text})
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
        values["service"] = redact_text(values["service"])
    values["reply"] = None if reply is None else _put(connection, redact_json(reply))
    connection.execute(
        _APPEND,
        {"kind": redact_text(kind), "at": at, "session": me, "problem": _safe(problem), **values},
    )


def _safe(problem: str | None) -> str | None:
    # Half of a surrogate pair, as in a strange file name, cannot be stored as text.
    return None if problem is None else redact_text(problem).encode("utf-8", "replace").decode()
