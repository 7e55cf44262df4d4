"""The events of a log as typed frames."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from astria_nb.log._checksums import check_body
from astria_nb.log._database import LogDatabase
from astria_nb.log._inserts import microseconds
from astria_nb.log._queries import parsing, to_datetime
from astria_nb.log._reruns import again_if_lost
from astria_nb.log._schema import body, event
from astria_nb.utils.arrow import TIME, concat_tables, to_pandas, typed_table

ROWS = 4096
"""Number of events that are read at once."""
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
_COLUMNS = [event.c[name] for name in EVENT.names]
_PAGE = (
    sa.select(*_COLUMNS, body.c.json)
    .outerjoin(body, body.c.sha256 == event.c.reply)
    .where(event.c.id > sa.bindparam("after"))
    .order_by(event.c.id)
    .limit(ROWS)
)


@again_if_lost
def frame(database: LogDatabase, since: datetime | None, until: datetime | None) -> pd.DataFrame:
    """Return a row per event; see `astria_nb.log.Log.events`."""
    with database.store.read() as connection:
        tables = list(_tables(connection, since, until))
    return to_pandas(concat_tables(tables, EVENT))


@again_if_lost
def page(
    database: LogDatabase, after: int, since: datetime | None, until: datetime | None
) -> pd.DataFrame | None:
    """Return the next events after the one with an id, or None if there are none."""
    with database.store.read() as connection:
        table = next(_tables(connection, since, until, after), None)
    return None if table is None else to_pandas(table)


def _tables(
    connection: sa.Connection, since: datetime | None, until: datetime | None, after: int = 0
) -> Iterator[pa.Table]:
    query = _PAGE
    if since is not None:
        query = query.where(event.c.at >= microseconds(since))
    if until is not None:
        query = query.where(event.c.at < microseconds(until))
    while rows := connection.execute(query, {"after": after}).all():
        after = rows[-1].id
        with parsing("an event"):
            table = typed_table([_event(row._asdict()) for row in rows], EVENT)
        yield table


def _event(row: dict[str, Any]) -> dict[str, Any]:
    text = row.pop("json")
    check_body(row["reply"], text, f"the reply of event {row['id']}")
    return {**row, "reply": text, "at": to_datetime(row["at"])}
