"""The log as typed frames."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from astria_nb import rows
from astria_nb.errors import LogError, Problem, TuneError
from astria_nb.log import _frame_contents as frame_contents
from astria_nb.log import _labels as labels
from astria_nb.log import _segments as segments
from astria_nb.log._clocks import service_times
from astria_nb.log._database import LogDatabase
from astria_nb.log._frame_contents import DOCUMENTED, FEW, Contents, FrameMemory, SettledRows
from astria_nb.log._inserts import microseconds
from astria_nb.log._parsed_rows import SCHEMA, TUNE_COLUMNS
from astria_nb.log._reruns import again_if_lost
from astria_nb.log._sql import SqlConnection
from astria_nb.log._states import Labels
from astria_nb.tune import Difference
from astria_nb.utils.arrow_to_pandas import columns_to_pandas
from astria_nb.utils.concat_tables import concat_tables
from astria_nb.utils.formatting import short
from astria_nb.utils.service_address import is_same_service
from astria_nb.utils.times import with_times
from astria_nb.utils.typed_frame import typed_frame

# The latest tune of each service that was found after its answer was lost.
_SENT = "SELECT max(id) FROM submission WHERE state = 'adopted' AND attempt > 0 GROUP BY service"
_SINCE = "SELECT id FROM submission WHERE planned_at >= :since LIMIT :few"
_ALL = pa.schema([*SCHEMA, *rows.LABEL_SCHEMA])
# The columns on which `status` depends, besides the time of the service.
_OF_STATUS = ("status", "expires_at", "created_at", "planned_at", "state", "service")


@dataclass(frozen=True, slots=True)
class Selection:
    """The requested rows and columns; see `astria_nb.log.Log.frame`."""

    columns: tuple[str, ...] | None = None
    since: datetime | None = None
    tag: str | None = None
    service: str | None = None
    hidden: bool = False

    @property
    def read(self) -> frozenset[str] | None:
        """The columns that have to be read; None for all."""
        if self.columns is None:
            return None
        names = {*self.columns, segments.KEY, "planned_at"}
        names |= {*_OF_STATUS} if "status" in names else set()
        return frozenset(names | ({"service"} if self.service is not None else set()))


def submissions(database: LogDatabase, wanted: Selection) -> pd.DataFrame:
    """Return a row per submission; see `astria_nb.log.Log.frame`."""
    return columns_to_pandas(_read(database, wanted))


@again_if_lost
def _read(database: LogDatabase, wanted: Selection) -> dict[str, pa.ChunkedArray]:
    memory = _memory_of(database)
    if wanted.tag is not None:
        wanted = replace(wanted, tag=labels.check_tags([wanted.tag])[0])
    with database.store.reading(checked=False) as connection:
        labelled = labels.read(connection, memory.labels)
        ids, contents = _few(connection, wanted, labelled), None
        if ids is not None:
            contents = frame_contents.few(connection, memory, ids, wanted.read)
        is_whole = contents is None
        if contents is None:
            contents = frame_contents.whole(connection, memory, labelled, wanted.read)
            frame_contents.remember(connection, memory, ids or ())
        sent = [number for (number,) in connection.execute(_SENT)]
    _keep(database, contents)
    table = with_times(_sorted(_concatenated(contents, wanted)))
    if "status" in table.column_names:
        if is_whole:
            frame_contents.note_clocks(memory, table, sent)
        table = rows.with_expiry(table, service_times(table, sent))
    return _columns(_selected(table, wanted, labelled), wanted, labelled)


def no_submissions(columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the frame of a log that does not exist."""
    frame = typed_frame([], _ALL)
    return frame if columns is None else frame[[*_checked(columns, frame.columns)]]


@again_if_lost
def seal(database: LogDatabase) -> None:
    """Write settled rows to segments, if there are enough of them."""
    with database.store.reading() as connection:
        settled = [*frame_contents.read_settled(connection)]
    for chunk in settled:
        _seal(database, chunk)


def differences_frame(differences: Sequence[Difference]) -> pd.DataFrame:
    """Return differences as text, a row each."""
    schema = pa.schema({"field": pa.string(), "a": pa.string(), "b": pa.string()})
    records = [
        {"field": difference.field, "a": difference.a, "b": difference.b} for difference in differences
    ]
    return typed_frame(records, schema)


def _memory_of(database: LogDatabase) -> FrameMemory:
    if database.frame_memory is None:
        database.frame_memory = FrameMemory()
    return database.frame_memory


def _few(
    connection: SqlConnection, wanted: Selection, labelled: Mapping[int, Labels]
) -> Sequence[int] | None:
    """Return the submissions that may match, if there are only a few."""
    ids: list[int] | None = None
    if wanted.tag is not None:
        ids = [number for number, own in labelled.items() if wanted.tag in own.tags]
    if wanted.since is not None and (ids is None or len(ids) > FEW):
        values = {"since": microseconds(wanted.since), "few": FEW + 1}
        ids = [number for (number,) in connection.execute(_SINCE, values)]
    return None if ids is None or len(ids) > FEW else ids


def _keep(database: LogDatabase, contents: Contents) -> None:
    """Write rows to segments if possible. Segments are a cache: a read-only log can still be read."""
    if contents.unsound:
        with suppress(LogError), database.store.writing() as connection:
            segments.drop(connection, contents.unsound)
    for chunk in contents.settled:
        _seal(database, chunk)


def _seal(database: LogDatabase, chunk: SettledRows) -> None:
    if len(chunk.table) < segments.ROWS:
        return
    with suppress(LogError), database.store.writing() as connection:
        segments.add(connection, chunk.table, chunk.records)


def _concatenated(contents: Contents, wanted: Selection) -> pa.Table:
    """Return the rows as one table, with the columns that are read.

    An undocumented field of the API becomes a column if any row has a value for it. Fields that are null in
    every row do not, since a segment does not record which of its rows had them.
    """
    names, types, schema, parts = wanted.read, contents.types, SCHEMA, contents.parts
    if names is not None:
        schema = pa.schema([column for column in SCHEMA if column.name in names])
        parts = [part.select([name for name in part.column_names if name in names]) for part in parts]
        types = {name: column_types for name, column_types in types.items() if name in names}
    table = concat_tables(parts, schema, types)
    return table.select(
        [
            name
            for name in table.column_names
            if name in DOCUMENTED or types.get(name) or table[name].null_count < len(table)
        ]
    )


def _sorted(table: pa.Table) -> pa.Table:
    ids = table[segments.KEY].to_numpy()
    return table.take(ids.argsort()) if (ids[1:] < ids[:-1]).any() else table


def _selected(table: pa.Table, wanted: Selection, labelled: Mapping[int, Labels]) -> pa.Table:
    """Return the matching rows."""
    numbers = table[segments.KEY].to_numpy()
    is_wanted = np.ones(len(table), bool)
    if not wanted.hidden:
        is_wanted &= ~np.isin(numbers, [number for number, own in labelled.items() if own.hidden])
    if wanted.tag is not None:
        is_wanted &= np.isin(numbers, [number for number, own in labelled.items() if wanted.tag in own.tags])
    if wanted.since is not None:
        is_wanted &= table["planned_at"].cast(pa.int64()).to_numpy() >= microseconds(wanted.since)
    if wanted.service is not None:
        names = pc.unique(table["service"]).to_pylist()
        services = [name for name in names if is_same_service(wanted.service, name)]
        is_wanted &= pc.is_in(table["service"], pa.array(services, pa.string())).to_numpy()
    return table if is_wanted.all() else table.filter(pa.array(is_wanted))


def _columns(
    table: pa.Table, wanted: Selection, labelled: Mapping[int, Labels]
) -> dict[str, pa.ChunkedArray]:
    """Return the columns of a table, with the labels of its rows, in order."""
    own = labels.columns(table[segments.KEY].to_numpy(), labelled)
    columns = dict(zip(table.column_names, table.columns, strict=True))
    columns |= dict(zip(own.column_names, own.columns, strict=True))
    # The order in which rows were written to segments does not matter.
    undocumented = sorted(columns.keys() - DOCUMENTED)
    names = [*TUNE_COLUMNS, *undocumented, *rows.LOG_SCHEMA.names, *rows.LABEL_SCHEMA.names]
    if wanted.columns is not None:
        names = _checked(wanted.columns, {*columns, *DOCUMENTED})
    return {name: columns[name] for name in names}


def _checked(names: Sequence[str], existing: Collection[str]) -> list[str]:
    for name in names:
        if name not in existing:
            hint = "list(log.frame().columns) has those of this log"
            raise TuneError(Problem("columns", f"{short(name)} is not a column of this log", hint))
    return [*names]
