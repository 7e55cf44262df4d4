"""Lists as text: JSON, or as Python, numpy, pandas and Arrow print them. Nothing is guessed."""

from __future__ import annotations

import ast
import json
import re
from contextlib import suppress
from typing import Any

_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_CALL = r"(?:(?:np|numpy)\.\w+|(?:\w+\.)*(?:Pure)?(?:Posix|Windows)?Path|(?:uuid\.)?UUID)\(\s*"
_ITEM = re.compile(
    rf"(?P<call>{_CALL})?(?P<literal>{_QUOTED}|{_NUMBER})(?(call)\s*\))|(?:None|nan|<NA>)(?![^\s,])",
    re.DOTALL,
)
_SEPARATOR = re.compile(r"\s*(?P<comma>,)?\s*")
_ARRAY = re.compile(
    r"(?:<\w+>\s*|(?:array|Array|Index)\(\s*)?(?P<list>\[.*\])"
    r"(?:\s*Length: (?P<length>\d+))?(?:,\s*(?:dtype|shape)[=:].*)?\)?",
    re.DOTALL,
)
_TEXT = re.compile(_QUOTED, re.DOTALL)


def items_in(text: str) -> list[Any] | None:
    """Return the list that a text holds; None if it holds none, or one that is not wholly understood.

    Examples
    --------
    >>> items_in('["a"]'), items_in("['a', 'b']"), items_in("['a' 'b']"), items_in("[1 -2]"), items_in("a")
    (['a'], ['a', 'b'], ['a', 'b'], [1, -2], None)
    >>> items_in("('a', 'b')"), items_in("[PosixPath('a')]"), items_in("[np.int64(5), np.int64(6)]")
    (['a', 'b'], ['a'], [5, 6])
    >>> items_in("['a' 'b' ... 'y' 'z']"), items_in("['a' 'b', 'c']")
    (None, None)
    """
    text = text.strip()
    match = _ARRAY.fullmatch(text)
    if match is None or is_shortened(text):
        return _nested_items(text) if text.startswith("(") else None
    items = _json_items(match["list"])
    if items is None:
        items = _flat_items(match["list"][1:-1].strip())
    if items is None:
        items = _nested_items(match["list"])
    return items if items is not None and match["length"] in (None, str(len(items))) else None


def is_shortened(text: str) -> bool:
    """Return whether a text is a list of which some items were left out when it was printed.

    Examples
    --------
    >>> is_shortened("['a' 'b' ... 'z']"), is_shortened("['a...z']"), is_shortened("a ...")
    (True, False, False)
    """
    match = _ARRAY.fullmatch(text.strip())
    if match is None:
        return False
    unquoted = _TEXT.sub("", match["list"])
    return "..." in unquoted or "…" in unquoted


def _json_items(text: str) -> list[Any] | None:
    with suppress(ValueError, RecursionError):
        literal = json.loads(text)
        return literal if isinstance(literal, list) else None
    return None


def _flat_items(text: str) -> list[Any] | None:
    """Return items with commas between all of them, or none, from a text without the brackets."""
    items: list[Any] = []
    has_commas: set[bool] = set()
    position = 0
    while position < len(text):
        item = _ITEM.match(text, position)
        if item is None:
            return None
        try:
            items.append(ast.literal_eval(item["literal"]) if item["literal"] else None)
        except (ValueError, SyntaxError):  # such as 007
            return None
        separator = _SEPARATOR.match(text, item.end())
        assert separator is not None  # it matches nothing, too
        position = separator.end()
        if position < len(text):
            if position == item.end():
                return None
            has_commas.add(separator["comma"] is not None)
    return items if len(has_commas) < 2 else None


def _nested_items(text: str) -> list[Any] | None:
    """Return the items of a list or tuple that holds others, as Python prints it."""
    if re.search(r"'\s*'", _TEXT.sub("'", text)):  # Python would join 'a' 'b' to one text
        return None
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        literal = ast.literal_eval(text)
        return [*literal] if isinstance(literal, list | tuple) and ... not in literal else None
    return None
