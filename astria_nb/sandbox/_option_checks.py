"""Checks of option values. Each function raises `ValueError` with the next step."""

import math
import re
from collections.abc import Callable
from numbers import Real
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

_KEY = re.compile(r"sd_[!-~]{5,}")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:\[[0-9a-fA-F:.]+\]|[0-9A-Za-z._-]+)(?::[0-9]{1,5})?")
_HOST = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[0-9A-Za-z._-]+)(?::[0-9]{1,5})?")


def check_type(name: str, option_type: Any, value: object) -> None:
    """Check that a value is of an option's type, or one of its choices."""
    if get_origin(option_type) is not Literal:
        is_valid, hint = _TYPES[option_type]
        if not is_valid(value):
            raise ValueError(f"{name}: {_quoted(value)} is not of the right type; give {hint}")
    elif not isinstance(value, str) or value not in get_args(option_type):
        choices = ", ".join(repr(choice) for choice in get_args(option_type))
        raise ValueError(f"{name}: {_quoted(value)} is not a choice; choose one of {choices}")


def check_range(name: str, value: object, is_within: bool, rule: str) -> None:
    """Check that a number is within its bounds."""
    if not is_within:
        raise ValueError(f"{name}: {_quoted(value)} is out of range; give {rule}")


def absolute(name: str, path: str | Path) -> Path:
    """Return the absolute path of a folder."""
    try:
        return Path(path).expanduser().absolute()
    except (OSError, RuntimeError) as error:  # no working directory, or a user without a home
        reason = f"{_quoted(path)} cannot be used ({error})"
    raise ValueError(f"{name}: {reason}; give an absolute path")


def key(name: str, value: str) -> str:
    """Return a key without surrounding white space; refuse keys that a client of the service refuses."""
    value = value.strip()
    if _KEY.fullmatch(value):
        return value
    raise ValueError(
        f"{name}: is not an Astria key (they begin with sd_ and have at least 8 characters, all visible "
        "ASCII); give another one, such as sd_sandbox_mine, or omit it"
    )


def check_origin(name: str, origin: str) -> None:
    """Check the origin of a web page."""
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(
            f"{name}: {_quoted(origin)} is not an origin; give origins such as 'https://example.com' or "
            "'http://localhost:3000', without a path"
        )


def check_host(name: str, host: str) -> None:
    """Check a host, with or without a port."""
    if not _HOST.fullmatch(host):
        raise ValueError(
            f"{name}: {_quoted(host)} is not a host; give hosts such as 'example.com' or '127.0.0.1:8000', "
            "without scheme and path"
        )


def _quoted(value: object) -> str:
    """Return a short repr of a value for a message, without keys and memory addresses."""
    text = re.sub(r" at 0x[0-9a-fA-F]+|\s*\n\s*", "", re.sub(r"sd_\w+", "sd_…", repr(value)))
    return text if len(text) <= 80 else f"{text[:79]}…"


def _is_number(value: Any) -> bool:
    # `Real` includes NumPy's numbers, which frames contain.
    is_one = isinstance(value, Real) and not isinstance(value, bool)
    return is_one and bool(abs(value) < math.inf)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


_TYPES: dict[Any, tuple[Callable[[Any], bool], str]] = {
    str: (_is_text, "text"),
    bool: (lambda value: isinstance(value, bool), "True or False"),
    int: (
        lambda value: _is_number(value) and isinstance(value, int) and value >= 0,
        "a whole number, 0 or more",
    ),
    float: (_is_number, "a number"),
    str | None: (lambda value: value is None or _is_text(value), "text, or None"),
    str | Path | None: (lambda value: value is None or isinstance(value, Path) or _is_text(value), "a path"),
    tuple[str, ...]: (
        lambda value: isinstance(value, list | tuple) and all(map(_is_text, value)),
        "a list of strings",
    ),
}
