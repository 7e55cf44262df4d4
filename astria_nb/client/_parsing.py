"""JSON of any depth, number and encoding as plain data."""

from __future__ import annotations

import json
import re
from typing import Any

_MAX_DEPTH = 64
"""Levels of lists and objects. Many more would exceed Python's recursion limit, here or later."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[{\]}]', re.DOTALL)


def parse_json(content: bytes) -> Any:
    r"""Return the data in a JSON text.

    Values nested more than 64 levels deep are replaced by an ellipsis, bytes that are not UTF-8 by U+FFFD,
    and a number that is too long for Python by the nearest float, so that the rest of an answer is not lost.

    Parameters
    ----------
    content : bytes

    Raises
    ------
    ValueError
        The text is not JSON.

    Examples
    --------
    >>> parse_json(b'{"id": 7, "title": "\xe9t\xe9"}')
    {'id': 7, 'title': '\ufffdt\ufffd'}
    >>> parse_json(b"[" + b"9" * 700 + b", " + b"9" * 5000 + b"]") == [10**700 - 1, float("inf")]
    True
    """
    text = content.decode(json.detect_encoding(content), "replace")
    try:
        data = _parse(text)
        # A few brackets cannot be deep: most answers need no check.
        if text.count("[") + text.count("{") <= _MAX_DEPTH or not _is_deep(data):
            return data
    except RecursionError:
        pass
    return _parse(_without_deep_parts(text))


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a number with more digits than `int` takes
        return json.loads(text, parse_int=_to_number)


def _to_number(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def _is_deep(data: Any) -> bool:
    """Return whether data is nested deeper than the limit; level by level, without recursion."""
    level = [data]
    for _ in range(_MAX_DEPTH + 1):
        # Exact types, as `json` makes them: a list of tunes has thousands of values.
        level = [value for value in level if type(value) is dict or type(value) is list]
        if not level:
            return False
        items: list[Any] = []
        for value in level:
            items += value.values() if type(value) is dict else value
        level = items
    return True


def _without_deep_parts(text: str) -> str:
    """Return JSON with each list or object below the deepest level replaced by a text."""
    parts, depth, start = [], 0, 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == _MAX_DEPTH + 1:
                parts += [text[start : token.start()], '"…"']
        elif token[0] in "]}":
            if depth == _MAX_DEPTH + 1:
                start = token.end()
            depth -= 1
    if depth <= _MAX_DEPTH:
        parts.append(text[start:])
    return "".join(parts)
