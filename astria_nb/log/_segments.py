"""Settled rows of the log as Arrow tables, so that a frame of a million tunes takes seconds.

A segment holds thousands of settled rows and never changes. A row records which segment holds its current
state; if the row changes, this mark is removed: the row is read from the SQL tables again and is written to a
later segment.

Segments are a cache. A segment that is missing, damaged or older than its rows is dropped, and its rows are
read from the SQL tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from astria_nb.log._checksums import DamagedError, of_segment
from astria_nb.log._schema import segment
from astria_nb.log._sql import SqlConnection
from astria_nb.log._statements import among, insert_into
from astria_nb.rows import LOG_SCHEMA
from astria_nb.utils.shared_nulls import share_nulls

ROWS = 8192
"""Number of rows of a segment, and of rows outside segments that may accumulate."""
KEY = "submission"
"""The column that identifies a row."""
Sum = tuple[int, int]
"""The number of rows, and the sum of their ids: sets of rows with equal sums are considered equal."""
_SEAL = "UPDATE submission SET sealed = :sealed WHERE id = :id AND record = :record"
# In one statement: on a server, each statement waits for its answer.
_SEAL_ON_SERVER = """
    UPDATE submission SET sealed = :sealed
    FROM unnest(CAST(:ids AS bigint[]), CAST(:records AS bytea[])) AS settled (id, record)
    WHERE submission.id = settled.id AND submission.record = settled.record
"""
_UNSEAL = "UPDATE submission SET sealed = NULL WHERE sealed = :id"
_NEXT_ID = "SELECT coalesce(max(id), 0) + 1 FROM segment"
_IS_LARGE = "SELECT (SELECT sum(rows) FROM segment) > 2 * (SELECT max(id) FROM submission)"
_SEGMENTS = "SELECT id, rows, arrow, checksum FROM segment"
_SIZES = "SELECT id, rows, length(arrow) FROM segment"
_INSERT = insert_into("segment", segment.columns)
_OPTIONS = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1))
_SUM = "count(*), CAST(coalesce(sum(id), 0) AS bigint) FROM submission"
_MARKS = "SELECT DISTINCT sealed FROM submission WHERE sealed IS NOT NULL"
_SEALED_SUMS = f"SELECT sealed, {_SUM} WHERE sealed IS NOT NULL GROUP BY sealed"
_MARKED = "SELECT id, sealed FROM submission WHERE sealed IS NOT NULL"
# SQLite's sum of whole microseconds would be too large.
_PLANNED = "coalesce(sum(planned_at & 4294967295), 0), coalesce(sum(planned_at >> 32), 0)"
_READ = f"SELECT count(*), coalesce(sum(id), 0), {_PLANNED} FROM submission WHERE {{is_read}}"  # noqa: S608
_TOTAL = f"""
    SELECT count(*), coalesce(sum(id), 0), {_PLANNED},
        count(labels), coalesce(sum(CASE WHEN labels IS NOT NULL THEN id END), 0)
    FROM submission INDEXED BY submission_planned
"""  # noqa: S608  constants


def read(connection: SqlConnection, columns: Collection[str] | None = None) -> dict[int, pa.Table]:
    """Return every undamaged segment by id, oldest first, with only some of its columns."""
    return dict(_undamaged(connection.execute(f"{_SEGMENTS} ORDER BY id"), columns))


def read_one(
    connection: SqlConnection, number: int, columns: Collection[str] | None = None
) -> pa.Table | None:
    """Return a segment if it is undamaged."""
    rows = connection.execute(f"{_SEGMENTS} WHERE id = :id", {"id": number})
    return dict(_undamaged(rows, columns)).get(number)


def sizes(connection: SqlConnection) -> dict[int, tuple[int, int]]:
    """Return the number of rows and bytes of each segment, which identify it."""
    return {number: (rows, size) for number, rows, size in connection.execute(_SIZES)}


def marked(connection: SqlConnection, ids: Collection[int]) -> dict[int, list[int]]:
    """Return submissions that are in segments, by the segment that holds their current state."""
    condition, values = among(connection, ids)
    sealed: dict[int, list[int]] = {}
    for number, mark in connection.execute(f"{_MARKED} AND {condition} ORDER BY id", values):
        sealed.setdefault(mark, []).append(number)
    return sealed


def sums(connection: SqlConnection) -> dict[int, Sum]:
    """Return the sum of the rows that each segment holds in their current state, according to the rows."""
    return {of: (rows, ids) for of, rows, ids in connection.execute(_SEALED_SUMS)}


def check_indexes(
    connection: SqlConnection, sealed: Sequence[pa.Table], is_read: str, labelled: Collection[int]
) -> None:
    """Check that the indexes that are used to read rows contain all rows: each may be damaged in a file.

    Parameters
    ----------
    connection : SqlConnection
    sealed : sequence of pyarrow.Table
        The segments, with the rows whose current state they hold.
    is_read : str
        The condition for rows that are read from the table of submissions.
    labelled : collection of int
        The labelled submissions, according to their index.

    Raises
    ------
    DamagedError
        An index lacks rows, or has too many.
    """
    if not isinstance(connection, sqlite3.Connection):
        return
    *total, labels, labelled_ids = connection.execute(_TOTAL).fetchone()
    parts = [connection.execute(_READ.format(is_read=is_read)).fetchone(), *map(_sums_of, sealed)]
    is_complete = [*map(sum, zip(*parts, strict=True))] == total
    if not is_complete or (labels, labelled_ids) != (len(labelled), sum(labelled)):
        raise DamagedError("its submissions and their indexes differ")


def _sums_of(table: pa.Table) -> tuple[int, int, int, int]:
    planned = table["planned_at"].cast(pa.int64()).to_numpy().astype(np.int64)  # no rows: floats
    return *sum_of(table), int((planned & 0xFFFFFFFF).sum()), int((planned >> 32).sum())


def sum_of(table: pa.Table) -> Sum:
    """Return the sum of a table's rows."""
    return len(table), int(table[KEY].to_numpy().sum())


def check_kept(connection: SqlConnection, table: pa.Table) -> None:
    """Check that each row of a segment is still a submission.

    Raises
    ------
    DamagedError
        The table of submissions has lost one.
    """
    ids = {number for (number,) in connection.execute("SELECT id FROM submission")}
    if lost := [number for number in table[KEY].to_pylist() if number not in ids]:
        raise DamagedError(f"submission {lost[0]} is missing")


def latest(parts: Sequence[pa.Table]) -> list[pa.Table]:
    """Return the tables without rows that a later table contains again."""
    part_ids = [part[KEY].to_numpy() for part in parts]
    ids = np.concatenate(part_ids) if part_ids else np.empty(0, np.int64)
    if (ids[1:] > ids[:-1]).all():
        return list(parts)
    # `unique` returns the first occurrence: in reverse order, that is the latest.
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


def add(connection: SqlConnection, table: pa.Table, records: Mapping[int, bytes]) -> None:
    """Write a segment, and mark its rows unless they have changed in the meantime.

    Parameters
    ----------
    connection : SqlConnection
    table : pyarrow.Table
    records : mapping of int to bytes
        The record from which each submission's row was made.
    """
    (number,) = connection.execute(_NEXT_ID).fetchone()
    _put(connection, number, table)
    if isinstance(connection, sqlite3.Connection):
        rows = [{"id": key, "record": record, "sealed": number} for key, record in records.items()]
        connection.executemany(_SEAL, rows)
    else:
        values = {"sealed": number, "ids": [*records], "records": [*records.values()]}
        connection.execute(_SEAL_ON_SERVER, values)
    (is_large,) = connection.execute(_IS_LARGE).fetchone()
    if is_large:
        compact(connection)


def drop(connection: SqlConnection, unsound: Collection[int]) -> None:
    """Remove segments, and the marks of their rows."""
    numbers = [{"id": number} for number in unsound]
    connection.executemany(_UNSEAL, numbers)
    connection.executemany("DELETE FROM segment WHERE id = :id", numbers)


def compact(connection: SqlConnection) -> None:
    """Rewrite the segments without pruned rows and rows that have changed since."""
    sound, marks = read(connection), connection.execute(_MARKS).fetchall()
    connection.execute("DELETE FROM segment")
    for number, table in sound.items():
        sealed = connection.execute("SELECT id FROM submission WHERE sealed = :id", {"id": number})
        ids = pa.array([submission for (submission,) in sealed], pa.int64())
        current = table.filter(pc.is_in(table[KEY], ids))
        if len(current):
            _put(connection, number, _without_empty_columns(current))
    connection.executemany(_UNSEAL, [{"id": number} for (number,) in marks if number not in sound])


def _without_empty_columns(table: pa.Table) -> pa.Table:
    """Return a table without columns that only removed rows had: not even their names are kept."""
    return table.select(
        [
            name
            for name in table.column_names
            if name in LOG_SCHEMA.names or table[name].null_count < len(table)
        ]
    )


def _undamaged(
    segments: Iterable[tuple[int, int, object, int]], columns: Collection[str] | None = None
) -> Iterator[tuple[int, pa.Table]]:
    pool = pa.system_memory_pool()  # for a million rows, Arrow's own method takes 150 MB more
    for number, rows, stream, checksum in segments:
        if not isinstance(stream, bytes) or of_segment(number, rows, stream) != checksum:
            continue
        try:
            reader = pa.ipc.open_stream(stream, memory_pool=pool)
            if not {*LOG_SCHEMA.names} <= {*reader.schema.names}:  # an earlier version wrote it
                continue
            if columns is not None:
                fields = [at for at, name in enumerate(reader.schema.names) if name in columns]
                options = pa.ipc.IpcReadOptions(included_fields=fields)
                reader = pa.ipc.open_stream(stream, options=options, memory_pool=pool)
            yield number, share_nulls(reader.read_all())
        except pa.ArrowException:  # written by an incompatible version of Arrow
            continue


def _put(connection: SqlConnection, number: int, table: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as stream:
        stream.write_table(table.combine_chunks())
    arrow = sink.getvalue().to_pybytes()
    checksum = of_segment(number, len(table), arrow)
    values = {"id": number, "rows": len(table), "arrow": arrow, "checksum": checksum}
    connection.execute(_INSERT, values)
