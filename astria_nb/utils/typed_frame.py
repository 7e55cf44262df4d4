"""JSON records as pandas frames with the types of an Arrow schema; a single one takes little time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from astria_nb.utils.arrow_to_pandas import TEXT_DTYPE, pandas_type, to_pandas
from astria_nb.utils.times import TIME
from astria_nb.utils.typed_table import array_of, typed_table

try:  # pandas' own steps for each of many columns take longer than everything else that a row needs
    from pandas.api.internals import create_dataframe_from_blocks  # type: ignore[import-not-found]
except ImportError:  # before pandas 3
    create_dataframe_from_blocks = None

_LARGE_TEXT, _UTC_TIME = pa.large_string(), pa.timestamp("us")  # what pandas makes of text and of times
_NO_COLUMNS = pa.schema([])
_MOST_TEMPLATES = 8
_templates: dict[int, _Template] = {}  # by identity: hashing is slow


def typed_frame(
    records: Sequence[Mapping[str, Any]],
    schema: pa.Schema,
    derived: Mapping[str, Sequence[Any]] | None = None,
) -> pd.DataFrame:
    """Return the result of `typed_table` as pandas.

    Its types are ``Int64``, ``str``, which pandas 2.2 calls ``string``, ``datetime64[us, UTC]``, and Arrow's
    lists.

    Parameters
    ----------
    records : sequence of mapping
    schema : pyarrow.Schema
    derived : mapping of str to sequence, optional
        As for `typed_table`.

    Returns
    -------
    pandas.DataFrame
    """
    if len(records) != 1:
        return to_pandas(typed_table(records, schema, derived))
    more = {name: values[0] for name, values in (derived or {}).items()}
    return _one_row({**records[0], **more}, schema)


def _one_row(record: Mapping[str, Any], schema: pa.Schema) -> pd.DataFrame:
    """Return the frame of one record: columns without a value are created together, by their types."""
    template = _template(schema)
    values: dict[str, dict[str, Any]] = {}
    for name, value in record.items():
        if value is not None and name in template.kinds:
            values.setdefault(template.kinds[name], {})[name] = value
    columns: dict[str, Any] = {}
    for kind, of_type in values.items():
        array = _column_array([*of_type.values()], template.types[kind])
        columns |= {name: array[index : index + 1] for index, name in enumerate(of_type)}
    frame = template.with_columns(columns)
    if extra := {key: value for key, value in record.items() if key not in template.kinds}:
        return pd.concat([frame, to_pandas(typed_table([extra], _NO_COLUMNS))], axis=1)
    return frame


def _column_array(values: Sequence[Any], arrow_type: pa.DataType) -> Any:
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
    dtype = pandas_type(arrow_type)
    # As pandas stores it: a conversion by Arrow takes longer than all else that a few values need.
    array = array_of(values, _LARGE_TEXT if dtype == TEXT_DTYPE else arrow_type)
    array = array.view(_UTC_TIME) if arrow_type == TIME else array
    return dtype.__from_arrow__(pa.chunked_array([array]))


@dataclass(frozen=True, slots=True)
class _Template:
    """The frame of a record without values.

    Attributes
    ----------
    schema : pyarrow.Schema
    kinds : mapping of str to str
        The name of each column's type: looking up the type itself is slow.
    types : mapping of str to pyarrow.DataType
        Types by their names.
    frame : pandas.DataFrame
    arrays : mapping of str to pandas.api.extensions.ExtensionArray
        The frame's arrays.
    positions : sequence of numpy.ndarray
        Positions of its columns.
    """

    schema: pa.Schema
    kinds: Mapping[str, str]
    types: Mapping[str, pa.DataType]
    frame: pd.DataFrame
    arrays: Mapping[str, Any]
    positions: Sequence[Any]

    def with_columns(self, columns: Mapping[str, Any]) -> pd.DataFrame:
        """Return a new frame with other arrays in place of some."""
        if create_dataframe_from_blocks is None:
            return self.frame.assign(**columns)
        arrays = (columns[name] if name in columns else nulls.copy() for name, nulls in self.arrays.items())
        blocks = [*zip(arrays, self.positions, strict=True)]
        index, columns_index = (axis.view() for axis in self.frame.axes)  # views have their own names
        frame: pd.DataFrame = create_dataframe_from_blocks(blocks, index, columns_index)
        return frame


def _template(schema: pa.Schema) -> _Template:
    template = _templates.get(id(schema))
    if template is None:
        if len(_templates) >= _MOST_TEMPLATES:
            _templates.clear()
        template = _templates[id(schema)] = _new_template(schema)
    return template


def _new_template(schema: pa.Schema) -> _Template:
    frame = to_pandas(typed_table([{}], schema))
    kinds = {field.name: str(field.type) for field in schema}
    types = {str(field.type): field.type for field in schema}
    arrays = {name: frame[name].array for name in kinds}
    positions = [np.array([position]) for position in range(len(kinds))]
    return _Template(schema, kinds, types, frame, arrays, positions)
