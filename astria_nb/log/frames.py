"""The log as typed frames."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from astria_nb import rows
from astria_nb.errors import LogError
from astria_nb.log import segments
from astria_nb.log.database import Book
from astria_nb.log.queries import moment
from astria_nb.log.schema import body, event, submission
from astria_nb.log.states import RELEASED
from astria_nb.tune.request import Difference
from astria_nb.utils.arrow import TIME, concat_tables, to_pandas, typed_frame, typed_table

EVENT = pa.schema(
    {
        "id": pa.int64(),
        "at": TIME,
        "kind": pa.string(),
        "submission": pa.int64(),
        "session": pa.string(),
        "service": pa.string(),
        "title": pa.string(),
        "tune_id": pa.int64(),
        "attempt": pa.int64(),
        "state": pa.string(),
        "fingerprint": pa.string(),
        "reply": pa.string(),
        "problem": pa.string(),
    }
)
OURS = pa.schema(
    {
        "submission": pa.int64(),
        "service": pa.string(),
        "state": pa.string(),
        "planned_at": TIME,
        "problem": pa.string(),
    }
)
SHOWN = pa.unify_schemas([rows.TUNE, OURS])


def submissions(book: Book) -> pd.DataFrame:
    """Return a row per submission; see `astria_nb.log.Log.frame`."""
    with book.store.read() as connection:
        parts, tail = segments.tables(connection), _tail(connection)
    settled = [row for row in tail if _is_settled(row)]
    for chunk in _chunks(settled):
        parts.append(_table(chunk))
        _seal(book, chunk, parts[-1])
    parts.append(_table([row for row in tail if not _is_settled(row)]))
    table = rows.with_expiry(concat_tables(segments.latest(parts), SHOWN))
    ids = table[segments.KEY].to_numpy()
    if (ids[1:] < ids[:-1]).any():
        table = table.take(ids.argsort())
    others = [name for name in table.column_names if name not in SHOWN.names]
    return to_pandas(table.select([*rows.TUNE.names, *others, *OURS.names]))


def seal(book: Book) -> None:
    """Put settled rows away in columns, where enough have come together."""
    with book.store.read() as connection:
        settled = [row for row in _tail(connection) if _is_settled(row)]
    for chunk in _chunks(settled):
        if len(chunk) == segments.ROWS:
            _seal(book, chunk, _table(chunk))


def events(book: Book) -> pd.DataFrame:
    """Return a row per event; see `astria_nb.log.Log.events`."""
    columns = [event.c[name] for name in EVENT.names if name != "reply"]
    query = (
        sa.select(*columns, body.c.json.label("reply"))
        .outerjoin(body, body.c.sha256 == event.c.reply)
        .order_by(event.c.id)
    )
    with book.store.read() as connection:
        found = [row._asdict() for row in connection.execute(query)]
    return typed_frame([{**row, "at": moment(row["at"])} for row in found], EVENT)


def differences_frame(found: Sequence[Difference]) -> pd.DataFrame:
    """Return differences as text, a row each."""
    schema = pa.schema({"field": pa.string(), "a": pa.string(), "b": pa.string()})
    return typed_frame([{"field": each.field, "a": each.a, "b": each.b} for each in found], schema)


def _tail(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return what no segment has, oldest first."""
    later = submission.alias("later")
    planned_again = sa.exists().where(
        later.c.service == submission.c.service,
        later.c.title == submission.c.title,
        later.c.id > submission.c.id,
    )
    asked, told = body.alias("asked"), body.alias("told")
    query = (
        sa.select(
            submission.c.id.label("submission"),
            submission.c.service,
            submission.c.state,
            submission.c.planned_at,
            submission.c.problem,
            submission.c.image_sha256,
            submission.c.record,
            # What was asked matters only until the service told of the tune.
            sa.case((submission.c.record.is_(None), asked.c.json)).label("asked"),
            told.c.json.label("told"),
        )
        .join(asked, asked.c.sha256 == submission.c.request)
        .outerjoin(told, told.c.sha256 == submission.c.record)
        .where(submission.c.sealed.is_(None), ~(submission.c.state.in_(RELEASED) & planned_again))
        .order_by(submission.c.id)
    )
    return [row._asdict() for row in connection.execute(query)]


def _is_settled(row: Mapping[str, Any]) -> bool:
    # What was refused gives way to the next try, so it is never put away.
    return row["state"] in ("done", "adopted") and row["told"] is not None


def _chunks(found: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(found), segments.ROWS):
        yield found[start : start + segments.ROWS]


def _seal(book: Book, chunk: Sequence[Mapping[str, Any]], table: pa.Table) -> None:
    if len(chunk) < segments.ROWS:
        return
    # Only speed is lost where the file cannot be written.
    with suppress(LogError), book.store.write() as connection:
        segments.add(connection, table, {row["submission"]: row["record"] for row in chunk})


def _table(found: Sequence[Mapping[str, Any]]) -> pa.Table:
    tunes = rows.tune_table([_tune(row) for row in found])
    # Should the service have a field of such a name, ours is meant.
    tunes = tunes.drop_columns([name for name in tunes.column_names if name in OURS.names])
    ours = typed_table(
        [
            {name: moment(row[name]) if name == "planned_at" else row[name] for name in OURS.names}
            for row in found
        ],
        OURS,
    )
    for field in OURS:
        tunes = tunes.append_column(field, ours[field.name])
    return tunes


def _tune(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["told"] is not None:
        return dict(json.loads(row["told"]))
    asked = json.loads(row["asked"])
    parameters = asked["parameters"]
    return {
        **{key: parameters[key] for key in rows.TUNE.names if key in parameters},
        "title": asked["title"],
        "pack": asked["pack"],
        "encoding": asked["encoding"],
        "image_sha256": json.loads(row["image_sha256"]) if row["image_sha256"] else None,
    }
