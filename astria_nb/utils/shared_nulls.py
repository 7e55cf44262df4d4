"""Columns without any value, which share one piece of memory."""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa


def share_nulls(table: pa.Table) -> pa.Table:
    """Return a table whose columns without any value take no memory of their own.

    Parameters
    ----------
    table : pyarrow.Table

    Returns
    -------
    pyarrow.Table
    """
    return pa.Table.from_arrays(
        [shared(column, column.type) for column in table.columns], schema=table.schema
    )


def shared(column: pa.ChunkedArray, arrow_type: pa.DataType) -> pa.ChunkedArray:
    """Return a column without any value in memory that it shares with others; other columns unchanged."""
    if column.null_count < len(column) or not len(column):
        return column
    return pa.chunked_array([_nulls(len(chunk), arrow_type) for chunk in column.chunks], arrow_type)


@lru_cache(maxsize=64)  # a long log has thousands of parts of the same few lengths
def _nulls(count: int, arrow_type: pa.DataType) -> pa.Array:
    return pa.nulls(count, arrow_type)
