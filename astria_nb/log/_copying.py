"""Copying a log into another one: all of it, also what was added or changed since an earlier copy."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa

from astria_nb.errors import LogError, Problem
from astria_nb.log import _checksums as checksums
from astria_nb.log._database import LogDatabase
from astria_nb.log._reruns import again_if_lost
from astria_nb.log._schema import body, event, session, submission
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
Row = dict[str, Any]


@again_if_lost
def copy(source: LogDatabase, target: LogDatabase) -> int:
    """Copy all of a log in one transaction; see `astria_nb.log.Log.copy_to`."""
    with source.store.read() as reading, target.store.write() as writing:
        return _Copy(reading, writing).run()


class _Copy:
    """One copy.

    Parameters
    ----------
    reading, writing : sqlalchemy.Connection
        Each in a transaction.
    """

    def __init__(self, reading: sa.Connection, writing: sa.Connection) -> None:
        self._reading, self._writing = reading, writing
        self._is_empty = writing.execute(sa.select(submission.c.id).limit(1)).first() is None
        self._is_empty &= writing.execute(sa.select(event.c.id).limit(1)).first() is None
        self._ids: dict[int, int] = {}  # of the submissions there, by those here; empty if they are the same
        self._conflicts: list[str] = []
        self._changed = 0

    def run(self) -> int:
        """Copy, and return how many submissions are new there, or newer than they were."""
        for table, key in ((session, session.c.id), (body, body.c.sha256)):
            for rows in self._pages(table, key):
                self._check_bodies(rows if table is body else ())
                self._insert(table, rows, or_ignore=True)
        labelled = _label_times(self._reading), _label_times(self._writing)
        for rows in self._pages(submission, submission.c.id):
            self._put_submissions(rows, *labelled)
        if self._conflicts:
            titles = ", ".join(map(short, self._conflicts[:3]))
            what = f"both logs have another submission of the title {titles}, which may exist"
            hint = "settle them first, with recover or resolve; nothing was copied"
            raise LogError(Problem("log", what, hint, kind="conflict"))
        for rows in self._pages(event, event.c.id):
            self._put_events(rows)
        if self._writing.dialect.name == "postgresql":
            for table in (submission, event):  # the ids that were copied are not given again
                sequence, highest = f"{table.name}_id_seq", f"(SELECT max(id) FROM {table.name})"  # noqa: S608
                last = f"(SELECT last_value FROM {sequence})"  # noqa: S608  names of tables
                self._writing.exec_driver_sql(f"SELECT setval('{sequence}', greatest({highest}, {last}))")
            self._writing.exec_driver_sql("ANALYZE session, body, submission, event")
        return self._changed

    def _pages(self, table: sa.Table, key: sa.ColumnElement[Any]) -> Iterator[list[Row]]:
        query, after = table.select().order_by(key).limit(_ROWS), None
        while True:
            raise_if_interrupted()
            page = query if after is None else query.where(key > after)
            rows = [dict(row) for row in self._reading.execute(page).mappings()]
            if not rows:
                return
            after = rows[-1][key.name]
            yield rows

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
        titles = {row["title"] for row in rows if row["title"] is not None}
        contents = {row["content_fingerprint"] for row in rows if row["title"] is None}
        of_content: sa.ColumnElement[bool] = submission.c.content_fingerprint.in_(contents - {None})
        if None in contents:
            of_content |= submission.c.content_fingerprint.is_(None)
        similar: dict[tuple[str, str | None], list[Row]] = {}
        for condition in (submission.c.title.in_(titles), submission.c.title.is_(None) & of_content):
            for there in self._writing.execute(submission.select().where(condition)).mappings():
                similar.setdefault((there["service"], there["title"]), []).append(dict(there))
        return similar

    def _update(self, there: Row, changes: Mapping[str, Any]) -> None:
        changed = self._signed({**there, **changes})
        is_there = submission.c.id == there["id"]
        self._writing.execute(submission.update().where(is_there).values(self._storable(changed)))
        self._changed += 1

    def _new_ids(self, count: int) -> Collection[int]:
        if self._writing.dialect.name == "postgresql":
            query = "SELECT nextval('submission_id_seq') FROM generate_series(1, %s)"
            return cast("Collection[int]", self._writing.exec_driver_sql(query, (count,)).scalars().all())
        highest = "SELECT max(seq, coalesce((SELECT max(id) FROM submission), 0)) FROM sqlite_sequence"
        last = self._writing.exec_driver_sql(f"{highest} WHERE name = 'submission'").scalar() or 0
        return range(last + 1, last + 1 + count)

    def _signed(self, row: Row) -> Row:
        """Return a submission as a row of this database: a file has a checksum, and no segment has it yet."""
        is_file = self._writing.dialect.name == "sqlite"
        checksum = checksums.of_row(*(row[name] for name in checksums.COLUMNS)) if is_file else None
        return {**row, "sealed": None, "checksum": checksum}

    def _put_events(self, rows: Sequence[Row]) -> None:
        for row in rows:
            row["submission"] = self._ids.get(row["submission"], row["submission"])
        if self._is_empty:
            self._insert(event, rows)
            return
        numbers = {row["submission"] for row in rows}
        is_of_same = event.c.submission.in_(numbers - {None}) | event.c.submission.is_(None)
        columns = [event.c[name] for name in ("at", "session", "kind", "submission")]
        existing = {tuple(row) for row in self._writing.execute(sa.select(*columns).where(is_of_same))}
        new = [row for row in rows if tuple(row[column.name] for column in columns) not in existing]
        for row in new:
            del row["id"]
        self._insert(event, new)

    def _insert(self, table: sa.Table, rows: Sequence[Row], *, or_ignore: bool = False) -> None:
        if not rows:
            return
        statement: Any = sa.insert(table)
        if or_ignore:
            from sqlalchemy.dialects import postgresql, sqlite

            dialect = sqlite if self._writing.dialect.name == "sqlite" else postgresql
            statement = dialect.insert(table).on_conflict_do_nothing()
        self._writing.execute(statement, [self._storable(row) for row in rows])

    def _storable(self, row: Row) -> Row:
        """Return a row as this database can store it: PostgreSQL's text has no NUL."""
        if self._writing.dialect.name == "sqlite":
            return row
        return {
            name: value.replace("\0", "\ufffd") if isinstance(value, str) else value
            for name, value in row.items()
        }


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


def _label_times(connection: sa.Connection) -> dict[int, int]:
    """Return when each submission was labelled last."""
    latest = sa.select(event.c.submission, sa.func.max(event.c.at)).where(event.c.kind.in_(_LABEL_KINDS))
    return {row[0]: row[1] for row in connection.execute(latest.group_by(event.c.submission))}
