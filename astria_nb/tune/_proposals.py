"""Values that a message proposes instead of a wrong one. Only what is accepted is proposed."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol

from astria_nb.tune.plain import as_integer, plain
from astria_nb.utils.formatting import quoted, short
from astria_nb.utils.redaction import redact_text

_SEPARATORS = re.compile(r"[\s,;|]+")


class Report(Protocol):
    """Records a problem: what is wrong, how to fix it, and in a mapping the key. May be called repeatedly."""

    def __call__(self, what: str, hint: str, key: str = "") -> None:
        """Record one problem."""


Validator = Callable[[Any, Report], Any]


def write(validate: Validator, candidates: Iterable[Any], verb: str = "write") -> str | None:
    """Return a hint such as ``write 'x'`` with the first candidate that a field accepts, or None.

    A value that is too long for a message, or would show a secret, is not proposed.

    Examples
    --------
    >>> write(lambda value, report: None if value > 0 else report("is not positive", ""), [-1, 5])
    'write 5'
    """
    for candidate in candidates:
        if is_accepted(validate, candidate) and (text := as_code(candidate)) is not None:
            return f"{verb} {text}"
    return None


def is_accepted(validate: Validator, value: Any) -> bool:
    """Return whether a field takes a value."""
    problems = []
    validate(value, lambda what, hint, key="": problems.append((what, hint, key)))
    return not problems


def as_code(value: Any, max_length: int = 0) -> str | None:
    """Return a value as it is written in a cell; None if it is too long, or holds a secret.

    Parameters
    ----------
    value : object
    max_length : int
        Characters that text or a list of texts may have. Default: as in a message.
    """
    try:
        code = repr(value)
    except Exception:  # noqa: BLE001  a foreign __repr__ may raise anything
        return None
    shown = quoted(value) if isinstance(value, str) else code
    is_short = shown == short(value) or (isinstance(value, str | list) and len(code) <= max_length)
    return code if is_short and redact_text(code) == code else None


def as_list(value: Any) -> Iterator[list[Any]]:
    """Yield the lists that a single value may mean: written as text, separated by commas, or itself."""
    if isinstance(value, str):
        if isinstance(literal := _literal(value), list | tuple):
            yield list(literal)
        whole, parts = [value.strip()], [part for part in _SEPARATORS.split(value) if part]
        # A comma may be part of an address, but hardly before another address.
        yield from (parts, whole) if value.count("://") > 1 else (whole, parts)
    elif not isinstance(value, Iterable) or getattr(value, "ndim", None) == 0:
        number = as_integer(value)
        yield [plain(value) if number is None else number]
    elif not isinstance(value, Mapping):
        with suppress(Exception):  # the caller's iterator may raise anything
            yield [item for inner in value for item in (inner if _is_sequence(inner) else [inner])]


def only_item(value: Any) -> Iterator[Any]:
    """Yield the item of a list, tuple or array with only one, which a stray comma may have created."""
    if _is_sequence(value) and len(value) == 1:
        item = next(iter(value))
        if not _is_sequence(item):
            yield item


def as_mapping(value: Any) -> Iterator[Mapping[Any, Any]]:
    """Yield the mapping that a text, a row of a frame, or a list of pairs (from Parquet) stands for."""
    if isinstance(value, str):
        if isinstance(literal := _literal(value), Mapping):
            yield literal
    elif callable(to_dict := getattr(value, "to_dict", None)) and getattr(value, "ndim", 0) == 1:
        with suppress(Exception):  # it is foreign
            yield to_dict()
    elif isinstance(value, list | tuple) and all(_is_sequence(pair) and len(pair) == 2 for pair in value):
        with suppress(TypeError):  # a key that cannot be one
            yield dict(value)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, list | tuple | set) or getattr(value, "ndim", 0) == 1


def _literal(text: str) -> Any:
    for parse in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            return parse(text)
    return None
