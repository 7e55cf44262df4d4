"""JSON records as tables with the types of an Arrow schema, and as pandas frames."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from math import isnan
from typing import Any

import pandas as pd
import pyarrow as pa

from astria_nb.utils.arguments import parse_number, parse_whole

TIME = pa.timestamp("us", "UTC")
TEXTS, IDS = pa.list_(pa.string()), pa.list_(pa.int64())
_LARGE_TEXT, _UTC_TIME = pa.large_string(), pa.timestamp("us")  # what pandas makes of text and of times
_FEW = 16  # values that Python converts sooner than Arrow begins to

try:
    TEXT_DTYPE: Any = pd.StringDtype(na_value=float("nan"))
except TypeError:  # pandas 2.2 has the same type under another name
    TEXT_DTYPE = pd.StringDtype("pyarrow_numpy")

_NONE = type(None)
_MAX_EXACT = 2**53  # below it, a float represents every integer
_INT64, _EXACT_AS_FLOAT = range(-(2**63), 2**63), range(1 - _MAX_EXACT, _MAX_EXACT)
_WIDE = pa.uint64()  # stands for integers of which some are beyond that; no column has this type
_FIRST_TIME, _LAST_TIME = (pa.scalar(time, pa.timestamp("us")).value for time in (datetime.min, datetime.max))
_MAX_EXTRA = 10_000  # columns besides those of the schema
_CONVERSION_ERRORS = (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError)


def typed_table(
    records: Sequence[Mapping[str, Any]],
    schema: pa.Schema,
    derived: Mapping[str, Sequence[Any]] | None = None,
) -> pa.Table:
    """Return one row per record: the columns of a schema, then any other keys of the records.

    Parameters
    ----------
    records : sequence of mapping
        JSON objects. A value that does not fit its column becomes null. Of their other keys, the first 10,000
        become columns: nobody reads more, and each takes time.
    schema : pyarrow.Schema
    derived : mapping of str to sequence, optional
        Columns of the schema whose values are not those in the records: a value for each.

    Returns
    -------
    pyarrow.Table
    """
    names = set(schema.names)
    if any(not _is_plain(key) for record in records for key in record if key not in names):
        records = [{to_text(key): value for key, value in record.items()} for record in records]
    extra = dict.fromkeys(key for record in records for key in record if key not in names)
    extra = dict.fromkeys(islice(extra, _MAX_EXTRA))
    columns = dict(derived or {})
    for key in [*schema.names, *extra]:
        if key not in columns:
            columns[key] = [record.get(key) for record in records]
    fields = [*schema, *(_infer_field(key, columns[key]) for key in extra)]
    arrays = [_array(columns[field.name], field.type) for field in fields]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Return a table as pandas, with nullable types; text columns named ``…_at`` become times if they can.

    Parameters
    ----------
    table : pyarrow.Table

    Returns
    -------
    pandas.DataFrame
    """
    table = with_times(table)
    return columns_to_pandas(dict(zip(table.column_names, table.columns, strict=True)))


def with_times(table: pa.Table) -> pa.Table:
    """Return a table whose text columns named ``…_at`` are times if all of their values are.

    Parameters
    ----------
    table : pyarrow.Table

    Returns
    -------
    pyarrow.Table
    """
    columns = [
        _times(column) if may_be_times(field.name, field.type) else column
        for field, column in zip(table.schema, table.columns, strict=True)
    ]
    return pa.table(columns, names=table.column_names)  # at once: `set_column` copies the list of all


def may_be_times(name: str, arrow_type: pa.DataType) -> bool:
    """Return whether a column's values decide whether it has times or text.

    Parameters
    ----------
    name : str
    arrow_type : pyarrow.DataType

    Returns
    -------
    bool
    """
    return name.endswith("_at") and arrow_type == pa.string()


def columns_to_pandas(columns: dict[str, pa.ChunkedArray]) -> pd.DataFrame:
    """Return columns as pandas, with nullable types; they are removed, so that each is in memory once.

    Parameters
    ----------
    columns : dict of str to pyarrow.ChunkedArray

    Returns
    -------
    pandas.DataFrame
    """
    arrays: dict[str, Any] = {}
    for name in [*columns]:
        arrays[name] = _to_array(columns.pop(name))
    return pd.DataFrame(arrays, copy=False)


def column_array(values: Sequence[Any], arrow_type: pa.DataType) -> Any:
    """Return values as the array of a column of pandas, with the type that `to_pandas` gives it.

    Parameters
    ----------
    values : sequence of JSON
        As in the records of `typed_table`.
    arrow_type : pyarrow.DataType

    Returns
    -------
    pandas.api.extensions.ExtensionArray
    """
    dtype = _pandas_type(arrow_type)
    # As pandas stores it: a conversion by Arrow takes longer than all else that a few values need.
    array = _array(values, _LARGE_TEXT if dtype == TEXT_DTYPE else arrow_type)
    array = array.view(_UTC_TIME) if arrow_type == TIME else array
    return dtype.__from_arrow__(pa.chunked_array([array]))


def concat_tables(
    tables: Sequence[pa.Table],
    schema: pa.Schema,
    more_types: Mapping[str, Collection[pa.DataType]] | None = None,
) -> pa.Table:
    """Return the rows of several `typed_table` results; a column of conflicting types becomes text.

    So does one of fractions beside integers of 2**53 and more, which would not be the same as floats.

    Parameters
    ----------
    tables : sequence of pyarrow.Table
        Made with the same schema.
    schema : pyarrow.Schema
        The schema's own columns, also present in the result if there are no tables.
    more_types : mapping of str to collection of pyarrow.DataType, optional
        The `value_types` of columns that further tables have, so that the result is like theirs.

    Returns
    -------
    pyarrow.Table
    """
    documented = {field.name: field.type for field in schema}
    types = {name: {arrow_type} for name, arrow_type in documented.items()}
    for name, column_types in (more_types or {}).items():
        types.setdefault(name, set()).update(column_types)
    for table in tables:
        for field, column in zip(table.schema, table.columns, strict=True):
            if documented.get(field.name) != field.type:
                types.setdefault(field.name, set()).update(value_types(column))
    target = pa.schema([pa.field(name, _common_type(column_types)) for name, column_types in types.items()])
    return pa.concat_tables([_to_schema(table, target) for table in tables] or [target.empty_table()])


def value_types(column: pa.ChunkedArray) -> set[pa.DataType]:
    """Return what decides which type a column has together with others of its name.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        Of a `typed_table`.

    Returns
    -------
    set of pyarrow.DataType
        Empty without a value.
    """
    if column.null_count == len(column):
        return set()
    if column.type == pa.int64():
        numbers = column.drop_null().to_numpy()
        if int(numbers.min()) not in _EXACT_AS_FLOAT or int(numbers.max()) not in _EXACT_AS_FLOAT:
            return {column.type, _WIDE}
    return {column.type}


def share_nulls(table: pa.Table) -> pa.Table:
    """Return a table whose columns without a value take no memory of their own.

    Parameters
    ----------
    table : pyarrow.Table

    Returns
    -------
    pyarrow.Table
    """
    return pa.Table.from_arrays(
        [_shared(column, column.type) for column in table.columns], schema=table.schema
    )


def infer_type(value: Any) -> pa.DataType:
    """Return the type of the column of an undocumented field, if all its values are like this one.

    Parameters
    ----------
    value : JSON

    Returns
    -------
    pyarrow.DataType
    """
    return _infer_field("", [value]).type


def to_text(value: Any) -> str:
    """Return valid Unicode text; objects such as `characteristics` become their JSON.

    Parameters
    ----------
    value : JSON

    Returns
    -------
    str
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_EXACT:
        value = int(value)  # JSON has one number type; a column with fractions turns 1 into 1.0
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.encode("utf-8", "replace").decode()


def parse_time(value: Any) -> datetime | None:
    """Return a timestamp of the API, or None if the value is not a time.

    Parameters
    ----------
    value : str or datetime
        ISO 8601; UTC unless it has an offset. Rails' ``2026-01-01 12:00:00 UTC`` is read too.

    Returns
    -------
    datetime or None
        With a time zone.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        time = datetime.fromisoformat(value.removesuffix(" UTC"))
        if time.tzinfo is None:
            return time.replace(tzinfo=UTC)
        return time if time.tzinfo is UTC else time.astimezone(UTC)
    except (AttributeError, TypeError, ValueError, OverflowError):  # or in UTC it is in no year of Python
        return None


def _is_plain(key: Any) -> bool:
    return isinstance(key, str) and key.isprintable()


def _infer_field(key: str, values: Sequence[Any]) -> pa.Field:
    """Return an undocumented field with the common type of its values, else text."""
    types = {*map(type, values)} - {_NONE}
    if types == {bool}:
        return pa.field(key, pa.bool_())
    if types and types <= {int, float}:
        arrow_type, exact = (pa.int64(), _INT64) if types == {int} else (pa.float64(), _EXACT_AS_FLOAT)
        if all(value in exact for value in values if type(value) is int):
            return pa.field(key, arrow_type)
    return pa.field(key, pa.string())


def _array(values: Sequence[Any], arrow_type: pa.DataType) -> pa.Array:
    """Return a column: converted by Arrow if all values have the documented type, else value by value."""
    types = {*map(type, values)}
    if types <= {_NONE}:
        return pa.nulls(len(values), arrow_type)
    try:
        if types <= _python_types(arrow_type):
            if arrow_type == TIME and len(values) <= _FEW:
                times = [parse_time(value) for value in values]
                if times.count(None) == values.count(None):
                    return pa.array(times, TIME)
            # Arrow parses many of the API's times itself, twenty times faster than Python.
            written_type = pa.string() if types <= {str, _NONE} else arrow_type
            array = pa.array(values, written_type)
            if arrow_type == TIME and written_type != arrow_type:
                array = _cast_to_times(array)
            elif written_type != arrow_type:
                array = array.cast(arrow_type)
            if not (pa.types.is_list(arrow_type) and array.values.null_count):
                return array
    except _CONVERSION_ERRORS:
        pass
    return pa.array([_convert(value, arrow_type) for value in values], arrow_type)


def _python_types(arrow_type: pa.DataType) -> set[type]:
    if pa.types.is_list(arrow_type):
        return {list, tuple, _NONE}
    if arrow_type == TIME:
        return {str, _NONE}
    if pa.types.is_boolean(arrow_type):
        return {bool, _NONE}
    if pa.types.is_integer(arrow_type):
        return {int, _NONE}
    if pa.types.is_floating(arrow_type):
        return {int, float, _NONE}
    return {str, _NONE}


def _convert(value: Any, arrow_type: pa.DataType) -> Any:
    """Return a value as its column's type, or None if it does not fit: the rest of the row still counts."""
    if value is None or value is pd.NA or (isinstance(value, float) and isnan(value)):  # from another frame
        return None
    if arrow_type == TIME:
        return parse_time(value)
    if pa.types.is_list(arrow_type):
        return _to_list(value, arrow_type)
    if pa.types.is_boolean(arrow_type):
        return _to_bool(value)
    if pa.types.is_integer(arrow_type):
        return _to_int(value)
    if pa.types.is_floating(arrow_type):
        return _to_float(value)
    return to_text(value)


def _to_list(value: Any, arrow_type: pa.DataType) -> list[Any] | None:
    if not isinstance(value, list | tuple):
        return None
    if arrow_type == IDS:
        return [number for number in map(_to_int, value) if number is not None]
    return [None if element is None else to_text(element) for element in value]


def _to_float(value: Any) -> float | None:
    try:
        number = parse_number(value)
        return None if number is None else float(number)
    except OverflowError:
        return None


def _to_bool(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _to_int(value: Any) -> int | None:
    number = parse_whole(value)
    return number if number is not None and -(2**63) <= number < 2**63 else None


def _common_type(types: set[pa.DataType]) -> pa.DataType:
    if len(types) == 1:
        return next(iter(types))
    if types == {pa.int64(), _WIDE}:
        return pa.int64()
    return pa.float64() if types == {pa.int64(), pa.float64()} else pa.string()


def _times(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a text column as times, or unchanged if some of its values are not times."""
    try:
        return _cast_to_times(column)
    except _CONVERSION_ERRORS:
        texts = column.to_pylist()
    times = [parse_time(text) for text in texts]
    try:
        return pa.chunked_array([pa.array(times, TIME)]) if times.count(None) == texts.count(None) else column
    except _CONVERSION_ERRORS:
        return column


def _cast_to_times(texts: Any) -> Any:
    """Return text as times by Arrow, which also reads years that Python does not have.

    Raises
    ------
    pyarrow.ArrowInvalid
        Some of it is no time, or not as `parse_time` would read it.
    """
    times = texts.cast(TIME)
    numbers = times.drop_null().cast(pa.int64()).to_numpy()
    if len(numbers) and (numbers.min() < _FIRST_TIME or numbers.max() > _LAST_TIME):
        raise pa.ArrowInvalid("a year that Python does not have")
    return times


def _to_schema(table: pa.Table, target: pa.Schema) -> pa.Table:
    """Return a table with all columns of a schema, in its order."""
    if table.schema.equals(target):
        return table
    columns = dict(zip(table.column_names, table.columns, strict=True))
    arrays = [
        _cast(columns[field.name], field.type) if field.name in columns else pa.nulls(len(table), field.type)
        for field in target
    ]
    return pa.Table.from_arrays(arrays, schema=target)


def _cast(column: pa.ChunkedArray, arrow_type: pa.DataType) -> pa.ChunkedArray:
    if column.type != arrow_type == pa.string():
        # The same text as `_convert` gives; Arrow's own cast differs.
        texts = [None if value is None else to_text(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, arrow_type)])
    return column.cast(arrow_type, safe=False)


def _to_array(column: pa.ChunkedArray) -> Any:
    dtype = _pandas_type(column.type)
    # pandas has large strings, and would convert each part by itself.
    return dtype.__from_arrow__(_shared(column, pa.large_string()) if dtype == TEXT_DTYPE else column)


def _shared(column: pa.ChunkedArray, arrow_type: pa.DataType) -> pa.ChunkedArray:
    """Return a column without a value as one that shares its memory with others, and others as they are."""
    if column.null_count < len(column) or not len(column):
        return column
    return pa.chunked_array([_nulls(len(chunk), arrow_type) for chunk in column.chunks], arrow_type)


@lru_cache(maxsize=64)  # a long log has thousands of parts of the same few lengths
def _nulls(count: int, arrow_type: pa.DataType) -> pa.Array:
    return pa.nulls(count, arrow_type)


def _pandas_type(arrow_type: pa.DataType) -> Any:
    if pa.types.is_integer(arrow_type):
        return pd.Int64Dtype()
    if pa.types.is_floating(arrow_type):
        return pd.Float64Dtype()
    if pa.types.is_boolean(arrow_type):
        return pd.BooleanDtype()
    if pa.types.is_string(arrow_type):
        return TEXT_DTYPE
    if pa.types.is_timestamp(arrow_type):
        return pd.DatetimeTZDtype("us", "UTC")
    return pd.ArrowDtype(arrow_type)
