"""The log as typed frames."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from astria_nb import rows
from astria_nb.errors import LogError
from astria_nb.log import _checksums as checksums
from astria_nb.log import _labels as labels
from astria_nb.log import _segments as segments
from astria_nb.log._alike import AlikeRows
from astria_nb.log._clocks import service_times
from astria_nb.log._database import LogDatabase
from astria_nb.log._queries import parsing, to_datetime
from astria_nb.log._reruns import again_if_lost
from astria_nb.log._schema import listed, submission
from astria_nb.log._selects import BODIES, columns_of
from astria_nb.log._sql import SqlConnection
from astria_nb.log._statements import Query
from astria_nb.log._states import HAS_TUNE, RELEASED
from astria_nb.tune import Difference
from astria_nb.utils.arrow import concat_tables, to_pandas, typed_frame, typed_table
from astria_nb.utils.service_address import is_same_service

# The tune's own columns, without those that the log has itself.
_TUNE_COLUMNS = [name for name in rows.TUNE_SCHEMA.names if name not in rows.LOG_SCHEMA.names]
SCHEMA = pa.schema([*(rows.TUNE_SCHEMA.field(name) for name in _TUNE_COLUMNS), *rows.LOG_SCHEMA])
# The latest tune of each service that was found after its answer was lost.
_SENT = "SELECT max(id) FROM submission WHERE state = 'adopted' AND attempt > 0 GROUP BY service"
# The request is needed only until there is a record.
_ROWS = f"""
    SELECT {columns_of(submission)}, record_body.json AS record_json,
        CASE WHEN submission.record IS NULL THEN request_body.json END AS request_json
    FROM submission {BODIES}
    WHERE NOT (submission.state IN {listed(RELEASED)} AND EXISTS (
        SELECT 1 FROM submission AS later WHERE later.service = submission.service
            AND later.title = submission.title AND later.id > submission.id
            AND coalesce(later.account, '') = coalesce(submission.account, '')
    )) AND ({{is_read}}) ORDER BY submission.id
"""  # noqa: S608  constants
_ALL = pa.schema([*SCHEMA, *rows.LABEL_SCHEMA])
_PARSED = 512  # rows at once: parsed, a row takes several times the memory of its text and of its columns


@again_if_lost
def submissions(database: LogDatabase) -> pd.DataFrame:
    """Return a row per submission; see `astria_nb.log.Log.frame`."""
    with database.store.reading() as connection:
        contents, labelled = _contents(connection), labels.read(connection)
        sent = [number for (number,) in connection.execute(_SENT)]
    if contents.unsound:
        # Segments are only a cache, so a log that cannot be written can still be read.
        with suppress(LogError), database.store.writing() as connection:
            segments.drop(connection, contents.unsound)
    for chunk in contents.settled:
        _seal(database, chunk)
    table = concat_tables(contents.parts, SCHEMA)
    ids = table[segments.KEY].to_numpy()
    if (ids[1:] < ids[:-1]).any():
        table = table.take(ids.argsort())
    table = rows.with_expiry(table, service_times(table, sent))
    documented = {*_ALL.names}
    # In which order rows were sealed does not matter.
    undocumented = sorted(name for name in table.column_names if name not in documented)
    table = table.select([*_TUNE_COLUMNS, *undocumented, *rows.LOG_SCHEMA.names])
    own = labels.columns(table[segments.KEY].to_numpy(), labelled)
    for field in rows.LABEL_SCHEMA:
        table = table.append_column(field, own[field.name])
    return to_pandas(table)


def selected(frame: pd.DataFrame, tag: str | None, service: str | None, *, hidden: bool) -> pd.DataFrame:
    """Return the rows that are asked for; see `astria_nb.log.Log.frame`."""
    is_wanted = pd.Series(True, index=frame.index)
    if not hidden:
        is_wanted &= ~frame["hidden"].astype(bool)
    if tag is not None:
        name = labels.check_tags([tag])[0]
        is_wanted &= frame["tags"].map(lambda tags: name in tags).astype(bool)
    if service is not None:
        names = [name for name in frame["service"].unique() if is_same_service(service, name)]
        is_wanted &= frame["service"].isin(names)
    return frame if is_wanted.all() else frame[is_wanted].reset_index(drop=True)


def no_submissions() -> pd.DataFrame:
    """Return the frame of a log that does not exist."""
    return typed_frame([], _ALL)


@again_if_lost
def seal(database: LogDatabase) -> None:
    """Write settled rows to segments, if there are enough of them."""
    with database.store.reading() as connection:
        chunks, _ = _read_rows(connection, ())
    for chunk in chunks:
        _seal(database, chunk)


def differences_frame(differences: Sequence[Difference]) -> pd.DataFrame:
    """Return differences as text, a row each."""
    schema = pa.schema({"field": pa.string(), "a": pa.string(), "b": pa.string()})
    records = [
        {"field": difference.field, "a": difference.a, "b": difference.b} for difference in differences
    ]
    return typed_frame(records, schema)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Settled rows, and the record that each of them was made from."""

    table: pa.Table
    records: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class _Contents:
    """All rows of a log as tables, of which some can be sealed; and the segments that cannot be used."""

    parts: Sequence[pa.Table]
    settled: Sequence[_Chunk]
    unsound: Collection[int]


def _contents(connection: SqlConnection) -> _Contents:
    sealed, sums = segments.read(connection), segments.sums(connection)
    unsound: set[int] = sums.keys() - sealed.keys()
    while True:
        settled, others = _read_rows(connection, unsound)
        parts = segments.latest([*sealed.values(), *(chunk.table for chunk in settled), others])
        current = dict(zip(sealed, parts, strict=False))
        outdated = [
            number for number in sealed if segments.sum_of(current[number]) != sums.get(number, (0, 0))
        ]
        if not outdated:
            return _Contents(parts, settled, unsound)
        for number in outdated:
            segments.check_kept(connection, current[number])
            del sealed[number]
        unsound.update(outdated)


def _read_rows(connection: SqlConnection, unsound: Collection[int]) -> tuple[list[_Chunk], pa.Table]:
    """Return the rows that are in no segment or in an unsound one: settled ones in chunks, and the others."""
    settled, others = AlikeRows(segments.ROWS), list[dict[str, Any]]()
    chunks: list[_Chunk] = []
    for record in _unsealed(unsound).rows(connection):
        _check(record)
        if not _is_settled(record):
            others.append(record)
            continue
        with parsing(f"submission {record['id']}"):
            complete = settled.add(record)
        if complete:
            chunks.append(_chunk(complete))
    chunks.extend(map(_chunk, settled.rest()))
    return chunks, _tables(others)


def _unsealed(unsound: Collection[int]) -> Query:
    is_read = ["submission.sealed IS NULL", *(f"submission.sealed = {number:d}" for number in unsound)]
    return Query(_ROWS.format(is_read=" OR ".join(is_read)))


def _check(row: Mapping[str, Any]) -> None:
    name = f"submission {row['id']}"
    checksums.check_row(row)
    checksums.check_body(row["record"], row["record_json"], f"the record of {name}")
    if row["record"] is None:
        checksums.check_body(row["request"], row["request_json"], f"the request of {name}")


def _is_settled(row: Mapping[str, Any]) -> bool:
    # A rejected submission disappears when its title is planned again, so it is never sealed.
    return row["state"] in HAS_TUNE and row["record_json"] is not None


def _chunk(settled: Sequence[Mapping[str, Any]]) -> _Chunk:
    return _Chunk(_tables(settled), {row["id"]: row["record"] for row in settled})


def _seal(database: LogDatabase, chunk: _Chunk) -> None:
    if len(chunk.table) < segments.ROWS:
        return
    with suppress(LogError), database.store.writing() as connection:
        segments.add(connection, chunk.table, chunk.records)


def _tables(records: Sequence[Mapping[str, Any]]) -> pa.Table:
    parts = [_table(records[start : start + _PARSED]) for start in range(0, len(records), _PARSED)]
    return parts[0] if len(parts) == 1 else concat_tables(parts, SCHEMA)


def _table(records: Sequence[Mapping[str, Any]]) -> pa.Table:
    with parsing("a submission"):
        tunes = rows.tune_table([_tune(record) for record in records])
        # A field of the service with the name of one of our columns is dropped.
        tunes = tunes.drop_columns([name for name in rows.LOG_SCHEMA.names if name in tunes.column_names])
        own = typed_table([_own(record) for record in records], rows.LOG_SCHEMA)
    for field in rows.LOG_SCHEMA:
        tunes = tunes.append_column(field, own[field.name])
    return tunes


def _own(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "submission": record["id"],
        "service": record["service"],
        "account": record["account"],
        "state": record["state"],
        "planned_at": to_datetime(record["planned_at"]),
        "problem": record["problem"],
    }


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
