"""Values of mappings, such as prompt attributes, in a form that no file format changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from astria_nb.tune.plain import as_integer, stripped

_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_LINE_END = re.compile(r"(?:\r|_x000D_)\n?")
_TRUTH = {"true": 1, "false": 0}
_DIGITS = 10  # decimal digits that are left in JSON that pandas writes


def alike(value: Any) -> Any:
    """Return a value in the form that it has after CSV, JSON, Excel or SQL, so that it can be compared.

    A column of booleans with gaps comes back as one of numbers, and a file may be read as text.

    Parameters
    ----------
    value : object
        The value of an entry of a mapping; may itself be a list or a mapping.

    Returns
    -------
    object
        A number for a number, a boolean, and text that is written like one; other text without blanks around
        it and with one kind of line ends, and a date with a time of day in one form.

    Examples
    --------
    >>> [alike(value) for value in (True, "True", 1.0, "0.50", 1 / 3, " a ", "2026-01-31T00:00:00")]
    [1, 1, 1, 0.5, 0.3333333333, 'a', '2026-01-31']
    """
    if isinstance(value, Mapping):
        return {same_line_ends(key): alike(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [alike(item) for item in value]
    if isinstance(value, str):
        text = stripped(same_line_ends(value))
        if (truth := _TRUTH.get(text.lower())) is not None:
            return truth
        number = _number(text)
        return moment_text(text) if number is None else number
    if isinstance(value, bool):
        return int(value)
    return _rounded(value) if isinstance(value, float) else value


def same_line_ends(value: Any) -> Any:
    r"""Return text, and all text in lists and mappings, with ``\n`` at the end of each line.

    Excel writes other line ends like this, or as ``_x000D_``, which pandas does not decode. Reading CSV from
    a file that is open as text changes them, too.

    Examples
    --------
    >>> same_line_ends({"a": ["b\r\nc", 5]})
    {'a': ['b\nc', 5]}
    """
    if isinstance(value, str):
        has_others = "\r" in value or "_x000D_" in value  # most texts have none, and a search is much slower
        return _LINE_END.sub("\n", value) if has_others else value
    if isinstance(value, Mapping):
        return {same_line_ends(key): same_line_ends(item) for key, item in value.items()}
    return [same_line_ends(item) for item in value] if isinstance(value, list | tuple) else value


def moment_text(text: str) -> str:
    """Return a date with a time of day in one form, whichever program wrote it; other text is unchanged.

    Midnight becomes the day alone, as in a column of days in CSV.

    Examples
    --------
    >>> moment_text("2026-01-31 00:00:00"), moment_text("2026-01-31T12:30:00.500Z")
    ('2026-01-31', '2026-01-31 12:30:00.5+00:00')
    """
    if (match := _MOMENT.fullmatch(text)) is None:
        return text
    day, minute, seconds, zone = match.groups("")
    whole, _, fraction = seconds.partition(".")
    fraction = fraction.rstrip("0")
    time = f"{minute}{whole or ':00'}" + (f".{fraction}" if fraction else "")
    zone = "+00:00" if zone == "Z" else zone
    return f"{day} {time}{zone}" if zone or time != "00:00:00" else day


def _number(text: str) -> int | float | None:
    if not _NUMBER.fullmatch(text):
        return None
    with suppress(ValueError):  # thousands of digits
        return int(text)
    return _rounded(float(text))


def _rounded(number: float) -> int | float:
    whole = as_integer(number)
    return float(f"{number:.{_DIGITS}g}") if whole is None else whole
