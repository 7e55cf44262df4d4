"""The settled rows of the log in columns: what makes a frame of a million tunes a matter of seconds.

A segment is made of thousands of rows once they are settled, and is never changed. A row that changes after
all is no longer marked as sealed: it is read from the tables again, and goes into a later segment. So the
last word on a row is that of the tables, else that of the latest segment that has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from astria_nb.log.schema import segment, submission

ROWS = 8192
"""Of a segment, and as many as may wait to be sealed."""
KEY = "submission"
"""The column that tells a row."""
_SEAL = submission.update().where(
    submission.c.id == sa.bindparam("of_id"), submission.c.record == sa.bindparam("of_record")
)
_ALL, _LAST = sa.select(sa.func.sum(segment.c.rows)), sa.select(sa.func.max(submission.c.id))
_OPTIONS = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1))


def tables(connection: sa.Connection) -> list[pa.Table]:
    """Return every segment, oldest first."""
    found = connection.execute(sa.select(segment.c.arrow).order_by(segment.c.id)).scalars()
    return [pa.ipc.open_stream(each).read_all() for each in found]


def latest(parts: Sequence[pa.Table]) -> list[pa.Table]:
    """Leave out of each part the rows that a later one has again."""
    ids = [part[KEY].to_numpy() for part in parts]
    every = np.concatenate(ids) if ids else np.empty(0, np.int64)
    # Looked for from the end: what is found first there is the last word.
    _, first = np.unique(every[::-1], return_index=True)
    if len(first) == len(every):
        return list(parts)
    keep = np.zeros(len(every), bool)
    keep[len(every) - 1 - first] = True
    ends = np.cumsum([len(each) for each in ids])[:-1]
    return [
        part if mine.all() else part.filter(pa.array(mine))
        for part, mine in zip(parts, np.split(keep, ends), strict=True)
    ]


def add(connection: sa.Connection, table: pa.Table, records: Mapping[int, bytes]) -> None:
    """Write a segment, and mark its rows as sealed but for those that have changed meanwhile.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    table : pyarrow.Table
    records : mapping of int to bytes
        Of which record each submission's row was made.
    """
    _put(connection, table)
    connection.execute(
        _SEAL, [{"of_id": key, "of_record": record, "sealed": 1} for key, record in records.items()]
    )
    if connection.execute(_ALL).scalar_one() > 2 * connection.execute(_LAST).scalar_one():
        compact(connection)


def compact(connection: sa.Connection) -> None:
    """Write the segments anew, without the rows that are forgotten or no longer hold."""
    live = connection.execute(sa.select(submission.c.id).where(submission.c.sealed.is_not(None))).scalars()
    ids = pa.array(list(live), pa.int64())
    kept = [part.filter(pc.is_in(part[KEY], ids)) for part in latest(tables(connection))]
    connection.execute(segment.delete())
    for part in kept:
        if len(part):
            _put(connection, part)


def _put(connection: sa.Connection, table: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as stream:
        stream.write_table(table.combine_chunks())
    connection.execute(segment.insert(), {"rows": len(table), "arrow": sink.getvalue().to_pybytes()})
