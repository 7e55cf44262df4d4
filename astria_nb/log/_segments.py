"""Settled rows of the log as Arrow tables, so that a frame of a million tunes takes seconds.

A segment holds thousands of settled rows and never changes. A row that changes later loses its mark as
sealed: it is read from the SQL tables again and goes into a later segment. So the current state of a row is
the one in the SQL tables, else the one in the latest segment that contains it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from astria_nb.log._schema import segment, submission

ROWS = 8192
"""Number of rows of a segment, and of unsealed rows that may accumulate."""
KEY = "submission"
"""The column that identifies a row."""
_SEAL = submission.update().where(
    submission.c.id == sa.bindparam("of_id"), submission.c.record == sa.bindparam("of_record")
)
_COUNT, _LAST_ID = sa.select(sa.func.sum(segment.c.rows)), sa.select(sa.func.max(submission.c.id))
_OPTIONS = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1))


def tables(connection: sa.Connection) -> list[pa.Table]:
    """Return every segment, oldest first."""
    streams = connection.execute(sa.select(segment.c.arrow).order_by(segment.c.id)).scalars()
    return [pa.ipc.open_stream(stream).read_all() for stream in streams]


def latest(parts: Sequence[pa.Table]) -> list[pa.Table]:
    """Return the tables without the rows that a later table contains again."""
    part_ids = [part[KEY].to_numpy() for part in parts]
    ids = np.concatenate(part_ids) if part_ids else np.empty(0, np.int64)
    # `unique` gives the first occurrence: in reverse order, that is the latest.
    _, first = np.unique(ids[::-1], return_index=True)
    if len(first) == len(ids):
        return list(parts)
    is_latest = np.zeros(len(ids), bool)
    is_latest[len(ids) - 1 - first] = True
    ends = np.cumsum([len(numbers) for numbers in part_ids])[:-1]
    return [
        part if mask.all() else part.filter(pa.array(mask))
        for part, mask in zip(parts, np.split(is_latest, ends), strict=True)
    ]


def add(connection: sa.Connection, table: pa.Table, records: Mapping[int, bytes]) -> None:
    """Write a segment, and mark its rows as sealed unless they have changed in the meantime.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    table : pyarrow.Table
    records : mapping of int to bytes
        The record that each submission's row was made from.
    """
    _put(connection, table)
    connection.execute(
        _SEAL, [{"of_id": key, "of_record": record, "sealed": 1} for key, record in records.items()]
    )
    if connection.execute(_COUNT).scalar_one() > 2 * connection.execute(_LAST_ID).scalar_one():
        compact(connection)


def compact(connection: sa.Connection) -> None:
    """Rewrite the segments without pruned rows and rows that have changed since."""
    sealed = connection.execute(sa.select(submission.c.id).where(submission.c.sealed.is_not(None))).scalars()
    ids = pa.array(list(sealed), pa.int64())
    current = [part.filter(pc.is_in(part[KEY], ids)) for part in latest(tables(connection))]
    connection.execute(segment.delete())
    for part in current:
        if len(part):
            _put(connection, part)


def _put(connection: sa.Connection, table: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as stream:
        stream.write_table(table.combine_chunks())
    connection.execute(segment.insert(), {"rows": len(table), "arrow": sink.getvalue().to_pybytes()})
