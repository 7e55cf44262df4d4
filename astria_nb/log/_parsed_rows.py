"""Rows that are read from the log's tables, parsed only once until they change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from astria_nb import rows
from astria_nb.log import _checksums as checksums
from astria_nb.log._queries import parsing, to_datetime
from astria_nb.log._schema import listed, submission
from astria_nb.log._selects import BODIES, columns_of
from astria_nb.log._sql import SqlConnection
from astria_nb.log._statements import among
from astria_nb.log._states import HAS_TUNE, RELEASED
from astria_nb.utils.concat_tables import concat_tables
from astria_nb.utils.typed_table import typed_table

TUNE_COLUMNS = [name for name in rows.TUNE_SCHEMA.names if name not in rows.LOG_SCHEMA.names]
SCHEMA = pa.schema([*(rows.TUNE_SCHEMA.field(name) for name in TUNE_COLUMNS), *rows.LOG_SCHEMA])
_NAMES = [*submission.columns]
# Rejected and unsent submissions are omitted once their title was planned again.
_ROWS = f"""
    SELECT {columns_of(submission)} FROM submission
    WHERE NOT (submission.state IN {listed(RELEASED)} AND EXISTS (
        SELECT 1 FROM submission AS later WHERE later.service = submission.service
            AND later.title = submission.title AND later.id > submission.id
            AND coalesce(later.account, '') = coalesce(submission.account, '')
    )) AND ({{is_read}}) ORDER BY submission.id
"""  # noqa: S608  constants
# The request is needed only until there is a record.
_TEXTS = f"""
    SELECT submission.id, record_body.json,
        CASE WHEN submission.record IS NULL THEN request_body.json END
    FROM submission {BODIES} WHERE {{is_read}}
"""  # noqa: S608  constants
PARSED = 512
"""Rows at a time: a parsed row takes several times the memory of its text and of its columns."""
_REMEMBERED = 16_384  # rows, of a few kilobytes


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """A submission, and its tune as the service sent it.

    Attributes
    ----------
    record : bytes or None
        The hash of the text from which `tune` was read.
    is_settled : bool
        Whether it can be written to a segment. A rejected submission cannot: it disappears when its title is
        planned again.
    """

    id: int
    identity: int
    record: bytes | None
    is_settled: bool
    tune: Mapping[str, Any]
    own: Mapping[str, Any]


class ParsedRows:
    """The rows of the last read, and their table.

    Parameters
    ----------
    remembered : int
        The maximum number of rows to keep.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._most = remembered
        self._rows: dict[int, ParsedRow] = {}
        self._table: tuple[list[int], pa.Table] = [], SCHEMA.empty_table()

    def read(
        self, connection: SqlConnection, is_read: str, values: Mapping[str, Any] | None = None
    ) -> Iterator[ParsedRow]:
        """Yield the rows that match a condition, oldest first; changed rows are parsed.

        Raises
        ------
        DamagedError
            A row, or the text that it refers to, is not as written.
        """
        remembered, latest = self._rows, dict[int, ParsedRow]()
        cursor = connection.execute(_ROWS.format(is_read=is_read), values or {})
        while batch := [*islice(cursor, PARSED)]:
            current = _current(connection, batch, remembered)
            if len(latest) <= self._most:  # more would take too much memory
                latest |= current
            yield from current.values()
        both = remembered | latest
        self._rows = both if len(both) <= self._most else latest if len(latest) <= self._most else {}

    def table(self, parsed: Sequence[ParsedRow]) -> pa.Table:
        """Return the rows as a table."""
        identities, table = self._table
        if (key := [row.identity for row in parsed]) != identities:
            table = table_of(parsed)
            self._table = (key, table) if len(key) <= self._most else ([], SCHEMA.empty_table())
        return table


def table_of(parsed: Sequence[ParsedRow]) -> pa.Table:
    """Return rows as a table: the columns of `SCHEMA`, and undocumented fields of the API."""
    parts = [_table(parsed[start : start + PARSED]) for start in range(0, len(parsed), PARSED)]
    return parts[0] if len(parts) == 1 else concat_tables(parts, SCHEMA)


def _current(
    connection: SqlConnection, batch: Sequence[tuple[Any, ...]], remembered: Mapping[int, ParsedRow]
) -> dict[int, ParsedRow]:
    identities, new = {row[0]: hash(row) for row in batch}, dict[int, dict[str, Any]]()
    for row in batch:
        before = remembered.get(row[0])
        if before is None or before.identity != identities[row[0]]:
            new[row[0]] = dict(zip(_NAMES, row, strict=True))
    parsed = _parse(connection, new, identities) if new else {}
    return {number: parsed.get(number) or remembered[number] for number in identities}


def _parse(
    connection: SqlConnection, new: Mapping[int, dict[str, Any]], identities: Mapping[int, int]
) -> dict[int, ParsedRow]:
    is_read, values = among(connection, new)
    parsed: dict[int, ParsedRow] = {}
    for number, record_json, request_json in connection.execute(_TEXTS.format(is_read=is_read), values):
        row = new[number] | {"record_json": record_json, "request_json": request_json}
        _check(row)
        with parsing(f"submission {number}"):
            parsed[number] = ParsedRow(
                id=number,
                identity=identities[number],
                record=row["record"],
                is_settled=row["state"] in HAS_TUNE and record_json is not None,
                tune=_tune(row),
                own=_own(row),
            )
    return parsed


def _check(row: Mapping[str, Any]) -> None:
    name = f"submission {row['id']}"
    checksums.check_row(row)
    checksums.check_body(row["record"], row["record_json"], f"the record of {name}")
    if row["record"] is None:
        checksums.check_body(row["request"], row["request_json"], f"the request of {name}")


def _table(parsed: Sequence[ParsedRow]) -> pa.Table:
    with parsing("a submission"):
        tunes = rows.tune_table([row.tune for row in parsed])
        # A field of the service with the name of one of our columns is dropped.
        tunes = tunes.drop_columns([name for name in rows.LOG_SCHEMA.names if name in tunes.column_names])
        own = typed_table([row.own for row in parsed], rows.LOG_SCHEMA)
    for field in rows.LOG_SCHEMA:
        tunes = tunes.append_column(field, own[field.name])
    return tunes


def _own(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "submission": row["id"],
        "service": row["service"],
        "account": row["account"],
        "state": row["state"],
        "planned_at": to_datetime(row["planned_at"]),
        "problem": row["problem"],
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
