"""A key made to be found: the forms in which it can appear, and a search for them."""

import base64
import json
import traceback
import types
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus

from astria_nb.client._api_key import ApiKey

# Every encoding changes one of its characters; its last four letters may be shown.
CANARY = "sd_c4n4ry/+\"\\<&'>=%zQ_end4"
_SECRET = CANARY[3:-4]


def _forms() -> dict[str, str]:
    raw = _SECRET.encode()
    forms = {
        "plain": _SECRET,
        "URL": quote(_SECRET, safe=""),
        "URL path": quote(_SECRET),
        "form": quote_plus(_SECRET),
        "JSON": json.dumps(_SECRET)[1:-1],
        "repr": repr(_SECRET)[1:-1],
        "repr in repr": repr(repr(_SECRET))[3:-3],
        "hex": raw.hex(),
        "reversed": _SECRET[::-1],
        "reversed hex": raw[::-1].hex(),
        "hex reversed": raw.hex()[::-1],
    }
    for offset in range(3):  # base64 differs at each offset, and its ends depend on the neighbours
        for name, encode in (("base64", base64.b64encode), ("base64 for URLs", base64.urlsafe_b64encode)):
            forms[f"{name} +{offset}"] = encode(b"?" * offset + raw)[4:-4].decode()
    return forms


FORMS = _forms()


def leaks_in(text: str | bytes) -> list[str]:
    """Return the forms in which a text contains the key."""
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    return [name for name, form in FORMS.items() if form in text]


def format_with_locals(error: BaseException) -> str:
    """Return an error with the variables of every frame, as debugging tools print it."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def reachable_texts(root: object, *, skip: str) -> Iterator[tuple[str, str]]:
    """Yield each text that can be reached from an object, and the path to it. Does not enter an `ApiKey`.

    Follows attributes, slots, containers, causes, tracebacks and the variables of their frames, except frames
    of the file to skip: a test knows the key.
    """
    visited: dict[int, object] = {}
    stack: list[tuple[str, Any]] = [("", root)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, (str, bytes, bytearray)):
            yield path, value if isinstance(value, str) else bytes(value).decode("latin-1")
            continue
        if id(value) in visited or isinstance(value, (ApiKey, type, types.ModuleType, types.FunctionType)):
            continue
        visited[id(value)] = value
        if len(path) < 600:
            stack += [(f"{path}.{name}", child) for name, child in _children(value, skip)]


def _children(value: Any, skip: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, types.TracebackType):
        yield "next", value.tb_next
        frame = value.tb_frame
        if frame.f_code.co_filename != skip:
            yield from ((f"{frame.f_code.co_name}:{k}", v) for k, v in frame.f_locals.items())
        return
    if isinstance(value, BaseException):
        yield from (("cause", value.__cause__), ("context", value.__context__), ("tb", value.__traceback__))
        yield "args", value.args
    if isinstance(value, dict):
        yield from ((f"[{key!r:.30}]", item) for key, item in list(value.items()))
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from ((f"[{index}]", item) for index, item in enumerate(value))
    yield from vars(value).items() if hasattr(value, "__dict__") else ()
    for kind in type(value).__mro__:
        for name in getattr(kind, "__slots__", ()):
            # Some libraries' objects raise other errors than AttributeError here.
            with suppress(Exception):
                yield name, getattr(value, name)
