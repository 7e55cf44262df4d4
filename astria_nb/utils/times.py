"""Times as the API writes them, converted to those of Python and of Arrow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

TIME = pa.timestamp("us", "UTC")
CONVERSION_ERRORS = (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError)
"""What Arrow raises for values that do not fit a type."""
_FIRST_TIME, _LAST_TIME = (pa.scalar(time, pa.timestamp("us")).value for time in (datetime.min, datetime.max))


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
    except (
        AttributeError,
        TypeError,
        ValueError,
        OverflowError,
    ):  # or Python has no such year in UTC
        return None


def cast_to_times(texts: Any) -> Any:
    """Return text as times, converted by Arrow; years that Python does not have are refused.

    Raises
    ------
    pyarrow.ArrowInvalid
        Some of it is not a time, or `parse_time` would read it differently.
    """
    times = texts.cast(TIME)
    numbers = times.drop_null().cast(pa.int64()).to_numpy()
    if len(numbers) and (numbers.min() < _FIRST_TIME or numbers.max() > _LAST_TIME):
        raise pa.ArrowInvalid("a year that Python does not have")
    return times


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
    """Return whether a column has times or text depending on its values.

    Parameters
    ----------
    name : str
    arrow_type : pyarrow.DataType

    Returns
    -------
    bool
    """
    return name.endswith("_at") and arrow_type == pa.string()


def _times(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a text column as times, or unchanged if some of its values are not times."""
    try:
        return cast_to_times(column)
    except CONVERSION_ERRORS:
        texts = column.to_pylist()
    times = [parse_time(text) for text in texts]
    try:
        return pa.chunked_array([pa.array(times, TIME)]) if times.count(None) == texts.count(None) else column
    except CONVERSION_ERRORS:
        return column
