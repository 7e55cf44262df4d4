"""The log's reads and writes, in SQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from astria_nb.log import _labels as labels
from astria_nb.log import _segments as segments
from astria_nb.log import _serialization as serialization
from astria_nb.log import _submission_rows as submission_rows
from astria_nb.log import environment
from astria_nb.log._bulk import Change, Intent
from astria_nb.log._checksums import check_body
from astria_nb.log._claims import queue_for
from astria_nb.log._group_commit import GroupCommit
from astria_nb.log._inserts import append_event, microseconds, now, put_session, redact_problem
from astria_nb.log._precedents import claimant_of, precedents_of
from astria_nb.log._queries import (
    by_id,
    claimant,
    existing,
    has_later_with_content,
    of_row,
    of_tune,
    parsing,
    polls,
    runs_on,
    session_of,
    unsettled,
    was_returned,
    with_content,
)
from astria_nb.log._reruns import again_if_lost
from astria_nb.log._schema import listed
from astria_nb.log._server_address import LogPath, ServerAddress
from astria_nb.log._sql import LogStore, SqlConnection
from astria_nb.log._sqlite import SqliteStore
from astria_nb.log._states import (
    HAS_TUNE,
    SETTLED,
    Labels,
    Precedents,
    RequestClaimed,
    SameContentRecorded,
    Submission,
)
from astria_nb.log._submission_rows import Moment
from astria_nb.tune import Request
from astria_nb.utils.service_address import recorded_service

# Labels and polls also change a submission, and only their events say when.
_IS_OLD = f"""
    state IN {listed(SETTLED)} AND changed_at < :limit
        AND NOT EXISTS (SELECT 1 FROM event WHERE event.submission = submission.id AND event.at >= :limit)
"""  # noqa: S608  constants
_PRUNE = (
    f"""
    DELETE FROM event WHERE submission IN (SELECT id FROM submission WHERE {_IS_OLD})
        OR submission IS NULL AND at < :limit
    """,  # noqa: S608  constants
    f"DELETE FROM submission WHERE {_IS_OLD}",  # noqa: S608  constants
    """
    DELETE FROM body WHERE NOT (
        EXISTS (SELECT 1 FROM submission WHERE request = body.sha256)
        OR EXISTS (SELECT 1 FROM submission WHERE record = body.sha256)
        OR EXISTS (SELECT 1 FROM event WHERE reply = body.sha256)
    )
    """,
)

if TYPE_CHECKING:
    from astria_nb.log._frame_contents import FrameMemory


class LogDatabase:
    """An open log.

    Parameters
    ----------
    path : Path or ServerAddress
    timeout : float
        Seconds to wait while another process writes.
    """

    def __init__(self, path: LogPath, timeout: float) -> None:
        self.store = _store_at(path, timeout)
        self.frame_memory: FrameMemory | None = None  # of `astria_nb.log._frames`
        self._written_session = ""
        self._group = GroupCommit()

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def plan(
        self, request: Request, newest_known_id: int | None, newest_equal_id: int | None, *, sending: bool
    ) -> Submission:
        """Write the intent; see `astria_nb.log.Log.plan`."""
        recorded = request.recorded()

        def work(connection: SqlConnection, session_id: str) -> Submission:
            new_id = queue_for(connection, recorded)
            if (first := claimant_of(connection, recorded)) is not None:
                raise RequestClaimed(first)
            if newest_equal_id is not None and has_later_with_content(connection, recorded, newest_equal_id):
                raise SameContentRecorded
            moment = Moment.of(session_id)
            new = submission_rows.add(connection, recorded, newest_known_id, moment, new_id, sending=sending)
            append_event(
                connection, "planned", session_id, moment.at, new, {"state": "planned", "attempt": 0}
            )
            if sending:
                append_event(connection, "sending", session_id, moment.at, new)
            return new

        return self._group.run(
            self._write, work, Intent(recorded, newest_known_id, newest_equal_id, sending=sending)
        )

    def change(
        self,
        before: Submission,
        state: str,
        kind: str,
        changes: Mapping[str, int | None],
        reply: Any,
        image_sha256: Sequence[str | None] | None,
        problem: str | None,
    ) -> Submission:
        """Move a submission to another state; see `astria_nb.log.Log.change`."""
        tune = serialization.tune_of(reply) if state in HAS_TUNE else None
        if tune is not None and isinstance(tune.get("id"), int) and changes.get("tune_id") is None:
            changes = {**changes, "tune_id": tune["id"]}

        def work(connection: SqlConnection, session_id: str) -> Submission:
            moment = Moment.of(session_id)
            after = submission_rows.move(
                connection, before, state, moment, changes, tune, image_sha256, redact_problem(problem)
            )
            append_event(connection, kind, session_id, moment.at, after, reply=reply, problem=problem)
            return after

        entry = Change(before, state, kind, changes, tune, reply, image_sha256, problem)
        return self._group.run(self._write, work, entry)

    def record_event(
        self,
        kind: str,
        submission: Submission | None,
        tune_id: int | None,
        service: str | None,
        reply: Any,
        problem: str | None,
        account: str | None = None,
    ) -> None:
        """Write an event that changes no state; see `astria_nb.log.Log.record_event`."""

        def work(connection: SqlConnection, session_id: str) -> None:
            at = now()
            current: Submission | None = None
            if submission is not None:
                current = existing(connection, submission.id)
            elif tune_id is not None and service is not None:
                current = of_tune(connection, recorded_service(service), tune_id, account)
            tune = serialization.tune_of(reply)
            if current is not None and tune is not None:
                if serialization.is_newer(current, tune):
                    submission_rows.record(connection, current, tune)
                if account is not None:
                    submission_rows.own(connection, current, tune, account)
            values = {"tune_id": tune_id, "service": service}
            append_event(connection, kind, session_id, at, current, values, reply=reply, problem=problem)

        self._group.run(self._write, work)

    @again_if_lost
    def register(self) -> str:
        """Write this process's session; see `astria_nb.log.Log.register`."""
        with self._write() as (_, session_id):
            return session_id

    @again_if_lost
    def is_registered(self, session: str) -> bool:
        """Return whether a process has written here."""
        with self.store.reading() as connection:
            return session_of(connection, session) is not None

    @again_if_lost
    def label(
        self,
        numbers: Sequence[int],
        kind: str,
        change: Callable[[Labels], Labels],
        reply: Mapping[str, Any] | None,
    ) -> None:
        """Change the labels of submissions; see `astria_nb.log._labels.change_all`."""
        with self._write() as (connection, session_id):
            labels.change_all(connection, session_id, numbers, kind, change, reply)

    @again_if_lost
    def labels_of(self, id: int) -> Labels:  # noqa: A002  the column's own name
        """Return the labels of a submission."""
        with self.store.reading() as connection:
            return labels.of(connection, id)

    @again_if_lost
    def numbers_of(
        self, tune_id: int | None, prompt_ids: Sequence[int], service: str | None, account: str | None
    ) -> list[int]:
        """Return a row's submission on each service that may have it; see `astria_nb.log._labelling`."""
        with self.store.reading() as connection:
            return of_row(connection, tune_id, prompt_ids, service, account)

    @again_if_lost
    def prompts(self, id: int) -> list[dict[str, Any]]:  # noqa: A002  the column's own name
        """Return the prompts in a submission's polls, each in its latest state, by id."""
        latest: dict[Any, dict[str, Any]] = {}
        with self.store.reading() as connection:
            for event_id, sha256, text in polls(connection, id):
                check_body(sha256, text, f"the reply of event {event_id}")
                if text.startswith("["):
                    with parsing(f"event {event_id}"):
                        prompts = [prompt for prompt in json.loads(text) if isinstance(prompt, dict)]
                    latest |= {prompt["id"]: prompt for prompt in prompts if "id" in prompt}
        return [latest[prompt_id] for prompt_id in sorted(latest, key=str)]

    @again_if_lost
    def find(self, service: str, title: str, account: str | None) -> Submission | None:
        """Return the submission that claims a title."""
        with self.store.reading() as connection:
            return claimant(connection, recorded_service(service), title, account)

    @again_if_lost
    def claimant(self, request: Request) -> Submission | None:
        """Return the submission that claims a request; see `astria_nb.log.Log.claimant`."""
        with self.store.reading() as connection:
            return claimant_of(connection, request.recorded())

    @again_if_lost
    def precedents_of(self, requests: Sequence[Request]) -> list[Precedents]:
        """Return the records about requests; see `astria_nb.log.Log.precedents_of`."""
        with self.store.reading() as connection:
            return precedents_of(connection, [request.recorded() for request in requests])

    @again_if_lost
    def with_content(self, request: Request, limit: int) -> list[Submission]:
        """Return earlier submissions with the same content; see `astria_nb.log.Log.with_content`."""
        with self.store.reading() as connection:
            return with_content(connection, request.recorded(), limit)

    @again_if_lost
    def was_returned(self, id: int) -> bool:  # noqa: A002  the column's own name
        """Return whether a submission's row was returned to its caller; see `astria_nb.log.Log`."""
        with self.store.reading() as connection:
            return was_returned(connection, id)

    @again_if_lost
    def of_tune(self, service: str, tune_id: int, account: str | None) -> Submission | None:
        """Return the submission that made a tune, else one that ran a pack on it."""
        values = recorded_service(service), tune_id, account
        with self.store.reading() as connection:
            return of_tune(connection, *values) or next(runs_on(connection, *values), None)

    @again_if_lost
    def runs_on(self, service: str, tune_id: int, account: str | None) -> list[Submission]:
        """Return the submissions that ran a pack on a tune."""
        with self.store.reading() as connection:
            return list(runs_on(connection, recorded_service(service), tune_id, account))

    @again_if_lost
    def get(self, id: int) -> Submission | None:  # noqa: A002  the column's own name
        """Return a submission."""
        with self.store.reading() as connection:
            return by_id(connection, id)

    @again_if_lost
    def unsettled(self, service: str, account: str | None) -> list[Submission]:
        """Return the unsettled submissions of an account, oldest first."""
        with self.store.reading() as connection:
            return unsettled(connection, recorded_service(service), account)

    @again_if_lost
    def session(self, id: str) -> Mapping[str, Any] | None:  # noqa: A002  the column's own name
        """Return the row of a process that wrote to this log."""
        with self.store.reading() as connection:
            return session_of(connection, id)

    @again_if_lost
    def prune(self, before: datetime) -> int:
        """Delete settled submissions; see `astria_nb.log.Log.prune`."""
        limit = {"limit": microseconds(before)}
        with self.store.writing() as connection:
            count = f"SELECT count(*) FROM submission WHERE {_IS_OLD}"  # noqa: S608  constants
            (pruned,) = connection.execute(count, limit).fetchone()
            for statement in _PRUNE:
                connection.execute(statement, limit)
            segments.compact(connection)
        self.store.shrink()
        return int(pruned)

    @contextmanager
    def _write(self) -> Iterator[tuple[SqlConnection, str]]:
        """Yield a connection in a transaction, and the id of this process's session, which is recorded."""
        current = environment.session()
        with self.store.writing() as connection:
            if self._written_session != current.id:
                put_session(connection, current)
            yield connection, current.id
        self._written_session = current.id


def _store_at(path: LogPath, timeout: float) -> LogStore:
    if isinstance(path, ServerAddress):
        from astria_nb.log.postgres import PostgresStore  # of an extra

        return PostgresStore(path, timeout)
    return SqliteStore(path, timeout)
