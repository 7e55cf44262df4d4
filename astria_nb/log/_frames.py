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
from astria_nb.log import _segments as segments
from astria_nb.log._database import LogDatabase
from astria_nb.log._queries import to_datetime
from astria_nb.log._schema import body, event, submission
from astria_nb.log._states import RELEASED
from astria_nb.tune import Difference
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
OWN_COLUMNS = pa.schema(
    {
        "submission": pa.int64(),
        "service": pa.string(),
        "state": pa.string(),
        "planned_at": TIME,
        "problem": pa.string(),
    }
)
SCHEMA = pa.unify_schemas([rows.TUNE_SCHEMA, OWN_COLUMNS])


def submissions(database: LogDatabase) -> pd.DataFrame:
    """Return a row per submission; see `astria_nb.log.Log.frame`."""
    with database.store.read() as connection:
        parts, unsealed = segments.tables(connection), _unsealed(connection)
    settled = [row for row in unsealed if _is_settled(row)]
    for chunk in _chunks(settled):
        parts.append(_table(chunk))
        _seal(database, chunk, parts[-1])
    parts.append(_table([row for row in unsealed if not _is_settled(row)]))
    table = rows.with_expiry(concat_tables(segments.latest(parts), SCHEMA))
    ids = table[segments.KEY].to_numpy()
    if (ids[1:] < ids[:-1]).any():
        table = table.take(ids.argsort())
    undocumented = [name for name in table.column_names if name not in SCHEMA.names]
    return to_pandas(table.select([*rows.TUNE_SCHEMA.names, *undocumented, *OWN_COLUMNS.names]))


def seal(database: LogDatabase) -> None:
    """Write settled rows to segments, if there are enough of them."""
    with database.store.read() as connection:
        settled = [row for row in _unsealed(connection) if _is_settled(row)]
    for chunk in _chunks(settled):
        if len(chunk) == segments.ROWS:
            _seal(database, chunk, _table(chunk))


def events(database: LogDatabase) -> pd.DataFrame:
    """Return a row per event; see `astria_nb.log.Log.events`."""
    columns = [event.c[name] for name in EVENT.names if name != "reply"]
    query = (
        sa.select(*columns, body.c.json.label("reply"))
        .outerjoin(body, body.c.sha256 == event.c.reply)
        .order_by(event.c.id)
    )
    with database.store.read() as connection:
        records = [row._asdict() for row in connection.execute(query)]
    return typed_frame([{**record, "at": to_datetime(record["at"])} for record in records], EVENT)


def differences_frame(differences: Sequence[Difference]) -> pd.DataFrame:
    """Return differences as text, a row each."""
    schema = pa.schema({"field": pa.string(), "a": pa.string(), "b": pa.string()})
    records = [
        {"field": difference.field, "a": difference.a, "b": difference.b} for difference in differences
    ]
    return typed_frame(records, schema)


def _unsealed(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return the submissions that are in no segment, oldest first."""
    later = submission.alias("later")
    planned_again = sa.exists().where(
        later.c.service == submission.c.service,
        later.c.title == submission.c.title,
        later.c.id > submission.c.id,
    )
    request_body, record_body = body.alias("request_body"), body.alias("record_body")
    query = (
        sa.select(
            submission.c.id.label("submission"),
            submission.c.service,
            submission.c.state,
            submission.c.planned_at,
            submission.c.problem,
            submission.c.image_sha256,
            submission.c.record,
            # The request is needed only until there is a record.
            sa.case((submission.c.record.is_(None), request_body.c.json)).label("request_json"),
            record_body.c.json.label("record_json"),
        )
        .join(request_body, request_body.c.sha256 == submission.c.request)
        .outerjoin(record_body, record_body.c.sha256 == submission.c.record)
        .where(submission.c.sealed.is_(None), ~(submission.c.state.in_(RELEASED) & planned_again))
        .order_by(submission.c.id)
    )
    return [row._asdict() for row in connection.execute(query)]


def _is_settled(row: Mapping[str, Any]) -> bool:
    # A rejected submission disappears when its title is planned again, so it is never sealed.
    return row["state"] in ("done", "adopted") and row["record_json"] is not None


def _chunks(settled: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(settled), segments.ROWS):
        yield settled[start : start + segments.ROWS]


def _seal(database: LogDatabase, chunk: Sequence[Mapping[str, Any]], table: pa.Table) -> None:
    if len(chunk) < segments.ROWS:
        return
    # Segments are only a cache, so a log that cannot be written can still be read.
    with suppress(LogError), database.store.write() as connection:
        segments.add(connection, table, {row["submission"]: row["record"] for row in chunk})


def _table(records: Sequence[Mapping[str, Any]]) -> pa.Table:
    tunes = rows.tune_table([_tune(record) for record in records])
    # A field of the service with the name of one of our columns is dropped.
    tunes = tunes.drop_columns([name for name in tunes.column_names if name in OWN_COLUMNS.names])
    own = typed_table(
        [
            {
                **{name: record[name] for name in OWN_COLUMNS.names},
                "planned_at": to_datetime(record["planned_at"]),
            }
            for record in records
        ],
        OWN_COLUMNS,
    )
    for field in OWN_COLUMNS:
        tunes = tunes.append_column(field, own[field.name])
    return tunes


def _tune(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["record_json"] is not None:
        return dict(json.loads(row["record_json"]))
    request = json.loads(row["request_json"])
    parameters = request["parameters"]
    return {
        **{key: parameters[key] for key in rows.TUNE_SCHEMA.names if key in parameters},
        "title": request["title"],
        "pack": request["pack"],
        "encoding": request["encoding"],
        "image_sha256": json.loads(row["image_sha256"]) if row["image_sha256"] else None,
    }
