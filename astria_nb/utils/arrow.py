"""Records as a table with the types of one Arrow schema, whatever JSON they hold, and as pandas."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

TIME = pa.timestamp("us", "UTC")
TEXTS, IDS = pa.list_(pa.string()), pa.list_(pa.int64())

_NONE = type(None)
_EXACT = 2**53  # up to here a float holds every whole number
_LONG = 10_000  # rows from which Arrow's threads are worth having
_REFUSALS = (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError)


def typed_table(records: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return one row per record, its columns those of a schema and behind them what else there is."""
    known = set(schema.names)
    if any(not _is_plain(key) for record in records for key in record if key not in known):
        records = [{as_text(key): value for key, value in record.items()} for record in records]
    others = dict.fromkeys(key for record in records for key in record if key not in known)
    columns = {key: [record.get(key) for record in records] for key in [*schema.names, *others]}
    fields = [*schema, *(_field(key, columns[key]) for key in others)]
    arrays = [_array(columns[field.name], field.type) for field in fields]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def typed_frame(records: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pd.DataFrame:
    """Return `typed_table` as pandas: ``Int64``, ``str``, ``datetime64[us, UTC]``, Arrow's lists."""
    return as_frame(typed_table(records, schema))


def as_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table as pandas, with types that can be null; text called ``…_at`` becomes times if it can."""
    for at, field in enumerate(table.schema):
        if field.name.endswith("_at") and field.type == pa.string():
            found = _times(table.column(at))
            table = table if found is None else table.set_column(at, field.name, found)
    # A thread that waits for Arrow's own threads when its process ends would keep that from ending.
    frame: pd.DataFrame = table.to_pandas(types_mapper=_pandas_type, use_threads=len(table) > _LONG)
    return frame


def stacked(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Return tables of `typed_table` one under the other; a column of several types becomes text."""
    kinds: dict[str, set[pa.DataType]] = {field.name: {field.type} for field in schema}
    for table in tables:
        for field, column in zip(table.schema, table.columns, strict=True):
            found = kinds.setdefault(field.name, set())
            if column.null_count < len(column):
                found.add(field.type)
    target = pa.schema([pa.field(name, _common(found)) for name, found in kinds.items()])
    return pa.concat_tables([_widened(table, target) for table in tables] or [target.empty_table()])


def as_text(value: Any) -> str:
    """Return text that every frontend and file takes; objects such as `characteristics` as their JSON."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        value = int(value)  # JSON knows one kind of numbers, and a column of fractions makes 1.0 of a 1
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.encode("utf-8", "replace").decode()


def as_time(value: Any) -> datetime | None:
    """Return a time of the API, in UTC where it names no zone; None for what is no time."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_plain(key: Any) -> bool:
    return isinstance(key, str) and key.isprintable()


def _field(key: str, values: Sequence[Any]) -> pa.Field:
    """Give a field that is not documented the type that its values share, or text."""
    kinds = {*map(type, values)} - {_NONE}
    if kinds == {bool}:
        return pa.field(key, pa.bool_())
    if kinds == {int}:
        return pa.field(key, pa.int64())
    if kinds and kinds <= {int, float}:
        return pa.field(key, pa.float64())
    return pa.field(key, pa.string())


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return a column: at once where all of it is as documented, else value by value."""
    kinds = {*map(type, values)}
    if kinds <= {_NONE}:
        return pa.nulls(len(values), kind)
    try:
        if kinds <= _expected(kind):
            # Arrow reads the API's times itself, twenty times faster.
            found = pa.array(values, pa.string()).cast(kind) if kinds <= {str, _NONE} else None
            found = pa.array(values, kind) if found is None else found
            if not (pa.types.is_list(kind) and found.values.null_count):
                return found
    except _REFUSALS:
        pass
    return pa.array([_value(value, kind) for value in values], kind)


def _expected(kind: pa.DataType) -> set[type]:
    if pa.types.is_list(kind):
        return {list, tuple, _NONE}
    if kind == TIME:
        return {str, _NONE}
    if pa.types.is_boolean(kind):
        return {bool, _NONE}
    if pa.types.is_integer(kind):
        return {int, _NONE}
    if pa.types.is_floating(kind):
        return {int, float, _NONE}
    return {str, _NONE}


def _value(value: Any, kind: pa.DataType) -> Any:
    """Make a value fit its column. One that does not fit becomes null: a row is never lost over a field."""
    if value is None:
        return None
    if kind == TIME:
        return as_time(value)
    if pa.types.is_list(kind):
        return _list(value, kind)
    if pa.types.is_boolean(kind):
        return value if isinstance(value, bool) else None
    if pa.types.is_integer(kind):
        return _integer(value)
    if pa.types.is_floating(kind):
        return _float(value)
    return as_text(value)


def _list(value: Any, kind: pa.DataType) -> list[Any] | None:
    if not isinstance(value, list | tuple):
        return None
    if kind == IDS:
        return [each for each in map(_integer, value) if each is not None]
    return [None if each is None else as_text(each) for each in value]


def _float(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:
        return None


def _integer(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if -(2**63) <= number < 2**63 else None


def _common(kinds: set[pa.DataType]) -> pa.DataType:
    if len(kinds) == 1:
        return next(iter(kinds))
    return pa.float64() if kinds == {pa.int64(), pa.float64()} else pa.string()


def _times(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return text as times, or None where it tells others."""
    try:
        return column.cast(TIME)
    except _REFUSALS:
        texts = column.to_pylist()
    times = [as_time(each) for each in texts]
    try:
        return pa.chunked_array([pa.array(times, TIME)]) if times.count(None) == texts.count(None) else None
    except _REFUSALS:
        return None


def _widened(table: pa.Table, target: pa.Schema) -> pa.Table:
    """Return a table with all the columns of a schema, in its order."""
    if table.schema.equals(target):
        return table
    columns = [
        _cast(table.column(field.name), field.type)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in target
    ]
    return pa.Table.from_arrays(columns, schema=target)


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if column.type != kind == pa.string():
        # As `_value` writes it, which is not as Arrow does.
        texts = [None if each is None else as_text(each) for each in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, kind)])
    return column.cast(kind, safe=False)


def _pandas_type(kind: pa.DataType) -> Any:
    if pa.types.is_integer(kind):
        return pd.Int64Dtype()
    if pa.types.is_floating(kind):
        return pd.Float64Dtype()
    if pa.types.is_boolean(kind):
        return pd.BooleanDtype()
    if pa.types.is_string(kind):
        return pd.StringDtype(na_value=float("nan"))
    if pa.types.is_timestamp(kind):
        return pd.DatetimeTZDtype("us", "UTC")
    return pd.ArrowDtype(kind)
