"""Tables of Arrow as frames of pandas, with nullable types."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from astria_nb.utils.shared_nulls import shared
from astria_nb.utils.times import with_times

try:
    TEXT_DTYPE: Any = pd.StringDtype(na_value=float("nan"))
except TypeError:  # pandas 2.2 has the same type under another name
    TEXT_DTYPE = pd.StringDtype("pyarrow_numpy")


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


def columns_to_pandas(columns: dict[str, pa.ChunkedArray]) -> pd.DataFrame:
    """Return columns as pandas, with nullable types; they are removed, so that none is in memory twice.

    Parameters
    ----------
    columns : dict of str to pyarrow.ChunkedArray

    Returns
    -------
    pandas.DataFrame
    """
    # Arrow's own `to_pandas(types_mapper=…)` takes twice the time, and copies columns without a value.
    arrays: dict[str, Any] = {}
    for name in [*columns]:
        arrays[name] = _to_array(columns.pop(name))
    return pd.DataFrame(arrays, copy=False)


def _to_array(column: pa.ChunkedArray) -> Any:
    dtype = pandas_type(column.type)
    # pandas has large strings, and would convert each part by itself.
    return dtype.__from_arrow__(shared(column, pa.large_string()) if dtype == TEXT_DTYPE else column)


def pandas_type(arrow_type: pa.DataType) -> Any:
    """Return the nullable type that pandas has for a type of Arrow."""
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
