"""What each field of a tune may hold. A rule returns the value made plain, and complains of what is wrong."""

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
from astria_nb.images.image import Image
from astria_nb.utils.formatting import short
from astria_nb.utils.redaction import redact_text


class Complain(Protocol):
    """Takes what is wrong, what to do about it, and in a map the key; may be called any number of times."""

    def __call__(self, what: str, hint: str, key: str = "") -> None:
        """Take one complaint."""


Rule = Callable[[Any, Complain], Any]

PRESETS = ("flux-lora-focus", "flux-lora-portrait", "flux-lora-fast")
_ID = re.compile(r"[0-9]{1,19}")
_LARGEST = 2**63 - 1  # of a database's column for ids
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_IN_URLS = re.compile(r"[!#-;=?-\[\]_a-z~]+")  # every visible ASCII character but " < > \ ^ ` { | }


def pack(value: Any, complain: Complain) -> int | str | None:
    """Accept an id (a number, or the digits of one) or a slug."""
    if isinstance(value, str) and _ID.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, str):
        if _SLUG.fullmatch(value.strip()) and not value.strip().isdecimal():
            return value.strip()
        complain(
            f"{short(value)} is neither an id nor a slug", "give one such as 260 or 'corporate-headshots'"
        )
        return None
    return _id(value, complain)


def text(value: Any, complain: Complain) -> str | None:
    """Accept text that can travel as UTF-8."""
    if not isinstance(value, str):
        complain(f"{short(value)} is {_kind(value)}, not text", _as_text("write it as", value))
    elif not _travels(value):
        complain("holds characters that are not text (NUL or half of a pair)", "take them out")
    else:
        return value
    return None


def url(value: Any, complain: Complain) -> str | None:
    """Accept an http(s) address that needs no further encoding."""
    if not isinstance(value, str):
        complain(f"{short(value)} is {_kind(value)}, not a web address", "write it as text, from https:// on")
        return None
    if not value.lower().startswith(("http://", "https://")):
        complain(f"{short(value)} is not a web address", "begin it with https://")
    elif (host := _host(value)) is None:
        complain(f"{short(value)} names no host and port", "write it like https://example.com/photo.jpg")
    elif not host.isascii():
        complain(f"{short(value)} has a host in other letters than ASCII", "write the host in its xn-- form")
    elif not _IN_URLS.fullmatch(value):
        encoded = quote(value, safe="%/:=&?~#+!$,;'@()*[]", errors="replace")
        hint = f"write {encoded}" if redact_text(encoded) == encoded else "write %20 for a space, and so on"
        complain(f"{short(value)} has characters that must be percent-encoded", hint)
    else:
        return value
    return None


def urls(value: Any, complain: Complain) -> tuple[str, ...]:
    """Accept a list of addresses; the same one may come twice."""
    found = (url(each, complain) for each in _several(value, "addresses", complain))
    return tuple(each for each in found if each is not None)


def images(value: Any, complain: Complain) -> tuple[Image, ...]:
    """Accept a list of paths; look at each file."""
    found = []
    for each in _several(value, "paths", complain):
        if isinstance(each, Image):
            found.append(each)
        elif isinstance(each, str | PathLike):
            try:
                found.append(Image.open(each))
            except TuneError as error:
                for problem in error.problems:
                    complain(problem.what, problem.hint)
        else:
            complain(f"{short(each)} is {_kind(each)}, not the path of a file", "save it, and give its path")
    return tuple(found)


def ids(value: Any, complain: Complain) -> tuple[int, ...]:
    """Accept a list of positive whole numbers."""
    found = (_id(each, complain) for each in _several(value, "ids", complain))
    return tuple(each for each in found if each is not None)


def characteristics(value: Any, complain: Complain) -> dict[str, str]:
    """Accept a flat map of text to text."""
    found = {}
    for key, each in _pairs(value, complain):
        if not isinstance(each, str):
            complain(f"{short(each)} is {_kind(each)}, not text", _as_text("write", each), key)
        elif text(each, partial(complain, key=key)) is not None:
            found[key] = each
    return found


def prompt_attributes(value: Any, complain: Complain) -> dict[str, str | int | float | bool]:
    """Accept a flat map of text to text, numbers and truth values; a ``callback`` is an address."""
    found = {}
    for key, given in _pairs(value, complain):
        each = _native(given)
        if not isinstance(each, str | int | float) or (not isinstance(each, str) and not _is_sendable(each)):
            complain(
                f"{short(each)} cannot be sent", "give text, a number, True or False, or leave it out", key
            )
        elif (rule := _attribute_rule(key, each)) and rule(each, partial(complain, key=key)) is None:
            pass  # the inner rule has complained
        else:
            found[key] = each
    return found


def _attribute_rule(key: str, value: Any) -> Rule | None:
    return url if key == "callback" else text if isinstance(value, str) else None


def truth(value: Any, complain: Complain) -> bool | None:
    """Accept True or False."""
    if isinstance(native := _native(value), bool):
        return native
    complain(f"{short(value)} is {_kind(value)}, not a truth value", "give True or False")
    return None


def one_of(*allowed: str) -> Rule:
    """Return a rule that accepts only these words."""

    def rule(value: Any, complain: Complain) -> str | None:
        if isinstance(value, str) and value in allowed:
            return value
        complain(f"{short(value)} is not known", f"choose {' or '.join(map(repr, allowed))}, or leave it out")
        return None

    return rule


def _as_text(verb: str, value: object) -> str:
    if isinstance(value, int | float):
        with suppress(ValueError):  # a number of thousands of digits
            return f"{verb} {short(str(value))}"
    return "give text"


def _native(value: Any) -> Any:
    """Return a number of numpy's as Python's own."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0 else value


def _is_sendable(number: float) -> bool:
    return abs(number) <= _LARGEST if isinstance(number, int) else math.isfinite(number)


def _host(url: str) -> str | None:
    """Return the host of an address; None where there is none, or its port is none."""
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.port != 0 else None
    except ValueError:
        return None


def _kind(value: object) -> str:
    return {bool: "a truth value", int: "a number", float: "a number", bytes: "bytes"}.get(
        type(value), f"of type {type(value).__name__}"
    )


def _travels(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def _id(value: Any, complain: Complain) -> int | None:
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = 0
    if 0 < number <= _LARGEST:
        return number
    complain(f"{short(value)} is not an id", "give a whole number above 0")
    return None


def _several(value: Any, what: str, complain: Complain) -> list[Any]:
    if isinstance(value, str | bytes | PathLike | Mapping) or not isinstance(value, Iterable):
        found = None
    else:
        try:
            found = list(value)
        except Exception:  # noqa: BLE001  a stranger's iterator may raise anything
            found = None
    if found is None:
        complain(f"{short(value)} is not a list of {what}", f"write [{short(value)}]")
    return found or []


def _pairs(value: Any, complain: Complain) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        complain(f"{short(value)} is not a map", "write it like {'eye_color': 'blue eyes'}")
        return []
    good = []
    for key, each in value.items():
        # A bracket in a key means nesting in a form body, so such a key would arrive as another one.
        if not isinstance(key, str) or not key.strip() or not _travels(key) or any(c in key for c in "[]"):
            complain(
                f"{short(key)} cannot be a key", "name it with letters and underscores, such as 'eye_color'"
            )
        else:
            good.append((key, each))
    return good
