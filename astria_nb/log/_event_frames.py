"""The events of a log as typed frames."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from astria_nb.log._checksums import check_body
from astria_nb.log._database import LogDatabase
from astria_nb.log._inserts import microseconds
from astria_nb.log._queries import parsing, to_datetime
from astria_nb.log._reruns import again_if_lost
from astria_nb.log._sql import SqlConnection
from astria_nb.log._statements import Query
from astria_nb.utils.arrow_to_pandas import to_pandas
from astria_nb.utils.concat_tables import concat_tables
from astria_nb.utils.times import TIME
from astria_nb.utils.typed_table import typed_table

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
_COLUMNS = ", ".join(f"event.{name}" for name in EVENT.names)
_PAGE = Query(f"""
    SELECT {_COLUMNS}, body.json FROM event LEFT JOIN body ON body.sha256 = event.reply
    WHERE event.id > :after AND event.at >= :since AND event.at < :until ORDER BY event.id LIMIT {ROWS}
""")  # noqa: S608  constants
_FIRST, _LAST = -(1 << 63), (1 << 63) - 1  # limits of the times that can be stored


@again_if_lost
def frame(database: LogDatabase, since: datetime | None, until: datetime | None) -> pd.DataFrame:
    """Return a row per event; see `astria_nb.log.Log.events`."""
    with database.store.reading() as connection:
        tables = list(_tables(connection, since, until))
    return to_pandas(concat_tables(tables, EVENT))


@again_if_lost
def page(
    database: LogDatabase, after: int, since: datetime | None, until: datetime | None
) -> pd.DataFrame | None:
    """Return the next events after the one with an id, or None if there are none."""
    with database.store.reading() as connection:
        table = next(_tables(connection, since, until, after), None)
    return None if table is None else to_pandas(table)


def _tables(
    connection: SqlConnection, since: datetime | None, until: datetime | None, after: int = 0
) -> Iterator[pa.Table]:
    limits = {
        "since": _FIRST if since is None else microseconds(since),
        "until": _LAST if until is None else microseconds(until),
    }
    while rows := list(_PAGE.rows(connection, after=after, **limits)):
        after = rows[-1]["id"]
        with parsing("an event"):
            table = typed_table([_event(row) for row in rows], EVENT)
        yield table


def _event(row: dict[str, Any]) -> dict[str, Any]:
    text = row.pop("json")
    check_body(row["reply"], text, f"the reply of event {row['id']}")
    return {**row, "reply": text, "at": to_datetime(row["at"])}
