"""What each field of a tune may hold. A validator returns the value to hold, and reports problems."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import partial
from os import PathLike
from typing import Any

from astria_nb.images import Image
from astria_nb.tune import _addresses as addresses
from astria_nb.tune import image_lists
from astria_nb.tune._addresses import is_encodable, kind_of, url
from astria_nb.tune._deferred_images import open_later, plain_files
from astria_nb.tune._proposals import Report, Validator, as_list, as_mapping, only_item, write
from astria_nb.tune.plain import as_integer, as_text, is_blank, is_missing, plain, stripped
from astria_nb.utils.formatting import short

__all__ = [
    "PRESETS",
    "Report",
    "Validator",
    "boolean",
    "characteristics",
    "ids",
    "images",
    "label",
    "one_of",
    "pack",
    "prompt_attributes",
    "text",
    "url",
    "urls",
]

PRESETS = ("flux-lora-focus", "flux-lora-portrait", "flux-lora-fast")
_ID = re.compile(r"[0-9]{1,19}")
_MAX_INTEGER = 2**63 - 1  # the limit of a database column for ids
_NUMBER = re.compile(r"\s*#?\s*([0-9]{1,19})(?:\.0*)?\s*")
_NO_LISTS = (str, bytes, bytearray, memoryview, PathLike, Mapping)
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_TRUTH: dict[str | int | None, bool] = {
    **dict.fromkeys(("true", "yes", "1", 1), True),
    **dict.fromkeys(("false", "no", "0", 0), False),
}


def pack(value: Any, report: Report) -> int | str | None:
    """Accept an id (a number, or its digits) or a slug."""
    word = as_text(value) if as_integer(value) is None else None
    if word is None:
        return _id(value, report)
    word = stripped(word)
    if _ID.fullmatch(word):
        return _id(int(word), report)
    if _SLUG.fullmatch(word) and not word.isdecimal():
        return word
    hint = write(pack, _numbers_in(word)) or "give one such as 260 or 'corporate-headshots'"
    report(f"{short(value)} is neither an id nor a slug", hint)
    return None


def text(value: Any, report: Report, verb: str = "write it as") -> str | None:
    """Accept text that can be encoded as UTF-8, and values that print as text, such as a UUID."""
    content = as_text(value)
    if content is None:
        hint = write(text, _as_words(value), verb) or "give text"
        report(f"{short(value)} is {kind_of(value)}, not text", hint)
    elif not is_encodable(content):
        report("contains characters that cannot be sent (NUL, or half of a surrogate pair)", "remove them")
    else:
        return content
    return None


def label(value: Any, report: Report) -> str | None:
    """Accept text as `text` does, and remove the blanks around it."""
    content = text(value, report)
    return None if content is None else stripped(content)


def urls(value: Any, report: Report) -> tuple[str, ...]:
    """Accept a list of URLs; duplicates are allowed."""
    items = _items(value, "addresses", report, urls)
    valid = (addresses.url(item, report, of_picture=True) for item in items)
    return tuple(address for address in valid if address is not None)


def images(value: Any, report: Report) -> tuple[Image, ...]:
    """Accept paths, a folder, a pattern, addresses and images in memory; open each to see what it is."""
    return image_lists.images_in(value, partial(_sources, report=report), report, Image.open)


def images_later(value: Any, report: Report) -> tuple[Image, ...]:
    """Accept the same as `images`; files are only checked for existence."""
    if (files := plain_files(value)) is not None:
        return files
    return image_lists.images_in(value, partial(_sources, report=report), report, open_later)


def ids(value: Any, report: Report) -> tuple[int, ...]:
    """Accept a list of positive integers."""
    valid = (_id(item, report) for item in _items(value, "ids", report, ids))
    return tuple(number for number in valid if number is not None)


def characteristics(value: Any, report: Report) -> dict[str, str]:
    """Accept a flat mapping of text to text."""
    pairs = _pairs(value, report, characteristics)
    valid = {key: text(item, partial(report, key=key), "write") for key, item in pairs}
    return {key: content for key, content in valid.items() if content is not None}


def prompt_attributes(value: Any, report: Report) -> dict[str, str | int | float | bool]:
    """Accept a flat mapping of text to text, numbers and booleans; a ``callback`` has to be a URL."""
    pairs = _pairs(value, report, prompt_attributes)
    valid = {
        key: (url if key == "callback" else _attribute)(item, partial(report, key=key)) for key, item in pairs
    }
    return {key: attribute for key, attribute in valid.items() if attribute is not None}


def boolean(value: Any, report: Report) -> bool | None:
    """Accept True or False."""
    flag = plain(value)
    if isinstance(flag, bool):
        return flag
    word = flag.strip().lower() if isinstance(flag, str) else as_integer(flag)
    hint = f"give {_TRUTH[word]}" if word in _TRUTH else "give True or False"
    report(f"{short(value)} is {kind_of(value)}, not a boolean", hint)
    return None


def one_of(*choices: str) -> Validator:
    """Return a validator that accepts only these values."""

    def validate(value: Any, report: Report) -> str | None:
        word = as_text(value)
        if word is not None and stripped(word) in choices:
            return stripped(word)
        report(
            f"{short(value)} is not a valid choice",
            f"give {' or '.join(map(repr, choices))}, or leave it out",
        )
        return None

    return validate


def _attribute(value: Any, report: Report) -> str | int | float | bool | None:
    """Accept text, a number or a boolean; whole floats, from a column with gaps, become whole numbers."""
    attribute = plain(value)
    number = as_integer(attribute)
    if number is not None and abs(number) <= _MAX_INTEGER:
        return number
    if isinstance(attribute, bool) or (isinstance(attribute, float) and math.isfinite(attribute)):
        return attribute
    if as_text(attribute) is not None:
        return text(attribute, report)
    hint = write(_attribute, [*only_item(value), *_as_float(value)])
    report(
        f"{short(attribute)} cannot be sent", hint or "give text, a number, True or False, or leave it out"
    )
    return None


def _id(value: Any, report: Report) -> int | None:
    number = as_integer(value) or 0
    if 0 < number <= _MAX_INTEGER:
        return number
    hint = write(_id, [*only_item(value), *_numbers_in(value)]) or "give a whole number above 0"
    report(f"{short(value)} is not an id", hint)
    return None


def _numbers_in(value: Any) -> Iterator[int]:
    """Yield the number that a text such as "5", "5.0" or "#5" holds."""
    if isinstance(value, str) and (number := _NUMBER.fullmatch(value)):
        yield int(number[1])


def _as_float(value: Any) -> Iterator[float]:
    if isinstance(value, Decimal) and value.is_finite():
        yield float(value)


def _as_words(value: Any) -> Iterator[str]:
    """Yield the text that a number, bytes or a list of one item stands for."""
    yield from only_item(value)
    number = as_integer(value)
    with suppress(ValueError):  # an integer of more than 4,300 digits, or bytes that are not text
        if number is not None:
            yield str(number)
        elif isinstance(value, bool) or (isinstance(value, int | float | Decimal) and math.isfinite(value)):
            yield str(value)
        elif isinstance(value, bytes):
            yield value.decode()


def _items(value: Any, what: str, report: Report, validate: Validator) -> list[Any]:
    """Return the items of a list that are neither missing nor blank."""
    dimensions = getattr(value, "ndim", 1)
    if isinstance(dimensions, int) and dimensions > 1:
        report(f"{short(value)} is a table, not a list of {what}", "give one column: list(frame['column'])")
        return []
    is_list = isinstance(value, Iterable) and not isinstance(value, _NO_LISTS) and dimensions != 0
    if not is_list:
        report(
            f"{short(value)} is not a list of {what}",
            write(validate, as_list(value)) or f"give a list of {what}",
        )
        return []
    try:
        return [plain(item) for item in value if not is_missing(item) and not is_blank(item)]
    except Exception as error:  # noqa: BLE001  the caller's iterator may raise anything
        reason = getattr(error, "strerror", None) or type(error).__name__
        report(f"{short(value)} cannot be read ({reason})", f"make a list of {what} before")
        return []


def _sources(value: Any, report: Report) -> list[Any]:
    return _items(value, "paths", report, images)


def _pairs(value: Any, report: Report, validate: Validator) -> list[tuple[str, Any]]:
    """Return the keys and values of a mapping, without missing values."""
    if not isinstance(value, Mapping):
        hint = write(validate, as_mapping(value)) or "write it like {'eye_color': 'blue eyes'}"
        report(f"{short(value)} is not a mapping", hint)
        return []
    valid = []
    for key, item in value.items():
        # Brackets mean nesting in a form body: such a key would arrive as a different one.
        if not isinstance(key, str) or not key.strip() or not is_encodable(key) or set("[]") & set(key):
            hint = "use letters and underscores, such as 'eye_color'"
            report(f"{short(key)} is not a valid key", hint)
        elif not is_missing(item):
            valid.append((key, item))
    return valid
