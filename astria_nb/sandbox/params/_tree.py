"""Request parameters, read as Rails reads them: one tree from any of three encodings."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import NoReturn, TypeAlias
from urllib.parse import unquote_to_bytes

from astria_nb.sandbox._errors import bad_request, too_large
from astria_nb.sandbox.params._limits import RequestLimits
from astria_nb.sandbox.uploads import Upload

Param: TypeAlias = "str | int | float | bool | Upload | list[Param] | dict[str, Param] | None"
Params: TypeAlias = "dict[str, Param]"

_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_SEPARATOR = re.compile(rb"& *")


def from_pairs(pairs: Iterable[tuple[str, str | Upload | None]], max_depth: int) -> Params:
    """Build the tree of a form from its fields, in their order.

    Parameters
    ----------
    pairs : iterable of (key, value)
        Fields in the order in which they were sent; None is the value of a key without ``=``.
    max_depth : int
        How many names a key may have.

    Raises
    ------
    Refusal
        400 when a key adds to a parameter that has another shape, or is nested too deep.

    Notes
    -----
    `a[b]` nests, whatever the name; `a[]` appends, `a[][k]` makes a list of objects, and the last of two
    equal keys wins (astria-api, sections 5 and 16).

    Examples
    --------
    >>> from_pairs([("tune[title]", "a"), ("tune[title]", "b"), ("tune[image_urls][]", "u")], 32)
    {'tune': {'title': 'b', 'image_urls': ['u']}}
    >>> from_pairs([("tune[characteristics][2024]", "x")], 32)
    {'tune': {'characteristics': {'2024': 'x'}}}
    """
    tree: Params = {}
    has_nulls = False
    for key, value in pairs:
        if not key:
            continue
        if isinstance(value, str):
            _check_text(value)
        _check_text(key)
        path = _split_key(key)
        if sum(map(bool, path)) > max_depth:
            raise bad_request(f"a parameter is nested deeper than {max_depth} levels")
        has_nulls = has_nulls or value is None
        _put(tree, path, value, key)
    return _without_nulls(tree) if has_nulls else tree


def from_form(form: bytes, limits: RequestLimits) -> Params:
    """Build the tree of a query string or of a URL-encoded body.

    Raises
    ------
    Refusal
        400 for a ``%`` that begins no escape, text that is not UTF-8, or a form beyond a limit of Rails; 413
        when it has more than `max_fields`.
    """
    if len(form) > limits.max_form:
        raise bad_request(f"the form is longer than {limits.max_form} bytes")
    if (count := form.count(b"&") + 1) > limits.max_fields:
        raise too_large(f"more than {limits.max_fields} fields")
    if count > limits.max_pairs:
        raise bad_request(f"the form has {count} pairs; at most {limits.max_pairs} are read")
    if _NO_ESCAPE.search(form):
        raise bad_request("the form contains a % that begins no escape; write it as %25")
    pairs = []
    for pair in _SEPARATOR.split(form):
        key, is_pair, value = pair.partition(b"=")
        pairs.append((_unescaped(key), _unescaped(value) if is_pair else None))
    return from_pairs(pairs, limits.max_form_depth)


def from_json(body: bytes, limits: RequestLimits) -> Params:
    """Build the tree of a JSON body; nulls are removed from its lists.

    Raises
    ------
    Refusal
        400 when it is not JSON or is nested too deep, 413 when it has too many values.

    Notes
    -----
    What is not an object is the parameter ``_json``.
    """
    tree = parse_json(body, limits.max_json_depth)
    # A body that is shorter than the limit cannot have as many values.
    if len(body) > limits.max_fields:
        for count, _ in enumerate(_leaves(tree), 1):
            if count > limits.max_fields:
                raise too_large(f"more than {limits.max_fields} values")
    return tree if isinstance(tree, dict) else {"_json": tree}


def parse_json(text: bytes, max_depth: int) -> Param:
    """Return the value of a JSON text, without nulls in its lists; 400 when there is none."""
    try:
        tree = json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise bad_request("the body is not valid JSON") from None
    return _checked(tree, max_depth)


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


def _unescaped(text: bytes) -> str:
    if b"%" in text or b"+" in text:
        text = unquote_to_bytes(text.replace(b"+", b" "))
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise bad_request("a parameter is not valid UTF-8") from None


def _split_key(key: str) -> list[str]:
    """Split `a[b][]` into `a`, `b` and an empty string; what follows the last brackets is a name too."""
    start = key.find("[", 1)
    if start < 0 or start == len(key) - 1:
        return [key]
    path, rest = [key[:start]], key[start:]
    while rest:
        end = rest.find("]") if rest[0] == "[" else -1
        path.append(rest if end < 0 else rest[1:end])
        rest = "" if end < 0 else rest[end + 1 :]
    return path


def _put(node: Params, path: list[str], value: str | Upload | None, key: str) -> None:
    name, *subpath = path
    if not subpath:
        node[name] = value
    elif subpath[0]:
        if node.get(name) is None:
            node[name] = {}
        child = node[name]
        _put(child if isinstance(child, dict) else _refuse_conflict(key), subpath, value, key)
    else:
        if node.get(name) is None:
            node[name] = []
        items = node[name]
        _append(items if isinstance(items, list) else _refuse_conflict(key), subpath[1:], value, key)


def _append(items: list[Param], path: list[str], value: str | Upload | None, key: str) -> None:
    if not path:
        items.append(value)
    elif path == [""]:
        items.append([value])
    elif not path[0]:
        raise bad_request(f"{key}: a list of lists of lists cannot be sent in a form")
    else:
        # As in Rack, a key that the last object already has begins the next object.
        last = items[-1] if items else None
        if not isinstance(last, dict) or _contains(last, path):
            last = {}
            items.append(last)
        _put(last, path, value, key)


def _contains(node: Param, path: list[str]) -> bool:
    if "" in path:
        return False
    for name in path:
        if not isinstance(node, dict) or name not in node:
            return False
        node = node[name]
    return True


def _without_nulls(value: Params) -> Params:
    for key, item in value.items():
        value[key] = _list_without_nulls(item)
    return value


def _list_without_nulls(value: Param) -> Param:
    if isinstance(value, list):
        return [_list_without_nulls(item) for item in value if item is not None]
    return _without_nulls(value) if isinstance(value, dict) else value


def _checked(value: Param, depth: int) -> Param:
    """Check the text and the depth of a JSON tree, and remove the nulls of its lists."""
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict | list):
        if not depth:
            raise bad_request("the JSON is nested too deep")
        if isinstance(value, list):
            return [_checked(item, depth - 1) for item in value if item is not None]
        for key, item in value.items():
            _check_text(key)
            value[key] = _checked(item, depth - 1)
    return value


def _leaves(value: Param) -> Iterator[Param]:
    """Yield the keys and the scalar values of a JSON tree."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
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
