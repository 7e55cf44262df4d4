"""Checks of the numbers, ids, ports and paths that are passed to the public functions."""

from __future__ import annotations

import inspect
import math
import operator
import os
import re
from collections.abc import Callable
from numbers import Real
from pathlib import Path
from types import FunctionType
from typing import Any

from astria_nb.errors import AstriaError, Problem
from astria_nb.utils.formatting import short

_NUMBER = re.compile(r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,3})?", re.ASCII)
_MAX_ID = 2**63 - 1  # the largest signed 64-bit integer, as in the log's database


def check_number(
    field: str, value: Any, unit: str, *, maximum: float = math.inf, allow_zero: bool = True
) -> float:
    """Return a number that is not negative.

    Parameters
    ----------
    field : str
        The argument's name, for the message.
    value : object
        The argument.
    unit : str
        What the number counts, for the message.
    maximum : float
        The largest allowed value.
    allow_zero : bool
        Whether 0 is allowed.

    Returns
    -------
    float

    Raises
    ------
    AstriaError
        The value is not a number, or is out of range.

    Examples
    --------
    >>> check_number("timeout", 60, "seconds", maximum=86400)
    60.0
    >>> check_number("days", -1, "days")
    Traceback (most recent call last):
    astria_nb.errors.AstriaError: days: -1 is not a valid number of days; give 0 or more
    """
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    except OverflowError:
        number = math.nan
    if 0 <= number <= maximum and (allow_zero or number):
        return number
    hint = "give 0 or more" if allow_zero else "give one above 0"
    hint += "" if maximum == math.inf else f", at most {maximum:g}"
    raise AstriaError(Problem(field, f"{short(value)} is not a valid number of {unit}", hint))


def check_max_cost(value: Any) -> float | None:
    """Return a cost limit in US dollars; None or infinity means no limit.

    Raises
    ------
    AstriaError
        The value is not a number, or is below 0.

    Examples
    --------
    >>> check_max_cost(20), check_max_cost(math.inf), check_max_cost(None)
    (20.0, None, None)
    """
    limit = math.inf if value is None else check_number("max_cost", value, "US dollars")
    return None if limit == math.inf else limit


def check_bool(field: str, value: Any) -> bool:
    """Return a switch as a bool; None counts as False.

    Parameters
    ----------
    field : str
        The argument's name, for the message.
    value : object
        The argument.

    Returns
    -------
    bool

    Raises
    ------
    AstriaError
        The value is not True, False or None.
    """
    if type(value).__name__ not in ("bool", "bool_", "NoneType"):  # "bool_" is NumPy's
        raise AstriaError(Problem(field, f"{short(value)} is not a truth value", "give True or False"))
    return bool(value)


def check_names(field: str, value: Any) -> tuple[str, ...]:
    """Return names of columns.

    Parameters
    ----------
    field : str
        The argument's name, for the message.
    value : object
        The argument: a list, say, or the index of a frame.

    Returns
    -------
    tuple of str

    Raises
    ------
    AstriaError
        These are not names, or one occurs twice.

    Examples
    --------
    >>> check_names("columns", ["id", "title"])
    ('id', 'title')
    """
    hint = "give a list of names, such as ['id', 'title']"
    try:
        names = () if isinstance(value, str | bytes) else tuple(value)
    except TypeError:
        names = ()
    if not names or not all(isinstance(name, str) for name in names):
        raise AstriaError(Problem(field, f"{short(value)} are not names of columns", hint))
    if twice := [name for number, name in enumerate(names) if name in names[:number]]:
        raise AstriaError(Problem(field, f"{short(twice[0])} occurs twice", "name it once"))
    return names


def check_callable(field: str, value: Any, *, arguments: int) -> None:
    """Raise an error unless the argument is None, or a function that can be called and is not async.

    Parameters
    ----------
    field : str
        The argument's name, for the message.
    value : object
        The argument.
    arguments : int
        How many positional arguments it is called with.

    Raises
    ------
    AstriaError
        The value is not callable, takes another number of arguments, or is a coroutine function.

    Examples
    --------
    >>> check_callable("done", "mail", arguments=1)
    Traceback (most recent call last):
    astria_nb.errors.AstriaError: done: 'mail' cannot be called; give a function, or leave it out
    """
    if value is None:
        return
    what, hint = "", "give a function, or leave it out"
    if not callable(value):
        what = "cannot be called"
    elif inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(type(value).__call__):
        what, hint = "is a coroutine function, which nothing would await", "give one that is not async"
    elif not _takes(value, arguments):
        noun = "1 argument" if arguments == 1 else f"{arguments} arguments"
        what, hint = f"cannot be called with {noun}", f"give a function of {noun}"
    if what:
        raise AstriaError(Problem(field, f"{short(value)} {what}", hint))


def _takes(function: Callable[..., object], arguments: int) -> bool:
    if isinstance(function, FunctionType) and not vars(function):  # a wrapper has the signature of another
        code, defaults = function.__code__, function.__defaults__ or ()
        most = math.inf if code.co_flags & inspect.CO_VARARGS else code.co_argcount
        if not code.co_kwonlyargcount:  # then no signature is needed, which is slow
            return code.co_argcount - len(defaults) <= arguments <= most
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions written in C have none
        return True
    try:
        signature.bind(*range(arguments))
    except TypeError:
        return False
    return True


def parse_number(value: Any) -> int | float | None:
    """Return a number of JSON, which a service may write as text; None if it is not a finite number.

    Parameters
    ----------
    value : JSON

    Returns
    -------
    int, float or None
        Exact, however large.

    Examples
    --------
    >>> parse_number("3.0"), parse_number(" 360000 "), parse_number("n/a"), parse_number(True)
    (3.0, 360000, None, None)
    """
    if isinstance(value, str):
        text = value.strip()
        if not _NUMBER.fullmatch(text):
            return None
        value = int(text) if text.lstrip("+-").isdigit() else float(text)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and abs(value) < math.inf else None


def parse_whole(value: Any) -> int | None:
    """Return a number of JSON without its fraction; None if it is not a number. See `parse_number`.

    Examples
    --------
    >>> parse_whole("150000.0"), parse_whole(""), parse_whole(None)
    (150000, None, None)
    """
    number = parse_number(value)
    return None if number is None else int(number)


def parse_id(value: Any) -> int | None:
    """Return an id as an int, or None if the value is not an id.

    Parameters
    ----------
    value : object
        A whole number above 0, also as a float (as in a column with gaps) or as text.

    Returns
    -------
    int or None

    Examples
    --------
    >>> parse_id("260"), parse_id(260.0), parse_id(0), parse_id("man")
    (260, 260, None, None)
    """
    if type(value) is int:  # as nearly always
        return value if 0 < value <= _MAX_ID else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        number = int(value) if isinstance(value, str) and len(value) < 20 else operator.index(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number <= _MAX_ID and not isinstance(value, bool) else None


def check_id(field: str, value: Any) -> int:
    """Return an id as an int.

    Parameters
    ----------
    field : str
        The argument's name, for the message.
    value : object
        The argument.

    Returns
    -------
    int

    Raises
    ------
    AstriaError
        The value is not an id.
    """
    number = parse_id(value)
    if number is None:
        raise AstriaError(Problem(field, f"{short(value)} is not an id", "give a whole number above 0"))
    return number


def check_port(field: str, value: Any) -> int:
    """Return a port number; 0 stands for any free port.

    Parameters
    ----------
    field : str
        The argument's name, for the message.
    value : object
        The argument.

    Returns
    -------
    int

    Raises
    ------
    AstriaError
        The value is not a port.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise AstriaError(Problem(field, f"{short(value)} is not a port", "give 0 to 65535"))
    return value


def to_path(value: Any) -> Path | None:
    """Return an absolute path, or None if the value cannot be a path.

    Parameters
    ----------
    value : str or os.PathLike
        ``~`` is expanded.

    Returns
    -------
    Path or None

    Raises
    ------
    OSError
        It is relative, and the working directory does not exist.
    """
    try:
        text = os.fspath(value)
        if not isinstance(text, str) or b"\0" in os.fsencode(text):
            return None
        return Path(text).expanduser().absolute()
    except (TypeError, ValueError, RuntimeError):  # RuntimeError: no home directory of that user
        return None
