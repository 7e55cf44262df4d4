"""Copying a log into another one: all of it, also what was added or changed since an earlier copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from astria_nb.errors import LogError, Problem
from astria_nb.log import _checksums as checksums
from astria_nb.log._database import LogDatabase
from astria_nb.log._reruns import again_if_lost
from astria_nb.log._schema import LogTable, body, event, listed, session, submission
from astria_nb.log._selects import columns_of
from astria_nb.log._sql import SqlConnection
from astria_nb.log._statements import Query, in_list, insert_into
from astria_nb.log._states import HAS_TUNE, RELEASED
from astria_nb.utils.formatting import short
from astria_nb.utils.interrupts import raise_if_interrupted

_ROWS = 500  # that are read at once; SQLite takes no more than 999 parameters in older versions
_LABEL_KINDS = ("tag", "untag", "note", "hide", "unhide")
_STATE = (
    *("state", "version", "attempt", "tune_id", "newest_known_id", "image_sha256", "record", "problem"),
    *("changed_at", "session", "uptime"),
)
"""The columns of a submission that change together."""
_SUBMISSIONS = f"SELECT {columns_of(submission)} FROM submission"  # noqa: S608  constants
_UPDATE = "UPDATE submission SET {} WHERE id = :id".format(  # noqa: S608  names of columns
    ", ".join(f"{name} = :{name}" for name in submission.columns if name != "id")
)
_LABELLED = f"""
    SELECT submission, max(at) FROM event WHERE kind IN {listed(_LABEL_KINDS)} GROUP BY submission
"""  # noqa: S608  constants
_EVENT_KEY = ("at", "session", "kind", "submission")
_SAME_EVENTS = f"SELECT {', '.join(_EVENT_KEY)} FROM event"  # noqa: S608  constants
# Ids that were copied are not given again.
_CONTINUE = (
    "SELECT setval('{0}_id_seq', greatest((SELECT max(id) FROM {0}), (SELECT last_value FROM {0}_id_seq)))"
)
_NEW_IDS = "SELECT nextval('submission_id_seq') FROM generate_series(1, CAST(:count AS bigint))"
_LAST_ID = """
    SELECT max(seq, coalesce((SELECT max(id) FROM submission), 0)) FROM sqlite_sequence
    WHERE name = 'submission'
"""
Row = dict[str, Any]


@again_if_lost
def copy(source: LogDatabase, target: LogDatabase) -> int:
    """Copy all of a log in one transaction; see `astria_nb.log.Log.copy_to`."""
    with source.store.reading() as reading, target.store.writing() as writing:
        return _Copy(reading, writing).run()


class _Copy:
    """One copy.

    Parameters
    ----------
    reading, writing : SqlConnection
        Each in a transaction.
    """

    def __init__(self, reading: SqlConnection, writing: SqlConnection) -> None:
        self._reading, self._writing = reading, writing
        self._is_to_file = isinstance(writing, sqlite3.Connection)
        has_rows = "SELECT EXISTS (SELECT 1 FROM submission) OR EXISTS (SELECT 1 FROM event)"
        self._is_empty = not writing.execute(has_rows).fetchone()[0]
        self._ids: dict[int, int] = {}  # of the submissions there, by those here; empty if they are the same
        self._conflicts: list[str] = []
        self._changed = 0

    def run(self) -> int:
        """Copy, and return how many submissions are new there, or newer than they were."""
        for rows in self._pages(session, "id"):
            self._insert(session, [_with_booleans(row) for row in rows], or_ignore=True)
        for rows in self._pages(body, "sha256"):
            self._check_bodies(rows)
            self._insert(body, rows, or_ignore=True)
        labelled = _label_times(self._reading), _label_times(self._writing)
        for rows in self._pages(submission, "id"):
            self._put_submissions(rows, *labelled)
        if self._conflicts:
            titles = ", ".join(map(short, self._conflicts[:3]))
            what = f"both logs have another submission of the title {titles}, which may exist"
            hint = "settle them first, with recover or resolve; nothing was copied"
            raise LogError(Problem("log", what, hint, kind="conflict"))
        for rows in self._pages(event, "id"):
            self._put_events(rows)
        if not self._is_to_file:
            for table in (submission, event):
                self._writing.execute(_CONTINUE.format(table.name))
            self._writing.execute("ANALYZE session, body, submission, event")
        return self._changed

    def _pages(self, table: LogTable, key: str) -> Iterator[list[Row]]:
        select, order = f"SELECT {columns_of(table)} FROM {table.name}", f"ORDER BY {key} LIMIT {_ROWS}"  # noqa: S608
        page, following = Query(f"{select} {order}"), Query(f"{select} WHERE {key} > :after {order}")
        rows = list(page.rows(self._reading))
        while rows:
            raise_if_interrupted()
            after = rows[-1][key]  # before the rows are changed
            yield rows
            rows = list(following.rows(self._reading, after=after))

    def _check_bodies(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            checksums.check_body(row["sha256"], row["json"], "what a row refers to")

    def _put_submissions(
        self, rows: Sequence[Row], labelled_here: Mapping[int, int], labelled_there: Mapping[int, int]
    ) -> None:
        similar = {} if self._is_empty else self._similar(rows)
        new = []
        for row in rows:
            checksums.check_row(row)
            candidates = similar.get((row["service"], row["title"]), [])
            same = next((there for there in candidates if _is_same(row, there)), None)
            if same is None:
                if any(_claims_the_same(row, there) for there in candidates):
                    self._conflicts.append(row["title"])
                new.append(row)
                continue
            self._ids[row["id"]] = same["id"]
            is_labelled = labelled_here.get(row["id"], 0) > labelled_there.get(same["id"], 0)
            changes = {name: row[name] for name in _STATE} if _is_newer(row, same) else {}
            changes |= {"labels": row["labels"]} if is_labelled else {}
            if changes:
                self._update(same, changes)
        if not self._is_empty and not self._conflicts:
            for row, number in zip(new, self._new_ids(len(new)), strict=True):
                self._ids[row["id"]] = row["id"] = number
        if not self._conflicts:
            self._changed += len(new)
            self._insert(submission, [self._signed(row) for row in new])

    def _similar(self, rows: Sequence[Row]) -> dict[tuple[str, str | None], list[Row]]:
        """Return the submissions there of the same titles; of those without one, of the same content."""
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
                similar.setdefault((there["service"], there["title"]), []).append(there)
        return similar

    def _update(self, there: Row, changes: Mapping[str, Any]) -> None:
        self._writing.execute(_UPDATE, self._signed({**there, **changes}))
        self._changed += 1

    def _new_ids(self, count: int) -> Sequence[int]:
        if not self._is_to_file:
            return [number for (number,) in self._writing.execute(_NEW_IDS, {"count": count}).fetchall()]
        last = (self._writing.execute(_LAST_ID).fetchone()[0] or 0) + 1
        return range(last, last + count)

    def _signed(self, row: Row) -> Row:
        """Return a submission as a row of this database: a file has a checksum, and no segment has it yet."""
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
    """Return a session as every database takes it: SQLite has numbers in place of booleans."""
    is_dirty = row["git_dirty"]
    return {**row, "git_dirty": None if is_dirty is None else bool(is_dirty)}


def _is_same(here: Row, there: Row) -> bool:
    """Return whether two rows are of one submission, or of one tune that two logs have recorded."""
    names = ("service", "title", "planned_at", "fingerprint")
    return all(here[name] == there[name] for name in names) or (
        here["tune_id"] is not None and here["tune_id"] == there["tune_id"] and _may_be_of_one(here, there)
    )


def _may_be_of_one(here: Row, there: Row) -> bool:
    return here["account"] is None or there["account"] in (None, here["account"])


def _claims_the_same(here: Row, there: Row) -> bool:
    is_titled = here["title"] is not None and _may_be_of_one(here, there)
    return is_titled and here["state"] not in RELEASED and there["state"] not in RELEASED


def _is_newer(here: Row, there: Row) -> bool:
    """Return whether a submission has changed since it was copied; a tune is not taken back."""
    if there["state"] in HAS_TUNE and here["state"] not in HAS_TUNE:
        return False
    if here["planned_at"] != there["planned_at"]:  # two logs have recorded one tune
        return False
    is_found = here["state"] in HAS_TUNE and there["state"] not in HAS_TUNE
    return is_found or (here["version"], here["changed_at"]) > (there["version"], there["changed_at"])


def _label_times(connection: SqlConnection) -> dict[int, int]:
    """Return when each submission was labelled last."""
    return dict(connection.execute(_LABELLED).fetchall())
