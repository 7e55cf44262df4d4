"""What an answer must look like: types, functions and texts stand for what they accept."""

import re
from collections.abc import Callable, Mapping
from typing import Any

ABSENT = object()
"""Stands for a key that must not be there."""
REFUSED = {"error": str}
NOT_FOUND = {"status": 404, "error": "Not Found"}
BLANK = ["can't be blank"]
SHALLOW = {"error": lambda text: "before_id" in text}
"""The reply to an offset that goes too deep."""
A, B, C = {"id": ":a"}, {"id": ":b"}, {"id": ":c"}
"""The objects whose ids were kept under these names."""


def differences(expected: Any, found: Any, at: str = "body") -> list[str]:
    """Say where an answer is not as expected; a type or a function stands for what it accepts.

    An object may have more keys than are named; a list is compared in full.
    """
    if isinstance(expected, Mapping):
        if not isinstance(found, Mapping):
            return [f"{at} is {found!r}, not an object"]
        missing = [
            f"{at}.{key} is missing" for key in expected if expected[key] is not ABSENT and key not in found
        ]
        extra = [f"{at}.{key} is there" for key in expected if expected[key] is ABSENT and key in found]
        shared = [key for key in expected if expected[key] is not ABSENT and key in found]
        return [
            *missing,
            *extra,
            *(d for key in shared for d in differences(expected[key], found[key], f"{at}.{key}")),
        ]
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return [f"{at} is {found!r}, not {len(expected)} items"]
        return [
            d
            for n, pair in enumerate(zip(expected, found, strict=True))
            for d in differences(*pair, f"{at}[{n}]")
        ]
    if isinstance(expected, type):
        fits = type(found) is expected
    else:
        fits = (
            bool(expected(found))
            if callable(expected)
            else type(found) is type(expected) and found == expected
        )
    return [] if fits else [f"{at} is {found!r}, not {getattr(expected, '__name__', repr(expected))}"]


def timestamp(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value))


def messages(value: object) -> bool:
    """Tell whether a field's errors are a list of sentences."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) and each for each in value)


def picture_url(value: object) -> bool:
    """Tell whether an address has 28 characters and no extension."""
    return isinstance(value, str) and bool(re.fullmatch(r"http://.+/[0-9a-z]{28}", value))


def has(*parts: str) -> Callable[[object], bool]:
    """Return a test for a text with these parts."""

    def text_with_parts(value: object) -> bool:
        return isinstance(value, str) and all(part in value for part in parts)

    return text_with_parts


def count(number: int) -> Callable[[object], bool]:
    def list_of_that_length(value: object) -> bool:
        return isinstance(value, list) and len(value) == number

    return list_of_that_length


CREATED = {
    "id": int,
    "title": "t",
    "name": "man",
    "eta": timestamp,
    "trained_at": None,
    "started_training_at": None,
    "expires_at": None,
    "created_at": timestamp,
    "updated_at": timestamp,
    "url": has("https://www.astria.ai/tunes/", ".json"),
    "orig_images": ["https://example.com/1.jpg"],
    "status": ABSENT,
}
"""The reply to a run that trains, as `tune()` asks for it."""
