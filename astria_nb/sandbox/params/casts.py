"""Casts of values, as in Rails: forms send strings only, JSON has more types."""

import math
import re

from astria_nb.sandbox._errors import Refusal
from astria_nb.sandbox.params._tree import Param, parse_json

_DIGITS = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9](?:_?[0-9]){0,400})")
_INDEX = re.compile("[0-9]{1,9}")
_JSON_DEPTH = 100
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
    """Return what a column of whole numbers stores; None for null, blank text, a list and an object.

    Text is read as far as it is a number, and is 0 if it does not begin with one.

    Examples
    --------
    >>> integer("4.0"), integer(4.9), integer(" 12 "), integer("abc"), integer("")
    (4, 4, 12, 0, None)
    """
    if isinstance(value, str):
        digits = _DIGITS.match(value)
        return int(digits[1].replace("_", "")) if digits else 0 if value.strip() else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return int(value) if isinstance(value, int | float) else None


def whole_number(value: Param) -> int | None:
    """Return a whole number, sent as a number or as text; None for anything else.

    Examples
    --------
    >>> whole_number("12"), whole_number(12), whole_number("12.5"), whole_number(True)
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


def items(value: Param, *, by_index: bool) -> list[Param] | None:
    """Return the elements of a list without the blank ones; None if it is not a list.

    Parameters
    ----------
    value : Param
        The list.
    by_index : bool
        Whether an object whose keys are all numbers is a list too, in the order of the numbers.

    Examples
    --------
    >>> items({"1": "b", "0": "a"}, by_index=True), items({"0": "a"}, by_index=False)
    (['a', 'b'], None)
    """
    if value is None or value == "":
        return []
    if by_index and isinstance(value, dict) and all(map(_INDEX.fullmatch, value)):
        value = [value[key] for key in sorted(value, key=int)]
    return [item for item in value if item not in (None, "")] if isinstance(value, list) else None


def strings(value: Param) -> dict[str, str] | None:
    """Return an object of strings, sent as an object or as JSON text; None for anything else."""
    if isinstance(value, str):
        try:
            value = parse_json(value.encode(), _JSON_DEPTH) if value.strip() else {}
        except Refusal:
            return None
    if value is None:
        return {}
    if not isinstance(value, dict):
        return None
    pairs = {key: text(item) for key, item in value.items() if item is not None}
    clean = {key: item for key, item in pairs.items() if item is not None}
    return clean if len(clean) == len(pairs) else None
