"""What is given to a call beside a tune: numbers, ids, paths; else an error that says what to give."""

from __future__ import annotations

import math
import operator
import os
from numbers import Real
from pathlib import Path
from typing import Any

from astria_nb.errors import AstriaError, Problem
from astria_nb.utils.formatting import short

_LARGEST = 2**63 - 1  # of a database's column for ids


def number(field: str, value: Any, unit: str, *, most: float = math.inf, zero: bool = True) -> float:
    """Return a number from 0 on.

    Parameters
    ----------
    field : str
        The argument's name.
    value : object
    unit : str
        What it counts, for the message.
    most : float
        The largest that it may be.
    zero : bool
        Whether it may be 0.

    Raises
    ------
    AstriaError
        It is none, or out of range.

    Examples
    --------
    >>> number("timeout", 60, "seconds", most=86400)
    60.0
    >>> number("timeout", "soon", "seconds", most=86400, zero=False)
    Traceback (most recent call last):
    astria_nb.errors.AstriaError: timeout: 'soon' is no number of seconds; choose from above 0 to 86400
    """
    try:
        found = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    except OverflowError:
        found = math.nan
    if 0 <= found <= most and (zero or found):
        return found
    lowest = "0" if zero else "above 0"
    hint = f"give one from {lowest} on" if most == math.inf else f"choose from {lowest} to {most:g}"
    raise AstriaError(Problem(field, f"{short(value)} is no number of {unit}", hint))


def truth(field: str, value: Any) -> bool:
    """Return whether a switch is on; None leaves it off.

    Raises
    ------
    AstriaError
        It is neither True nor False.
    """
    if type(value).__name__ not in ("bool", "bool_", "NoneType"):  # numpy's, too
        raise AstriaError(Problem(field, f"{short(value)} is not a truth value", "give True or False"))
    return bool(value)


def a_callable(field: str, value: Any) -> None:
    """Make sure that something can be called, or is None.

    Raises
    ------
    AstriaError
        It cannot.
    """
    if value is not None and not callable(value):
        raise AstriaError(
            Problem(field, f"{short(value)} cannot be called", "give a function, or leave it out")
        )


def whole(value: Any) -> int | None:
    """Return an id as a number, also one that is written as text; None for what is none.

    Examples
    --------
    >>> whole("260"), whole(0), whole("man")
    (260, None, None)
    """
    try:
        found = int(value) if isinstance(value, str) and len(value) < 20 else operator.index(value)
    except (TypeError, ValueError):
        return None
    return found if 0 < found <= _LARGEST and not isinstance(value, bool) else None


def an_id(field: str, value: Any) -> int:
    """Return an id.

    Raises
    ------
    AstriaError
        It is none.
    """
    found = whole(value)
    if found is None:
        raise AstriaError(Problem(field, f"{short(value)} is not an id", "give a whole number above 0"))
    return found


def a_port(field: str, value: Any) -> int:
    """Return a port, or 0 for any that is free.

    Raises
    ------
    AstriaError
        It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise AstriaError(Problem(field, f"{short(value)} is not a port", "give 0 to 65535"))
    return value


def a_path(value: Any) -> Path | None:
    """Return a path from the root on; None for what no disk can have."""
    try:
        given = os.fspath(value)
        if not isinstance(given, str) or b"\0" in os.fsencode(given):
            return None
        return Path(given).expanduser().absolute()
    except (TypeError, ValueError, RuntimeError):  # the last one is a home of nobody
        return None
