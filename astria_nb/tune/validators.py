"""What each field of a tune may hold. A validator returns the value to hold, and reports problems."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from os import PathLike
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from astria_nb.errors import TuneError
from astria_nb.images import Image
from astria_nb.utils.formatting import short
from astria_nb.utils.redaction import redact_text


class Report(Protocol):
    """Records a problem: what is wrong, how to fix it, and in a mapping the key. May be called repeatedly."""

    def __call__(self, what: str, hint: str, key: str = "") -> None:
        """Record one problem."""


Validator = Callable[[Any, Report], Any]

PRESETS = ("flux-lora-focus", "flux-lora-portrait", "flux-lora-fast")
_ID = re.compile(r"[0-9]{1,19}")
_MAX_INTEGER = 2**63 - 1  # what a database column for ids holds
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_URL_CHARACTERS = re.compile(r"[!#-;=?-\[\]_a-z~]+")  # every visible ASCII character but " < > \ ^ ` { | }


def pack(value: Any, report: Report) -> int | str | None:
    """Accept an id (a number, or its digits) or a slug."""
    if isinstance(value, str) and _ID.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, str):
        if _SLUG.fullmatch(value.strip()) and not value.strip().isdecimal():
            return value.strip()
        report(f"{short(value)} is neither an id nor a slug", "give one such as 260 or 'corporate-headshots'")
        return None
    return _id(value, report)


def text(value: Any, report: Report) -> str | None:
    """Accept text that can be encoded as UTF-8."""
    if not isinstance(value, str):
        report(f"{short(value)} is {_kind(value)}, not text", _as_text("write it as", value))
    elif not _is_encodable(value):
        report("contains characters that cannot be sent (NUL, or half of a surrogate pair)", "remove them")
    else:
        return value
    return None


def url(value: Any, report: Report) -> str | None:
    """Accept an http(s) URL that is already percent-encoded."""
    if not isinstance(value, str):
        report(f"{short(value)} is {_kind(value)}, not a web address", "give text that begins with https://")
        return None
    if not value.lower().startswith(("http://", "https://")):
        report(f"{short(value)} is not a web address", "begin it with https://")
    elif (host := _host(value)) is None:
        report(f"{short(value)} has no valid host and port", "write it like https://example.com/photo.jpg")
    elif not host.isascii():
        report(f"{short(value)} has a host name that is not ASCII", "write the host in its xn-- form")
    elif not _URL_CHARACTERS.fullmatch(value):
        encoded = quote(value, safe="%/:=&?~#+!$,;'@()*[]", errors="replace")
        has_secret = redact_text(encoded) != encoded
        hint = "write %20 for a space, and so on" if has_secret else f"write {encoded}"
        report(f"{short(value)} has characters that must be percent-encoded", hint)
    else:
        return value
    return None


def urls(value: Any, report: Report) -> tuple[str, ...]:
    """Accept a list of URLs; duplicates are allowed."""
    valid = (url(item, report) for item in _items(value, "addresses", report))
    return tuple(address for address in valid if address is not None)


def images(value: Any, report: Report) -> tuple[Image, ...]:
    """Accept a list of paths, and open each file to see what it is."""
    opened = []
    for item in _items(value, "paths", report):
        if isinstance(item, Image):
            opened.append(item)
        elif isinstance(item, str | PathLike):
            try:
                opened.append(Image.open(item))
            except TuneError as error:
                for problem in error.problems:
                    report(problem.what, problem.hint)
        else:
            report(f"{short(item)} is {_kind(item)}, not the path of a file", "save it, and give its path")
    return tuple(opened)


def ids(value: Any, report: Report) -> tuple[int, ...]:
    """Accept a list of positive integers."""
    valid = (_id(item, report) for item in _items(value, "ids", report))
    return tuple(number for number in valid if number is not None)


def characteristics(value: Any, report: Report) -> dict[str, str]:
    """Accept a flat mapping of text to text."""
    valid = {}
    for key, item in _pairs(value, report):
        if not isinstance(item, str):
            report(f"{short(item)} is {_kind(item)}, not text", _as_text("write", item), key)
        elif text(item, partial(report, key=key)) is not None:
            valid[key] = item
    return valid


def prompt_attributes(value: Any, report: Report) -> dict[str, str | int | float | bool]:
    """Accept a flat mapping of text to text, numbers and booleans; a ``callback`` has to be a URL."""
    valid = {}
    for key, item in _pairs(value, report):
        attribute = _without_numpy(item)
        if not _is_sendable(attribute):
            hint = "give text, a number, True or False, or leave it out"
            report(f"{short(attribute)} cannot be sent", hint, key)
            continue
        validate = url if key == "callback" else text if isinstance(attribute, str) else None
        if validate is None or validate(attribute, partial(report, key=key)) is not None:
            valid[key] = attribute
    return valid


def boolean(value: Any, report: Report) -> bool | None:
    """Accept True or False."""
    if isinstance(flag := _without_numpy(value), bool):
        return flag
    report(f"{short(value)} is {_kind(value)}, not a boolean", "give True or False")
    return None


def one_of(*choices: str) -> Validator:
    """Return a validator that accepts only these values."""

    def validate(value: Any, report: Report) -> str | None:
        if isinstance(value, str) and value in choices:
            return value
        report(
            f"{short(value)} is not a valid choice",
            f"give {' or '.join(map(repr, choices))}, or leave it out",
        )
        return None

    return validate


def _as_text(verb: str, value: object) -> str:
    if isinstance(value, int | float):
        with suppress(ValueError):  # an integer of more than 4,300 digits
            return f"{verb} {short(str(value))}"
    return "give text"


def _without_numpy(value: Any) -> Any:
    """Return a numpy scalar as the Python value."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0 else value


def _is_sendable(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str) or (isinstance(value, int) and abs(value) <= _MAX_INTEGER)


def _host(address: str) -> str | None:
    """Return the host of a URL; None if it or the port is not valid."""
    try:
        parts = urlsplit(address)
        return parts.hostname if parts.port != 0 else None
    except ValueError:
        return None


def _kind(value: object) -> str:
    return {bool: "a boolean", int: "a number", float: "a number", bytes: "bytes"}.get(
        type(value), f"of type {type(value).__name__}"
    )


def _is_encodable(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def _id(value: Any, report: Report) -> int | None:
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = 0
    if 0 < number <= _MAX_INTEGER:
        return number
    report(f"{short(value)} is not an id", "give a whole number above 0")
    return None


def _items(value: Any, what: str, report: Report) -> list[Any]:
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | PathLike | Mapping):
        with suppress(Exception):  # the caller's iterator may raise anything
            return list(value)
    report(f"{short(value)} is not a list of {what}", f"write [{short(value)}]")
    return []


def _pairs(value: Any, report: Report) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        report(f"{short(value)} is not a mapping", "write it like {'eye_color': 'blue eyes'}")
        return []
    valid = []
    for key, item in value.items():
        # Brackets mean nesting in a form body: such a key would arrive as a different one.
        if not isinstance(key, str) or not key.strip() or not _is_encodable(key) or set("[]") & set(key):
            hint = "use letters and underscores, such as 'eye_color'"
            report(f"{short(key)} is not a valid key", hint)
        else:
            valid.append((key, item))
    return valid
