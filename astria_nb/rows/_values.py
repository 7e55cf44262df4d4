"""Values that come back from a file, a database or another library, converted for a typed column."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from astria_nb.utils.json_values import IDS, to_text
from astria_nb.utils.times import TIME, parse_time

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The largest numbers that are times in seconds, milliseconds or microseconds; above, they are nanoseconds.
# Each covers the years 1973 to 5138.
_UNITS = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0), (np.inf, 1e-3))
_TRUTH = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
_ABSENT = {"", "nan", "none", "null", "nat", "<na>", "na", "n/a"}  # in columns other than text
# One item of a list as Python and NumPy print it; NumPy puts no comma between items.
_ITEM = re.compile(
    r"""\s*,?\s*(?P<item>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?\d+|(?P<absent>None|nan|<NA>))""", re.DOTALL
)


def to_array(values: pd.Series[Any], arrow_type: pa.DataType) -> pa.Array:
    """Return the values of a column of any dtype as an Arrow array.

    Parameters
    ----------
    values : pandas.Series
        Numbers and times may be text, times also numbers since 1970, and lists their JSON or what
        ``to_csv`` writes.
    arrow_type : pyarrow.DataType
        One of those in `astria_nb.rows.TUNE_SCHEMA`.

    Returns
    -------
    pyarrow.Array

    Raises
    ------
    ValueError
        A value is not of that type. It is the error's first argument; the second says what is expected.
    """
    convert, expected = _converter(arrow_type)
    converted = []
    for value in values.astype(object):
        try:
            converted.append(None if is_absent(value) else convert(value))
        except (ValueError, TypeError, OverflowError, SyntaxError, RecursionError):
            raise ValueError(value, expected) from None
    return pa.array(converted, arrow_type)


def is_absent(value: Any) -> bool:
    """Return whether a value is None, NaN, NaT or pandas' NA; False for a list."""
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _converter(arrow_type: pa.DataType) -> tuple[Callable[[Any], Any], str]:
    if pa.types.is_list(arrow_type):
        item = _to_number if arrow_type == IDS else _to_item
        return partial(_to_list, item=item), "a list"
    if arrow_type == TIME:
        return _to_time, "a time"
    if pa.types.is_boolean(arrow_type):
        return _to_bool, "true or false"
    if pa.types.is_integer(arrow_type):
        return _to_number, "a whole number"
    if pa.types.is_floating(arrow_type):
        return _to_float, "a number"
    return _to_text, "text"


def _to_text(value: Any) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str | int | float | list | dict):
        return to_text(value)
    return str(value)


def _to_item(value: Any) -> str | None:
    return None if is_absent(value) else to_text(value if isinstance(value, str) else str(value))


def _to_number(value: Any) -> int | None:
    if _is_absent_text(value):
        return None
    if isinstance(value, bool | np.bool_):
        raise TypeError
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            value = float(value)
    number = int(value)
    if number != value or not -(2**63) <= number < 2**63:
        raise ValueError
    return number


def _to_float(value: Any) -> float | None:
    return None if _is_absent_text(value) else float(value)


def _to_bool(value: Any) -> bool | None:
    if _is_absent_text(value):
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    text = str(value).strip().lower()
    if text not in _TRUTH:
        raise ValueError
    return _TRUTH[text]


def _to_time(value: Any) -> datetime | None:
    if _is_absent_text(value):
        return None
    if isinstance(value, str) and not _is_digits(value):
        value = parse_time(value.strip())
        if value is None:
            raise ValueError
    elif isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, datetime):
        moment = value.to_pydatetime(warn=False) if isinstance(value, pd.Timestamp) else value
        return parse_time(moment)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if isinstance(value, bool | np.bool_) or not isinstance(value, str | Number):
        raise TypeError
    number = float(value)  # type: ignore[arg-type]  # a number, or its digits
    factor = next(factor for limit, factor in _UNITS if abs(number) < limit)
    return _EPOCH + timedelta(microseconds=round(number * factor))


def _to_list(value: Any, item: Callable[[Any], Any]) -> list[Any] | None:
    if _is_absent_text(value):
        return None
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _list_in(value.strip())
    elif isinstance(value, str | Number):  # `DataFrame.explode` makes a row of each item
        value = [value]
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple | pd.Series):
        raise TypeError
    return [item(element) for element in value]


def _list_in(text: str) -> Any:
    """Return the list in a text in brackets: JSON, or as Python or NumPy print it."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    if not text.endswith("]"):
        raise ValueError
    inner, position, items = text[1:-1].rstrip(), 0, []
    while position < len(inner):
        match = _ITEM.match(inner, position)
        if match is None:  # such as the "..." of a truncated list
            raise ValueError
        items.append(None if match["absent"] else ast.literal_eval(match["item"]))
        position = match.end()
    return items


def _is_absent_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() in _ABSENT


def _is_digits(text: str) -> bool:
    return re.fullmatch(r"\s*-?\d{9,19}(\.\d+)?\s*", text) is not None
