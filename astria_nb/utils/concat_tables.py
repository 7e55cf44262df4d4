"""Tables joined into one, with a common type for each column."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa

from astria_nb.utils.json_values import EXACT_AS_FLOAT, to_text

_WIDE = pa.uint64()  # stands for integers beyond `EXACT_AS_FLOAT`; no column has this type


def concat_tables(
    tables: Sequence[pa.Table],
    schema: pa.Schema,
    more_types: Mapping[str, Collection[pa.DataType]] | None = None,
) -> pa.Table:
    """Return the rows of several `typed_table` results; a column of conflicting types becomes text.

    So does a column of fractions and integers of 2**53 or more, which floats cannot represent exactly.

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
    """Return the types that a column contributes to the common type of the columns of its name.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        Of a `typed_table`.

    Returns
    -------
    set of pyarrow.DataType
        Empty if the column has no value.
    """
    if column.null_count == len(column):
        return set()
    if column.type == pa.int64():
        numbers = column.drop_null().to_numpy()
        if int(numbers.min()) not in EXACT_AS_FLOAT or int(numbers.max()) not in EXACT_AS_FLOAT:
            return {column.type, _WIDE}
    return {column.type}


def _common_type(types: set[pa.DataType]) -> pa.DataType:
    if len(types) == 1:
        return next(iter(types))
    if types == {pa.int64(), _WIDE}:
        return pa.int64()
    return pa.float64() if types == {pa.int64(), pa.float64()} else pa.string()


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
        # The same text as `convert` of `json_values` gives; Arrow's own cast differs.
        texts = [None if value is None else to_text(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, arrow_type)])
    return column.cast(arrow_type, safe=False)
