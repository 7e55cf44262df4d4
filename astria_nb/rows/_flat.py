"""Rows as a table of numbers and text, which any file format and any database can store."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from astria_nb.rows._typed import typed
from astria_nb.rows._values import is_absent
from astria_nb.utils.arrow_to_pandas import TEXT_DTYPE
from astria_nb.utils.json_values import to_text


def flat(rows: object) -> pd.DataFrame:
    """Return rows as a table of numbers and text that survives CSV, JSON, Parquet, SQL and Excel.

    `typed`, and with it every function that takes rows, reads such a table again.

    Parameters
    ----------
    rows : DataFrame, Series, list or mapping
        Rows of tunes, prompts, pictures, or of a log; anything that is not a frame is read by `typed`.

    Returns
    -------
    pandas.DataFrame
        The same columns, rows and index. Lists are JSON text; times are text in UTC, such as
        ``2026-01-01T12:00:00.000000Z``, which sorts by time and is exact to the microsecond.

    Notes
    -----
    Text is unchanged, so a spreadsheet may take a title such as ``=1+1`` for a formula; the CSV files of
    ``log.export`` avoid this. ``to_sql`` of the rows themselves would write memory addresses instead of
    lists.

    Examples
    --------
    >>> import sqlite3, pandas as pd, astria_nb as anb
    >>> row = anb.rows.tune_frame([{"id": 7, "created_at": "2026-01-01T12:00:00Z", "orig_images": ["x"]}])
    >>> anb.rows.flat(row).loc[0, ["created_at", "orig_images"]].tolist()
    ['2026-01-01T12:00:00.000000Z', '["x"]']
    >>> database = sqlite3.connect(":memory:")
    >>> anb.rows.flat(row).to_sql("tunes", database, index=False)
    1
    >>> back = pd.read_sql("SELECT * FROM tunes WHERE created_at > '2025'", database)
    >>> anb.rows.typed(back)["id"].tolist()
    [7]
    >>> database.close()
    """
    frame = rows if isinstance(rows, pd.DataFrame) else typed(rows)
    # By position: a name may occur twice.
    columns = {number: _flat(column).array for number, (_, column) in enumerate(frame.items())}
    return pd.DataFrame(columns, index=frame.index).set_axis(frame.columns, axis=1)


def _flat(column: pd.Series[Any]) -> pd.Series[Any]:
    if _is_time(column.dtype):
        times = pd.to_datetime(column, utc=True).dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return times.astype(TEXT_DTYPE).str.zfill(len("2026-01-01T12:00:00.000000Z"))  # a year before 1000
    if _is_nested(column.dtype) or (column.dtype == object and any(map(_is_list, column))):
        return column.astype(object).map(_json, na_action=None).astype(TEXT_DTYPE)
    return column


def _is_time(dtype: Any) -> bool:
    return isinstance(dtype, pd.DatetimeTZDtype) or (
        isinstance(dtype, pd.ArrowDtype) and pa.types.is_timestamp(dtype.pyarrow_dtype)
    )


def _is_nested(dtype: Any) -> bool:
    return isinstance(dtype, pd.ArrowDtype) and pa.types.is_nested(dtype.pyarrow_dtype)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | dict | np.ndarray)


def _json(value: Any) -> str | None:
    if is_absent(value):
        return None
    plain = value.tolist() if isinstance(value, np.ndarray) else value
    return to_text(plain)
