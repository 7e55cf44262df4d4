"""Casts of values, as in Rails: forms send strings only, JSON has more types."""

import math

from astria_nb.sandbox._errors import Refusal
from astria_nb.sandbox.params._tree import Param, from_json

_FALSE = {"", "0", "f", "F", "false", "FALSE", "off", "OFF"}


def text(value: Param) -> str | None:
    """Return a scalar as text; None for anything else, null included.

    Examples
    --------
    >>> text(12), text(True), text(["a"])
    ('12', 'true', None)
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def non_blank(value: Param) -> str | None:
    """Return a scalar as text; None if it is blank or not a scalar."""
    string = text(value)
    return string if string and string.strip() else None


def boolean(value: Param) -> bool:
    """Return a boolean: false for the values that Rails takes as false, and for null.

    Examples
    --------
    >>> boolean("false"), boolean("OFF"), boolean("False")
    (False, False, True)
    """
    return (text(value) or "") not in _FALSE


def integer(value: Param) -> int | None:
    """Return a whole number, sent as a number or as text; None for anything else.

    Examples
    --------
    >>> integer("12"), integer(12), integer("12.5"), integer(True)
    (12, 12, None, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and len(value) <= 18 and value.isascii() and value.lstrip("-").isdigit():
        return int(value) if value.count("-") <= 1 else None
    return value if isinstance(value, int) else None


def number(value: Param) -> float | None:
    """Return a finite number, sent as a number or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        converted = float(value)
    except (ValueError, OverflowError):
        return None
    return converted if math.isfinite(converted) else None


def items(value: Param) -> list[Param] | None:
    """Return the elements of a list without the blank ones; None if it is not a list."""
    if value is None or value == "":
        return []
    return [item for item in value if item not in (None, "")] if isinstance(value, list) else None


def strings(value: Param) -> dict[str, str] | None:
    """Return an object of strings, sent as an object or as JSON text; None for anything else."""
    if isinstance(value, str):
        try:
            value = from_json(value.encode()) if value.strip() else {}
        except Refusal:
            return None
    if value is None:
        return {}
    if not isinstance(value, dict):
        return None
    pairs = {key: text(item) for key, item in value.items() if item is not None}
    clean = {key: item for key, item in pairs.items() if item is not None}
    return clean if len(clean) == len(pairs) else None
