"""Request parameters, read as Rails reads them: one tree from any of three encodings."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn, TypeAlias
from urllib.parse import parse_qsl

from astria_nb.sandbox.errors import bad_request, too_large
from astria_nb.sandbox.uploads.spool import Upload

Param: TypeAlias = "str | int | float | bool | Upload | list[Param] | dict[str, Param] | None"
Params: TypeAlias = "dict[str, Param]"

MAX_DEPTH = 32
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_INDEX = re.compile(r"[0-9]{1,6}", re.ASCII)


def from_pairs(pairs: Iterable[tuple[str, str | Upload]], max_fields: int = 10_000) -> Params:
    """Build the tree of a form from its fields, in their order.

    Parameters
    ----------
    pairs : iterable of (key, value)
        Fields in the order in which they were sent.
    max_fields : int
        Most fields to accept.

    Raises
    ------
    Refusal
        400 when two keys want different shapes of one parameter or a key is nested too deep, 413 when there
        are too many fields.

    Notes
    -----
    `astria-api.md` section 5: `a[b]` nests, `a[]` appends, `a[][k]` makes a list of objects, `a[0]` is the
    element of a list too, the last of two equal scalar keys wins.

    Examples
    --------
    >>> from_pairs([("tune[title]", "a"), ("tune[title]", "b"), ("tune[image_urls][]", "u")])
    {'tune': {'title': 'b', 'image_urls': ['u']}}
    """
    tree: Params = {}
    for number, (key, value) in enumerate(pairs, 1):
        if number > max_fields:
            raise too_large(f"more than {max_fields} fields")
        if not key:
            continue
        if isinstance(value, str):
            _check_text(value)
        _check_text(key)
        path = _path(key)
        if len(path) > MAX_DEPTH:
            raise bad_request(f"parameters are nested deeper than {MAX_DEPTH} levels")
        _put(tree, path, value, key)
    return {key: _indexed(value) for key, value in tree.items()}


def from_query(query: bytes, max_fields: int = 10_000) -> Params:
    """Build the tree of a query string or of a URL-encoded body."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise bad_request("the parameters are not percent-encoded UTF-8") from None
    return from_pairs(pairs, max_fields)


def from_json(body: bytes, max_fields: int = 10_000) -> Params:
    """Build the tree of a JSON body.

    Raises
    ------
    Refusal
        400 when the body is not the JSON of an object, or nested too deep; 413 when it has too many values.
    """
    try:
        tree = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise bad_request("the body is not valid JSON") from None
    if not isinstance(tree, dict):
        raise bad_request("the JSON body must be an object")
    for number, value in enumerate(_leaves(tree, 1), 1):
        if number > max_fields:
            raise too_large(f"more than {max_fields} values")
        if isinstance(value, str):
            _check_text(value)
    return tree


def described(value: Param) -> object:
    """Return a tree with each file as what is known of it."""
    if isinstance(value, Upload):
        return value.described()
    if isinstance(value, dict):
        return {key: described(item) for key, item in value.items()}
    if isinstance(value, list):
        return [described(item) for item in value]
    return value


def files(value: Param) -> Iterator[Upload]:
    """Yield every file of a tree."""
    if isinstance(value, Upload):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from files(item)


def _path(key: str) -> list[str]:
    """Split `a[b][]` into `a`, `b` and an empty string; a key with stray brackets is one plain name."""
    match = _KEY.fullmatch(key)
    return [match[1], *match[2][1:-1].split("][")] if match else [key]


def _put(node: Params, path: list[str], value: str | Upload, key: str) -> None:
    name, *rest = path
    if not rest:
        if isinstance(node.get(name), dict | list):
            _conflict(key)
        node[name] = value
    elif rest[0]:
        child = node.setdefault(name, {})
        _put(child if isinstance(child, dict) else _conflict(key), rest, value, key)
    else:
        items = node.setdefault(name, [])
        _append(items if isinstance(items, list) else _conflict(key), rest[1:], value, key)


def _append(items: list[Param], path: list[str], value: str | Upload, key: str) -> None:
    if not path:
        items.append(value)
    elif not path[0]:
        raise bad_request(f"{key}: a list of lists cannot be sent in a form")
    else:
        # As in Rack, an object of the list is complete when a key of it comes again.
        last = items[-1] if items else None
        if not isinstance(last, dict) or _has(last, path):
            last = {}
            items.append(last)
        _put(last, path, value, key)


def _has(node: Param, path: list[str]) -> bool:
    for name in path:
        if not name or not isinstance(node, dict) or name not in node:
            return False
        node = node[name]
    return True


def _indexed(value: Param) -> Param:
    """Turn objects whose keys are all numbers into lists, in the order of the numbers."""
    if isinstance(value, list):
        return [_indexed(item) for item in value]
    if not isinstance(value, dict):
        return value
    tree = {key: _indexed(item) for key, item in value.items()}
    if all(_INDEX.fullmatch(key) for key in tree):
        return [tree[key] for key in sorted(tree, key=int)]
    return tree


def _leaves(value: Param, depth: int) -> Iterator[Param]:
    """Yield keys and values of a JSON tree."""
    if depth > MAX_DEPTH:
        raise bad_request(f"parameters are nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item, depth + 1)
    else:
        yield value


def _check_text(text: str) -> None:
    """Refuse text that no database takes: NUL, and halves of surrogate pairs, which are not UTF-8."""
    if "\0" in text:
        raise bad_request("a parameter contains a null byte")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise bad_request("a parameter is not valid UTF-8") from None


def _conflict(key: str) -> NoReturn:
    raise bad_request(f"{key}: sent both as a value and as a list or an object")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
