"""Writing the records of several threads to a file together, with one statement per table.

Python lets other threads run during each step of SQLite, and waits for its turn afterwards. With many
threads, that takes longer than the work.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from astria_nb.log import _inserts as inserts
from astria_nb.log import _serialization as serialization
from astria_nb.log import _submission_rows as submission_rows
from astria_nb.log._checksums import COLUMNS, of_row
from astria_nb.log._precedents import can_ask_at_once, taken_titles
from astria_nb.log._schema import body, event, submission
from astria_nb.log._sql import SqlConnection
from astria_nb.log._states import Submission
from astria_nb.log._submission_rows import CHANGED, NEXT_ID, Moment
from astria_nb.tune import Request

_EVENT = [name for name in event.columns if name != "id"]
_BODY = [*body.columns]
_SUBMISSION = (*COLUMNS, "checksum")


@dataclass(frozen=True, slots=True)
class Intent:
    """A submission to record; see `astria_nb.log.Log.plan`."""

    recorded: Request
    newest_known_id: int | None
    newest_equal_id: int | None
    sending: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a submission to record; see `astria_nb.log.Log.change`."""

    before: Submission
    state: str
    kind: str
    numbers: Mapping[str, int | None]
    tune: Mapping[str, Any] | None
    reply: Any
    image_sha256: Sequence[str | None] | None
    problem: str | None


class ChangedMeanwhile(Exception):  # noqa: N818  then each is tried separately
    """A submission was changed by another process: nothing was written together."""


class BulkWriter:
    """Writes the usual intents and changes of one process; unusual ones are left for individual writing.

    Runs without a title, titles that are taken or requested twice, comparisons of content, and changes of
    submissions that another process changed are left.
    """

    def __init__(self) -> None:
        # The rows that this process wrote and has not changed, by their ids.
        self._rows: dict[int, dict[str, Any]] = {}
        self._is_usable: bool | None = None

    def write(
        self, connection: SqlConnection, session_id: str, entries: Sequence[Intent | Change | None]
    ) -> list[Submission | None]:
        """Write what can be written together, and return the submissions; None for items that are left.

        Raises
        ------
        ChangedMeanwhile
            The transaction has to be rolled back.
        """
        results: list[Submission | None] = [None] * len(entries)
        if not isinstance(connection, sqlite3.Connection) or not any(entries):
            return results
        if self._is_usable is None:
            self._is_usable = can_ask_at_once(connection)
        if not self._is_usable:
            return results
        moment = Moment.of(session_id)
        batch = _Statements(connection, session_id, moment)
        for index, intent in self._intents(connection, entries).items():
            new = batch.add(intent)
            self._rows[new["id"]] = new
            results[index] = batch.planned[-1]
        for index, entry in enumerate(entries):
            if isinstance(entry, Change) and (row := self._own_row(entry)) is not None:
                results[index] = batch.change(entry, row)
        batch.run()
        return results

    def _intents(
        self, connection: sqlite3.Connection, entries: Iterable[Intent | Change | None]
    ) -> dict[int, Intent]:
        """Return the intents whose titles are free, by their index."""
        intents: dict[str, tuple[int, Intent]] = {}
        wanted_twice: set[str] = set()
        service: str | None = None
        for index, entry in enumerate(entries):
            if not isinstance(entry, Intent) or entry.newest_equal_id is not None:
                continue
            title, service = entry.recorded.title, service or entry.recorded.service
            if title is None or title != title.strip() or entry.recorded.service != service:
                continue
            wanted_twice.update({title} & intents.keys())
            intents[title] = index, entry
        if service is None:
            return {}
        left = taken_titles(connection, service, intents) | wanted_twice
        return {index: intent for title, (index, intent) in intents.items() if title not in left}

    def _own_row(self, change: Change) -> dict[str, Any] | None:
        if change.before.version or change.tune is None:
            return None
        return self._rows.pop(change.before.id, None)


class _Statements:
    """Rows of all tables that are about to be written."""

    def __init__(self, connection: sqlite3.Connection, session_id: str, moment: Moment) -> None:
        self._connection, self._session_id, self._moment = connection, session_id, moment
        self._next_id: int | None = None
        self._bodies: dict[bytes, str] = {}
        self._submissions: list[dict[str, Any]] = []
        self._changes: list[list[Any]] = []
        self._events: list[dict[str, Any]] = []
        self.planned: list[Submission] = []

    def add(self, intent: Intent) -> dict[str, Any]:
        """Add a submission, and return its row."""
        text = inserts.to_json(serialization.of_request(intent.recorded))
        row = submission_rows.row_of(
            intent.recorded, intent.newest_known_id, self._moment, text, sending=intent.sending
        )
        if self._next_id is None:
            (self._next_id,) = self._connection.execute(NEXT_ID).fetchone()
        row["id"], self._next_id = self._next_id, self._next_id + 1
        row["checksum"] = of_row(*(row[name] for name in COLUMNS))
        self._bodies[row["request"]] = text
        self._submissions.append(row)
        new = submission_rows.first_version(row, intent.recorded)
        self._add_event("planned", inserts.of_submission(new) | {"state": "planned", "attempt": 0})
        if intent.sending:
            self._add_event("sending", inserts.of_submission(new))
        self.planned.append(new)
        return row

    def change(self, change: Change, row: Mapping[str, Any]) -> Submission:
        """Add the first change of a submission whose row is known, and return the changed submission."""
        assert change.tune is not None
        before, problem = change.before, inserts.redact_problem(change.problem)
        fields = submission_rows.record_fields(before, change.tune, change.image_sha256)
        text = inserts.to_safe_json(fields)
        after = submission_rows.second_version(
            before, change.state, self._moment, change.numbers, text, change.image_sha256, problem
        )
        given = {name: value for name, value in change.numbers.items() if value is not None}
        hashes = json.dumps(list(change.image_sha256)) if change.image_sha256 else row["image_sha256"]
        new = {
            **row,
            **given,
            "state": change.state,
            "version": 1,
            "problem": problem,
            "image_sha256": hashes,
            "record": self._put(text),
            **self._moment.columns,
        }
        checksum = of_row(*(new[name] for name in COLUMNS))
        self._changes.append([before.id, row["checksum"], checksum, *(new[name] for name in CHANGED)])
        # The reply is usually the record.
        reply_text = text if change.reply == fields else inserts.to_safe_json(change.reply)
        reply = None if change.reply is None else self._put(reply_text)
        self._add_event(change.kind, inserts.of_submission(after) | {"reply": reply}, change.problem)
        return after

    def run(self) -> None:
        """Write everything."""
        self._insert(body.name, _BODY, ([*item] for item in self._bodies.items()), " ON CONFLICT DO NOTHING")
        self._insert(
            submission.name, _SUBMISSION, ([row[name] for name in _SUBMISSION] for row in self._submissions)
        )
        changed = sum(self._run(_update, 3 + len(CHANGED), self._changes))
        if changed != len(self._changes):
            raise ChangedMeanwhile
        self._insert(event.name, _EVENT, ([row[name] for name in _EVENT] for row in self._events))

    def _put(self, text: str) -> bytes:
        sha256 = inserts.hash_of(text)
        self._bodies[sha256] = text
        return sha256

    def _add_event(self, kind: str, values: Mapping[str, Any], problem: str | None = None) -> None:
        self._events.append(inserts.event_row(kind, self._session_id, self._moment.at, values, problem))

    def _insert(self, table: str, columns: Sequence[str], rows: Iterable[list[Any]], end: str = "") -> None:
        def statement(values: str) -> str:
            return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}{end}"  # noqa: S608  names

        self._run(statement, len(columns), rows)

    def _run(self, statement: Callable[[str], str], width: int, rows: Iterable[list[Any]]) -> list[int]:
        """Run a statement for as many rows at a time as SQLite accepts; return how many rows each changed."""
        most = self._connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // width
        iterator, changed, row_text = iter(rows), list[int](), f"({', '.join('?' * width)})"
        while part := list(islice(iterator, most)):
            text = statement(", ".join([row_text] * len(part)))
            changed.append(self._connection.execute(text, [value for row in part for value in row]).rowcount)
        return changed


def _update(values: str) -> str:
    """Return an UPDATE of rows that are as written; SQLite names the columns column1 and so on."""
    changes = ", ".join(
        f"{name} = new.column{number}" for number, name in enumerate(("checksum", *CHANGED), 3)
    )
    return (
        f"UPDATE submission SET {changes} FROM (VALUES {values}) AS new "  # noqa: S608  names of columns
        "WHERE submission.id = new.column1 AND version = 0 AND submission.checksum = new.column2"
    )
