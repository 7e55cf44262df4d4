"""Values of JSON, converted to the types of columns."""

from __future__ import annotations

import json
from math import isnan
from typing import Any

import pandas as pd
import pyarrow as pa

from astria_nb.utils.arguments import parse_number, parse_whole
from astria_nb.utils.times import TIME, parse_time

TEXTS, IDS = pa.list_(pa.string()), pa.list_(pa.int64())
_MAX_EXACT = 2**53
EXACT_AS_FLOAT = range(1 - _MAX_EXACT, _MAX_EXACT)
"""The integers around 0 that a float represents exactly, without a gap."""
INT64 = range(-(2**63), 2**63)


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


def convert(value: Any, arrow_type: pa.DataType) -> Any:
    """Return a value as its column's type, or None if it does not fit: the rest of the row is still used."""
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
    return number if number is not None and number in INT64 else None
