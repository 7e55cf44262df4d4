"""Users' values as plain Python values: missing values, whole numbers, and values that print as text."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

_PRINTABLE = (UUID, date, time, timedelta)  # a pandas Timestamp is a date
_MAX_EXACT_FLOAT = 2**53  # above it, neighbouring whole numbers are the same float
# Compared by name: pandas takes half a second to import, and a tune does not need it otherwise.
_MISSING_TYPES = ("NoneType", "NAType", "NaTType", "MaskedConstant")
_NEVER_MISSING = frozenset({str, int, bool, list, tuple, dict})  # most values need no further check
_BLANKS = "\ufeff\u200b\u2060"  # invisible, and not whitespace: from files and web pages
INVISIBLE = f"{_BLANKS}\xad\u180e\u200c-\u200f\u202a-\u202e\u2061-\u2064\u2066-\u206f"
"""Invisible characters, for a set in a regular expression. In a title they may be significant."""


def is_missing(value: Any) -> bool:
    """Return whether a value means "missing", as in a cell of a frame.

    Examples
    --------
    >>> [is_missing(value) for value in (None, float("nan"), Decimal("nan"), "", 0)]
    [True, True, True, False, False]
    """
    if type(value) in _NEVER_MISSING:
        return False
    value = _from_arrow(value)
    if type(value).__name__ in _MISSING_TYPES:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    # Only numbers and numpy's times: an array would be compared item by item.
    return (isinstance(value, float) or _is_numpy_scalar(value)) and bool(value != value)


def is_blank(value: Any) -> bool:
    """Return whether a value is text without a visible character, as in an empty cell that was read as text.

    Examples
    --------
    >>> is_blank(" "), is_blank("x"), is_blank(0)
    (True, False, False)
    """
    return isinstance(value, str) and not stripped(value)


def without_missing(value: Any) -> Any:
    """Return a value without missing items; None if it is missing itself.

    A list, tuple or mapping is returned as a list or dict; anything else is returned unchanged.

    Examples
    --------
    >>> without_missing([5, float("nan")]), without_missing({"a": None, "b": "c"}), without_missing(None)
    ([5], {'b': 'c'}, None)
    """
    if isinstance(value, Mapping):
        return {key: item for key, item in value.items() if not is_missing(item)}
    if isinstance(value, list | tuple):
        return [item for item in value if not is_missing(item)]
    return None if is_missing(value) else value


def plain(value: Any) -> Any:
    """Return a number or boolean of numpy or Arrow as Python's, and a subclass of `str` as `str`."""
    if type(value) is str:
        return value
    value = _from_arrow(value)
    if isinstance(value, str):
        return str.__str__(value)
    return value.item() if _is_numpy_scalar(value) and value.dtype.kind in "biuf" else value


def as_text(value: Any) -> str | None:
    """Return text, or the text of a UUID, a date or time, or a scalar of numpy or Arrow; else None.

    Examples
    --------
    >>> as_text(UUID(int=5)), as_text(date(2026, 1, 31)), as_text(5)
    ('00000000-0000-0000-0000-000000000005', '2026-01-31', None)
    """
    if type(value) is str:
        return value
    value = _from_arrow(value)
    if isinstance(value, str):
        return str.__str__(value)
    is_printable = isinstance(value, _PRINTABLE)
    return str(value) if is_printable or (_is_numpy_scalar(value) and not isinstance(value, bytes)) else None


def stripped(text: str) -> str:
    """Return text without surrounding blanks, invisible ones included."""
    while (shorter := text.strip().strip(_BLANKS)) != text:
        text = shorter
    return text


def as_integer(value: Any) -> int | None:
    """Return a whole number, such as 260.0 from a column with gaps, as an int; else None.

    A float that is too large to be exact is not taken: it may have been another number.

    Examples
    --------
    >>> as_integer(260.0), as_integer(2.5), as_integer(True), as_integer(1e18)
    (260, None, None, None)
    """
    value = plain(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= _MAX_EXACT_FLOAT else None
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value.adjusted() < 20 and value == int(value) else None
    try:
        return None if type(value).__module__.partition(".")[0] == "numpy" else operator.index(value)
    except TypeError:
        return None


def _from_arrow(value: Any) -> Any:
    """Return a scalar of Arrow as a Python value."""
    kind = type(value)
    is_arrow = kind.__module__.partition(".")[0] == "pyarrow" and kind.__name__.endswith("Scalar")
    return value.as_py() if is_arrow else value


def _is_numpy_scalar(value: Any) -> bool:
    is_numpy = type(value).__module__.partition(".")[0] == "numpy"
    return is_numpy and getattr(value, "ndim", None) == 0 and value.dtype.kind not in "OV"
