"""The contents of a frame: segments, and rows that are read from the tables."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from astria_nb import rows
from astria_nb.log import _segments as segments
from astria_nb.log._alike import Alike, types_of
from astria_nb.log._clocks import clocks_ahead
from astria_nb.log._parsed_rows import PARSED, SCHEMA, ParsedRow, ParsedRows, table_of
from astria_nb.log._sql import SqlConnection
from astria_nb.log._statements import among
from astria_nb.log._states import Labels
from astria_nb.utils.concat_tables import concat_tables, value_types
from astria_nb.utils.times import may_be_times

DOCUMENTED = frozenset([*SCHEMA.names, *rows.LABEL_SCHEMA.names])
FEW = 4096
"""Up to this many submissions are read individually, instead of with all others."""
_DENSE = 512  # fraction of a segment; fewer rows of it are read from the tables, which is faster
_UNSEALED = "submission.sealed IS NULL"


@dataclass(frozen=True, slots=True)
class SettledRows:
    """Settled rows, and the record from which each was made."""

    table: pa.Table
    records: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Contents:
    """Rows of a log as tables.

    Attributes
    ----------
    parts : sequence of pyarrow.Table
    settled : sequence of SettledRows
        Rows that can be written to segments.
    unsound : collection of int
        Segments that cannot be used.
    types : mapping of str to set of pyarrow.DataType
        The `value_types` of columns of rows that are not in the parts.
    """

    parts: Sequence[pa.Table]
    settled: Sequence[SettledRows] = ()
    unsound: Collection[int] = ()
    types: Mapping[str, set[pa.DataType]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overview:
    """Facts about a log whose segments and indexes were all checked: reading a few rows is then faster.

    Attributes
    ----------
    sizes : mapping of int to (int, int)
        Sizes of its segments; see `astria_nb.log._segments.sizes`.
    types : mapping of str to set of pyarrow.DataType, or None
        The undocumented columns, if they were read.
    last : int
        The latest submission.
    unsealed : frozenset of int
        The submissions that are not in a segment.
    has_far_clock : bool or None
        Whether a service's clock differs considerably from this machine's, if that was checked.
    """

    sizes: Mapping[int, tuple[int, int]]
    types: Mapping[str, set[pa.DataType]] | None
    last: int
    unsealed: frozenset[int]
    has_far_clock: bool | None = None

    def has_left_segment(self, submission: int) -> bool:
        """Return whether a row outside all segments was in one, which may have other types without it."""
        return submission <= self.last and submission not in self.unsealed


class FrameMemory:
    """Facts that a process keeps about an open log, so that the next frame is faster."""

    def __init__(self) -> None:
        self.rows = ParsedRows()
        self.labels: dict[int, tuple[str, Labels]] = {}
        self.overview: Overview | None = None


def whole(
    connection: SqlConnection, memory: FrameMemory, labelled: Collection[int], columns: Collection[str] | None
) -> Contents:
    """Return all rows.

    Parameters
    ----------
    connection : SqlConnection
    memory : FrameMemory
    labelled : collection of int
        The submissions that have labels.
    columns : collection of str, optional
        The columns to read from segments. Default: all.
    """
    sizes, sums = segments.sizes(connection), segments.sums(connection)
    sealed = segments.read(connection, columns)
    unsound: set[int] = sums.keys() - sealed.keys()
    while True:
        settled, others = read_rows(connection, memory.rows, unsound)
        parts = segments.latest([*sealed.values(), *(chunk.table for chunk in settled), others])
        current = dict(zip(sealed, parts, strict=False))
        outdated = [
            number for number in sealed if segments.sum_of(current[number]) != sums.get(number, (0, 0))
        ]
        if not outdated:
            break
        for number in outdated:
            segments.check_kept(connection, current[number])
            del sealed[number]
        unsound.update(outdated)
    segments.check_indexes(connection, [*current.values()], _is_read(unsound), labelled)
    types = _types(current.values()) if columns is None else None
    unsealed = frozenset(others[segments.KEY].to_pylist())
    last = max(
        [int(part[segments.KEY].to_numpy().max()) for part in current.values() if len(part)] + [*unsealed, 0]
    )
    memory.overview = None if unsound or settled else Overview(sizes, types, last, unsealed)
    return Contents(parts, settled, unsound)


def few(
    connection: SqlConnection, memory: FrameMemory, ids: Sequence[int], columns: Collection[str] | None
) -> Contents | None:
    """Return some rows, with all rows outside segments; None if the known facts are not enough.

    Parameters
    ----------
    connection : SqlConnection
    memory : FrameMemory
    ids : sequence of int
    columns : collection of str, optional
        Default: all.
    """
    overview = memory.overview
    if overview is None or overview.sizes != segments.sizes(connection):
        return None
    unsealed = [*memory.rows.read(connection, _UNSEALED)]
    if not _are_types_known(overview, columns, unsealed):
        return None
    is_status_wanted = columns is None or "status" in columns
    if len(unsealed) > segments.ROWS or (is_status_wanted and overview.has_far_clock is not False):
        return None
    parts, scattered = list[pa.Table](), list[int]()
    for number, sealed in segments.marked(connection, ids).items():
        if len(sealed) < _DENSE:
            scattered += sealed
            continue
        table = segments.read_one(connection, number, columns)
        if table is None:
            return None
        parts.append(table.filter(pc.is_in(table[segments.KEY], pa.array(sealed, pa.int64()))))
        if len(parts[-1]) != len(sealed):
            return None
    if scattered:
        unsealed += memory.rows.read(connection, *among(connection, scattered))
    return Contents([*parts, memory.rows.table(unsealed)], types=overview.types or {})


def remember(connection: SqlConnection, memory: FrameMemory, ids: Sequence[int]) -> None:
    """Prepare the rows that `few` reads from the tables, so that the next frame of these rows has them."""
    if not ids:
        return
    rows_read = [*memory.rows.read(connection, _UNSEALED)]
    if len(rows_read) > segments.ROWS:
        return
    marked = segments.marked(connection, ids).values()
    if scattered := [number for sealed in marked if len(sealed) < _DENSE for number in sealed]:
        rows_read += memory.rows.read(connection, *among(connection, scattered))
    memory.rows.table(rows_read)


def read_rows(
    connection: SqlConnection, parsed: ParsedRows, unsound: Collection[int]
) -> tuple[list[SettledRows], pa.Table]:
    """Return the rows outside valid segments: those that can be written to segments, and the others."""
    settled, others, chunks = Alike[ParsedRow](segments.ROWS), list[ParsedRow](), list[SettledRows]()
    for row in parsed.read(connection, _is_read(unsound)):
        if not row.is_settled:
            others.append(row)
        elif complete := settled.add(types_of(row), row):
            chunks.append(_chunk(complete[1]))
    for group in settled.rest():
        others += group
    return chunks, parsed.table(others)


def read_settled(connection: SqlConnection) -> Iterator[SettledRows]:
    """Yield rows that can be written to segments; parsed rows take kilobytes, so only a few are kept."""
    size = math.gcd(PARSED, segments.ROWS)
    settled, parts = Alike[ParsedRow](size), Alike[SettledRows](segments.ROWS // size)
    for row in ParsedRows(remembered=0).read(connection, _UNSEALED):
        if row.is_settled and (alike := settled.add(types_of(row), row)):
            types, group = alike
            if complete := parts.add(types, _chunk(group)):
                yield _joined(complete[1])


def _joined(parts: Sequence[SettledRows]) -> SettledRows:
    records = {number: record for part in parts for number, record in part.records.items()}
    return SettledRows(concat_tables([part.table for part in parts], SCHEMA), records)


def _chunk(settled: Sequence[ParsedRow]) -> SettledRows:
    return SettledRows(table_of(settled), {row.id: row.record for row in settled if row.record is not None})


def note_clocks(memory: FrameMemory, table: pa.Table, sent: Sequence[int]) -> None:
    """Remember whether the rows show that a service's clock differs considerably from this machine's."""
    before = memory.overview
    if before is not None:
        memory.overview = replace(before, has_far_clock=bool(clocks_ahead(table, sent)))


def _is_read(unsound: Collection[int]) -> str:
    """Return the condition for rows that are not in a segment."""
    return " OR ".join([_UNSEALED, *(f"submission.sealed = {number:d}" for number in unsound)])


def _are_types_known(
    overview: Overview, columns: Collection[str] | None, unsealed: Collection[ParsedRow]
) -> bool:
    """Return whether no other row affects the columns."""
    if columns is not None and {*columns} <= DOCUMENTED:
        return True
    if overview.types is None:
        return False
    names = overview.types.keys() if columns is None else overview.types.keys() & columns
    if names and any(overview.has_left_segment(row.id) for row in unsealed):
        return False
    return not any(may_be_times(name, pa.string()) for name in names)


def _types(tables: Collection[pa.Table]) -> dict[str, set[pa.DataType]]:
    types: dict[str, set[pa.DataType]] = {}
    for table in tables:
        for name in table.column_names:
            if name not in DOCUMENTED:
                types.setdefault(name, set()).update(value_types(table[name]))
    return types
