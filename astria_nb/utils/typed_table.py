"""Records of JSON as a table of Arrow with the types of a schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from astria_nb.utils.json_values import EXACT_AS_FLOAT, INT64, convert, to_text
from astria_nb.utils.times import CONVERSION_ERRORS, TIME, cast_to_times, parse_time

_FEW = 16  # values that Python converts faster than Arrow
_NONE = type(None)
_MAX_EXTRA = 10_000  # columns besides those of the schema


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
        become columns: each takes time, and nobody reads that many.
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
    arrays = [array_of(columns[field.name], field.type) for field in fields]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


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


def _is_plain(key: Any) -> bool:
    return isinstance(key, str) and key.isprintable()


def _infer_field(key: str, values: Sequence[Any]) -> pa.Field:
    """Return an undocumented field with the common type of its values, else text."""
    types = {*map(type, values)} - {_NONE}
    if types == {bool}:
        return pa.field(key, pa.bool_())
    if types and types <= {int, float}:
        arrow_type, exact = (pa.int64(), INT64) if types == {int} else (pa.float64(), EXACT_AS_FLOAT)
        if all(value in exact for value in values if type(value) is int):
            return pa.field(key, arrow_type)
    return pa.field(key, pa.string())


def array_of(values: Sequence[Any], arrow_type: pa.DataType) -> pa.Array:
    """Return values as a column: converted by Arrow if all have its type, else one by one."""
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
                array = cast_to_times(array)
            elif written_type != arrow_type:
                array = array.cast(arrow_type)
            if not (pa.types.is_list(arrow_type) and array.values.null_count):
                return array
    except CONVERSION_ERRORS:
        pass
    return pa.array([convert(value, arrow_type) for value in values], arrow_type)


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
