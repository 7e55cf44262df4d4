"""Copying a whole log into another one, including changes since an earlier copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from astria_nb.errors import LogError, Problem
from astria_nb.log import _checksums as checksums
from astria_nb.log import _counterparts as counterparts
from astria_nb.log import _merged_records as merged_records
from astria_nb.log._counterparts import Row
from astria_nb.log._database import LogDatabase
from astria_nb.log._inserts import put_body, to_safe_json
from astria_nb.log._merged_records import RecordedTune
from astria_nb.log._reruns import again_if_lost
from astria_nb.log._schema import LogTable, body, event, listed, session, submission
from astria_nb.log._selects import columns_of
from astria_nb.log._sql import LogStore, SqlConnection
from astria_nb.log._statements import Query, in_list, insert_into
from astria_nb.log._states import RELEASED
from astria_nb.log._submission_rows import NEXT_ID
from astria_nb.utils.formatting import short
from astria_nb.utils.interrupts import raise_if_interrupted

_ROWS = 500  # rows that are read at once; older versions of SQLite accept at most 999 parameters
_STATE = (
    *("state", "version", "attempt", "tune_id", "newest_known_id", "image_sha256", "problem"),
    *("changed_at", "session", "uptime"),
)
"""The columns of a submission that change together; its record and its labels change separately."""
_SUBMISSIONS = f"SELECT {columns_of(submission)} FROM submission"  # noqa: S608  constants
_UPDATE = "UPDATE submission SET {} WHERE id = :id".format(  # noqa: S608  names of columns
    ", ".join(f"{name} = :{name}" for name in submission.columns if name != "id")
)
_LABELLED = f"""
    SELECT submission, max(at) FROM event
    WHERE kind IN {listed(merged_records.LABEL_KINDS)} GROUP BY submission
"""  # noqa: S608  constants
_EVENT_KEY = ("at", "session", "kind", "submission")
_SAME_EVENTS = f"SELECT {', '.join(_EVENT_KEY)} FROM event"  # noqa: S608  constants
# Copied ids are not assigned again.
_CONTINUE = (
    "SELECT setval('{0}_id_seq', greatest((SELECT max(id) FROM {0}), (SELECT last_value FROM {0}_id_seq)))"
)
_NEW_IDS = "SELECT nextval('submission_id_seq') FROM generate_series(1, CAST(:count AS bigint))"


@again_if_lost
def copy(source: LogDatabase, target: LogDatabase) -> int:
    """Copy all of a log in one transaction; see `astria_nb.log.Log.copy_to`."""
    with source.store.reading() as reading, target.store.writing() as writing:
        return _Copy(source.store, reading, writing).run()


class _Copy:
    """One copy.

    Parameters
    ----------
    source : LogStore
        Needed to name it in its errors, which would otherwise be reported as those of the target.
    reading, writing : SqlConnection
        Each in a transaction.
    """

    def __init__(self, source: LogStore, reading: SqlConnection, writing: SqlConnection) -> None:
        self._source, self._reading, self._writing = source, reading, writing
        self._is_to_file = isinstance(writing, sqlite3.Connection)
        has_rows = "SELECT EXISTS (SELECT 1 FROM submission) OR EXISTS (SELECT 1 FROM event)"
        self._is_empty = not writing.execute(has_rows).fetchone()[0]
        self._ids: dict[int, int] = {}  # numbers there, by the numbers here; empty if they are the same
        self._labelled_there = _label_times(writing)
        with source.naming_errors():
            self._labelled_here = _label_times(reading)
        self._conflicts: list[tuple[Row, Row]] = []  # a submission here, and one there
        self._changed = 0

    def run(self) -> int:
        """Copy, and return how many submissions are new there, or were updated there."""
        for rows in self._pages(session, "id"):
            self._insert(session, [_with_booleans(row) for row in rows], or_ignore=True)
        for rows in self._pages(body, "sha256"):
            self._insert(body, rows, or_ignore=True)
        if not self._is_empty:
            # These first: a released title may have been planned again here.
            for rows in self._pages(submission, "id", f"state IN {listed(RELEASED)}"):
                self._merge(rows)
        for rows in self._pages(submission, "id"):
            self._add(self._merge(rows))
        if self._conflicts:
            self._refuse()
        for rows in self._pages(event, "id"):
            self._put_events(rows)
        if not self._is_to_file:
            for table in (submission, event):
                self._writing.execute(_CONTINUE.format(table.name))
            self._writing.execute("ANALYZE session, body, submission, event")
        return self._changed

    def _pages(self, table: LogTable, key: str, condition: str = "TRUE") -> Iterator[list[Row]]:
        select = f"SELECT {columns_of(table)} FROM {table.name} WHERE {condition}"  # noqa: S608  constants
        order = f"ORDER BY {key} LIMIT {_ROWS}"
        page, following = Query(f"{select} {order}"), Query(f"{select} AND {key} > :after {order}")
        rows = self._read(table, page)
        while rows:
            raise_if_interrupted()
            after = rows[-1][key]  # before the rows are changed
            yield rows
            rows = self._read(table, following, after=after)

    def _read(self, table: LogTable, query: Query, **values: Any) -> list[Row]:
        with self._source.naming_errors():
            rows = list(query.rows(self._reading, **values))
            for row in rows:
                if table is submission:
                    checksums.check_row(row)
                elif table is body:
                    checksums.check_body(row["sha256"], row["json"], "what a row refers to")
        return rows

    def _merge(self, rows: Sequence[Row]) -> list[Row]:
        """Update submissions that exist there, and return the others."""
        similar = {} if self._is_empty else self._similar(rows)
        new, pairs = [], list[tuple[Row, Row]]()
        for row in rows:
            candidates = similar.get((row["service"], row["title"]), [])
            there = counterparts.counterpart(row, candidates)
            if there is None:
                new.append(row)
            else:
                self._ids[row["id"]] = there["id"]
                pairs.append((row, there))
            if there is None or (there["state"] in RELEASED and counterparts.is_newer(row, there)):
                others = (other for other in candidates if other is not there)
                self._conflicts += [
                    (row, other) for other in others if counterparts.claim_the_same(row, other)
                ]
        differing = [pair for pair in pairs if _have_different_records(*pair)]
        with self._source.naming_errors():
            records_here = merged_records.read(self._reading, [row["id"] for row, _ in differing])
        records_there = merged_records.read(self._writing, [there["id"] for _, there in differing])
        for row, there in pairs:
            both = records_here.get(row["id"]), records_there.get(there["id"])
            if counterparts.are_of_two_tunes(row, there, *both):
                self._conflicts.append((row, there))
            elif not self._conflicts:
                self._update(there, self._changes(row, there, *both))
        return new

    def _changes(
        self, row: Row, there: Row, record_here: RecordedTune | None, record_there: RecordedTune | None
    ) -> Row:
        """Return the columns of a submission there that change."""
        changes = {name: row[name] for name in _STATE} if counterparts.is_newer(row, there) else {}
        if there["record"] is None:
            changes["record"] = row["record"]
        elif record_here is not None and record_there is not None:
            fields = merged_records.merged(record_here, record_there)
            if fields == record_here.fields:
                changes["record"] = row["record"]
            elif fields != record_there.fields:
                changes["record"] = put_body(self._writing, to_safe_json(fields))
        if self._labelled_here.get(row["id"], 0) > self._labelled_there.get(there["id"], 0):
            changes["labels"] = row["labels"]
        return {name: value for name, value in changes.items() if value != there[name]}

    def _add(self, new: Sequence[Row]) -> None:
        """Insert submissions that do not exist there."""
        if self._conflicts:
            return
        if not self._is_empty:
            for row, number in zip(new, self._new_ids(len(new)), strict=True):
                self._ids[row["id"]] = row["id"] = number
        self._changed += len(new)
        self._insert(submission, [self._signed(row) for row in new])

    def _refuse(self) -> NoReturn:
        """Raise an error for submissions that cannot be in the same log.

        Raises
        ------
        LogError
        """
        names = ", ".join(dict.fromkeys(_name(row) for row, _ in self._conflicts[:3]))
        if all(counterparts.have_both_tunes(*pair) for pair in self._conflicts):
            what = f"the logs have different results for {names}"
            hint = "keep both logs, or copy each into an empty one; nothing was copied"
        else:
            what = f"the logs have different submissions of {names}, which may both exist"
            hint = "settle them first, with recover or resolve; nothing was copied"
        raise LogError(Problem("log", what, hint, kind="conflict"))

    def _similar(self, rows: Sequence[Row]) -> dict[tuple[str, str | None], list[Row]]:
        """Return the submissions there with the same titles or, without a title, with the same content."""
        titles, of_titles = in_list({row["title"] for row in rows} - {None}, "title")
        contents = {row["content_fingerprint"] for row in rows if row["title"] is None}
        fingerprints, of_contents = in_list(contents - {None}, "content")
        is_of_content = f"content_fingerprint IN {fingerprints}"
        if None in contents:
            is_of_content += " OR content_fingerprint IS NULL"
        similar: dict[tuple[str, str | None], list[Row]] = {}
        for condition, values in (
            (f"title IN {titles}", of_titles),
            (f"title IS NULL AND ({is_of_content})", of_contents),
        ):
            for there in Query(f"{_SUBMISSIONS} WHERE {condition}").rows(self._writing, **values):
                checksums.check_row(there)
                similar.setdefault((there["service"], there["title"]), []).append(there)
        return similar

    def _update(self, there: Row, changes: Row) -> None:
        if changes:
            there.update(self._signed(there | changes))
            self._writing.execute(_UPDATE, there)
            self._changed += 1

    def _new_ids(self, count: int) -> Sequence[int]:
        if not self._is_to_file:
            return [number for (number,) in self._writing.execute(_NEW_IDS, {"count": count}).fetchall()]
        (first,) = self._writing.execute(NEXT_ID).fetchone()
        return range(first, first + count)

    def _signed(self, row: Row) -> Row:
        """Return a submission as a row of this database: outside segments and, in a file, with a checksum."""
        values = (row[name] for name in checksums.COLUMNS)
        checksum = checksums.of_row(*values) if self._is_to_file else None
        return {**row, "sealed": None, "checksum": checksum}

    def _put_events(self, rows: Sequence[Row]) -> None:
        for row in rows:
            row["submission"] = self._ids.get(row["submission"], row["submission"])
        if self._is_empty:
            self._insert(event, rows)
            return
        numbers, values = in_list({row["submission"] for row in rows} - {None}, "number")
        of_same = f"{_SAME_EVENTS} WHERE submission IN {numbers} OR submission IS NULL"
        existing = {tuple(row) for row in self._writing.execute(of_same, values)}
        new = [row for row in rows if tuple(row[name] for name in _EVENT_KEY) not in existing]
        for row in new:
            del row["id"]
        self._insert(event, new)

    def _insert(self, table: LogTable, rows: Sequence[Row], *, or_ignore: bool = False) -> None:
        if rows:
            statement = insert_into(table.name, rows[0])
            self._writing.executemany(f"{statement} ON CONFLICT DO NOTHING" if or_ignore else statement, rows)


def _with_booleans(row: Row) -> Row:
    """Return a session in a form for every database: SQLite has numbers in place of booleans."""
    is_dirty = row["git_dirty"]
    return {**row, "git_dirty": None if is_dirty is None else bool(is_dirty)}


def _label_times(connection: SqlConnection) -> dict[int, int]:
    """Return when each submission was last labelled."""
    return dict(connection.execute(_LABELLED).fetchall())


def _have_different_records(here: Row, there: Row) -> bool:
    return None not in (here["record"], there["record"]) and here["record"] != there["record"]


def _name(row: Row) -> str:
    return f"the title {short(row['title'])}" if row["title"] is not None else f"run {row['id']} here"
