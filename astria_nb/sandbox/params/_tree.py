"""Request parameters, parsed as Rails does: one tree from any of three encodings."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn, TypeAlias
from urllib.parse import parse_qsl

from astria_nb.sandbox._errors import bad_request, too_large
from astria_nb.sandbox.uploads import Upload

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
        Largest number of fields to accept.

    Raises
    ------
    Refusal
        400 when two keys give one parameter different shapes or a key is nested too deep, 413 when there
        are too many fields.

    Notes
    -----
    `a[b]` nests, `a[]` appends, `a[][k]` makes a list of objects, `a[0]` is an element of a list as well,
    and the last of two equal scalar keys wins (astria-api, section 5).

    Examples
    --------
    >>> from_pairs([("tune[title]", "a"), ("tune[title]", "b"), ("tune[image_urls][]", "u")])
    {'tune': {'title': 'b', 'image_urls': ['u']}}
    """
    tree: Params = {}
    for count, (key, value) in enumerate(pairs, 1):
        if count > max_fields:
            raise too_large(f"more than {max_fields} fields")
        if not key:
            continue
        if isinstance(value, str):
            _check_text(value)
        _check_text(key)
        path = _split_key(key)
        if len(path) > MAX_DEPTH:
            raise bad_request(f"parameters are nested deeper than {MAX_DEPTH} levels")
        _put(tree, path, value, key)
    return {key: _lists_from_indices(value) for key, value in tree.items()}


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
        400 when the body is not a JSON object or is nested too deep, 413 when it has too many values.
    """
    try:
        tree = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise bad_request("the body is not valid JSON") from None
    if not isinstance(tree, dict):
        raise bad_request("the JSON body must be an object")
    for count, value in enumerate(_leaves(tree, 1), 1):
        if count > max_fields:
            raise too_large(f"more than {max_fields} values")
        if isinstance(value, str):
            _check_text(value)
    return tree


def described(value: Param) -> object:
    """Return a tree in which each file is replaced by its description."""
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


def _split_key(key: str) -> list[str]:
    """Split `a[b][]` into `a`, `b` and an empty string; a key with unbalanced brackets is one plain name."""
    match = _KEY.fullmatch(key)
    return [match[1], *match[2][1:-1].split("][")] if match else [key]


def _put(node: Params, path: list[str], value: str | Upload, key: str) -> None:
    name, *subpath = path
    if not subpath:
        if isinstance(node.get(name), dict | list):
            _refuse_conflict(key)
        node[name] = value
    elif subpath[0]:
        child = node.setdefault(name, {})
        _put(child if isinstance(child, dict) else _refuse_conflict(key), subpath, value, key)
    else:
        items = node.setdefault(name, [])
        _append(items if isinstance(items, list) else _refuse_conflict(key), subpath[1:], value, key)


def _append(items: list[Param], path: list[str], value: str | Upload, key: str) -> None:
    if not path:
        items.append(value)
    elif not path[0]:
        raise bad_request(f"{key}: a list of lists cannot be sent in a form")
    else:
        # As in Rack, a key that the last object already has begins the next object.
        last = items[-1] if items else None
        if not isinstance(last, dict) or _contains(last, path):
            last = {}
            items.append(last)
        _put(last, path, value, key)


def _contains(node: Param, path: list[str]) -> bool:
    for name in path:
        if not name or not isinstance(node, dict) or name not in node:
            return False
        node = node[name]
    return True


def _lists_from_indices(value: Param) -> Param:
    """Turn objects whose keys are all numbers into lists, in the order of the numbers."""
    if isinstance(value, list):
        return [_lists_from_indices(item) for item in value]
    if not isinstance(value, dict):
        return value
    tree = {key: _lists_from_indices(item) for key, item in value.items()}
    if all(_INDEX.fullmatch(key) for key in tree):
        return [tree[key] for key in sorted(tree, key=int)]
    return tree


def _leaves(value: Param, depth: int) -> Iterator[Param]:
    """Yield the keys and the scalar values of a JSON tree."""
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
    """Refuse text that a database cannot store: NUL, and lone surrogates, which are not UTF-8."""
    if "\0" in text:
        raise bad_request("a parameter contains a null byte")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise bad_request("a parameter is not valid UTF-8") from None


def _refuse_conflict(key: str) -> NoReturn:
    raise bad_request(f"{key}: sent both as a value and as a list or an object")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
