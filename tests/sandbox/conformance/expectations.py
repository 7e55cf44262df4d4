"""What an answer must look like: types, functions and texts stand for what they accept."""

import re
from collections.abc import Callable, Mapping
from typing import Any

ABSENT = object()
"""Stands for a key that must be absent."""
REFUSED = {"error": str}
NOT_FOUND = {"status": 404, "error": "Not Found"}
BLANK = ["can't be blank"]
SHALLOW = {"error": lambda text: "before_id" in text}
"""The reply to an offset that goes too deep."""
A, B, C = {"id": ":a"}, {"id": ":b"}, {"id": ":c"}
"""The objects whose ids were saved under these names."""


def differences(expected: Any, actual: Any, at: str = "body") -> list[str]:
    """Return where an answer differs from what is expected; types and functions stand for what they accept.

    An object may have further keys; a list is compared in full.
    """
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            return [f"{at} is {actual!r}, not an object"]
        missing = [
            f"{at}.{key} is missing" for key in expected if expected[key] is not ABSENT and key not in actual
        ]
        extra = [f"{at}.{key} is there" for key in expected if expected[key] is ABSENT and key in actual]
        shared = [key for key in expected if expected[key] is not ABSENT and key in actual]
        return [
            *missing,
            *extra,
            *(d for key in shared for d in differences(expected[key], actual[key], f"{at}.{key}")),
        ]
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return [f"{at} is {actual!r}, not {len(expected)} items"]
        return [
            d
            for n, pair in enumerate(zip(expected, actual, strict=True))
            for d in differences(*pair, f"{at}[{n}]")
        ]
    if isinstance(expected, type):
        fits = type(actual) is expected
    else:
        fits = (
            bool(expected(actual))
            if callable(expected)
            else type(actual) is type(expected) and actual == expected
        )
    return [] if fits else [f"{at} is {actual!r}, not {getattr(expected, '__name__', repr(expected))}"]


def timestamp(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value))


def messages(value: object) -> bool:
    """Return whether a field's errors are a list of non-empty texts."""
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) and text for text in value)


def picture_url(value: object) -> bool:
    """Return whether a URL ends in 28 characters without an extension."""
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
    "url": has("http://127.0.0.1:", "/tunes/", ".json"),
    "orig_images": ["https://example.com/1.jpg"],
    "status": ABSENT,
}
"""The reply to a run that trains, as `tune()` asks for it."""
