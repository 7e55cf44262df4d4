"""A key made to be found: in which forms it can appear, and where to look."""

import base64
import json
import traceback
import types
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus

from astria_nb.client.api_key import ApiKey

# Each way of writing it down changes it, and its last four letters may be shown.
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
    for before in range(3):  # base64 looks different at each offset; its ends depend on the neighbours
        for name, encode in (("base64", base64.b64encode), ("base64 for URLs", base64.urlsafe_b64encode)):
            forms[f"{name} +{before}"] = encode(b"?" * before + raw)[4:-4].decode()
    return forms


FORMS = _forms()


def found_in(text: str | bytes) -> list[str]:
    """Return the forms in which the key stands in a text."""
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    return [name for name, form in FORMS.items() if form in text]


def rendered(error: BaseException) -> str:
    """Return an error with the variables of every frame, as cgitb and its like write it into a page."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def reachable(thing: object, *, skip: str) -> Iterator[tuple[str, str]]:
    """Yield each text that can be got at from an object, and its way there; not into an `ApiKey` itself.

    Goes through attributes, slots, containers, causes, tracebacks and the variables of their frames, but for
    those of the file to skip: a test knows the key.
    """
    seen: dict[int, object] = {}
    stack: list[tuple[str, Any]] = [("", thing)]
    while stack:
        way, each = stack.pop()
        if isinstance(each, (str, bytes, bytearray)):
            yield way, each if isinstance(each, str) else bytes(each).decode("latin-1")
            continue
        if id(each) in seen or isinstance(each, (ApiKey, type, types.ModuleType, types.FunctionType)):
            continue
        seen[id(each)] = each
        if len(way) < 600:
            stack += [(f"{way}.{name}", inner) for name, inner in _inside(each, skip)]


def _inside(each: Any, skip: str) -> Iterator[tuple[str, Any]]:
    if isinstance(each, types.TracebackType):
        yield "next", each.tb_next
        if each.tb_frame.f_code.co_filename != skip:
            yield from ((f"{each.tb_frame.f_code.co_name}:{k}", v) for k, v in each.tb_frame.f_locals.items())
        return
    if isinstance(each, BaseException):
        yield from (("cause", each.__cause__), ("context", each.__context__), ("tb", each.__traceback__))
        yield "args", each.args
    if isinstance(each, dict):
        yield from ((f"[{key!r:.30}]", value) for key, value in list(each.items()))
    elif isinstance(each, (list, tuple, set, frozenset)):
        yield from ((f"[{at}]", value) for at, value in enumerate(each))
    yield from vars(each).items() if hasattr(each, "__dict__") else ()
    for kind in type(each).__mro__:
        for name in getattr(kind, "__slots__", ()):
            # Some libraries' objects fail, rather than lack a name, when they are looked into.
            with suppress(Exception):
                yield name, getattr(each, name)
