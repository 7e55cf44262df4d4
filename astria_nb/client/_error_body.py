"""The messages in the body of an error, by field: JSON of several shapes, or text (astria-api, section 8)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from astria_nb.client._api_key import ApiKey
from astria_nb.client._parsing import parse_json
from astria_nb.utils.arguments import parse_whole

_MAX_TEXT, _MAX_NAME = 400, 80  # characters of a message and of a field's name
_MAX_FIELDS, _MAX_ITEMS = 20, 100  # messages that are shown, and parts of an object that are read
_MAX_DEPTH = 4  # levels of nested objects
_GENERAL = ("error", "message", "upgrade", "detail", "error_description")
"""Keys under which services report what is wrong with a whole request, the most specific first."""
_OF_FIELD, _WORDS = ("field", "attribute", "param"), ("message", "detail", "error", "title")
_NO_FIELDS = ("status", "code", "success", "type", "instance", "exception", "traces", "request_id")

Message = tuple[str, str]
"""A field, or nothing for the whole request, and the message about it."""


def messages(content: bytes, key: ApiKey) -> list[Message]:
    """Return (field, message) pairs; the field is empty if a message is about the whole request.

    Parameters
    ----------
    content : bytes
    key : ApiKey
        The key that was sent. It is redacted in case the service repeats it.

    Examples
    --------
    >>> key = ApiKey("sd_not_a_real_key")
    >>> messages(b'{"title": ["is blank"], "base": ["no balance"]}', key)
    [('title', 'is blank'), ('', 'no balance')]
    >>> messages(b"HTTP Token: Access denied.", key)
    [('', 'HTTP Token: Access denied.')]
    """
    try:
        data = key.redact_json(parse_json(content))
    except (ValueError, RecursionError):
        data = key.redact(content.decode("utf-8", "replace"))
    return _messages_in(data)


def error_text(data: Mapping[str, Any]) -> str:
    """Return the error text in a JSON object, from the keys that services use; empty if there is none.

    Parameters
    ----------
    data : mapping
        Without the API key.

    Examples
    --------
    >>> error_text({"message": "maintenance"}), error_text({"errors": {"name": ["is bad"]}}), error_text({})
    ('maintenance', 'name: is bad', '')
    """
    if not any(data.get(name) for name in ("errors", *_GENERAL)):
        return ""
    field, text = _messages_in(data)[0]
    return f"{field}: {text}" if field else text


def error_message(data: object) -> str:
    """Return the error in an answer with the status of a success; empty if there is none.

    Parameters
    ----------
    data : object
        The JSON of the answer, without the API key.

    Examples
    --------
    >>> error_message({"status": 422, "message": "no"}), error_message({"status": 201, "message": "done"})
    ('no', '')
    """
    if not isinstance(data, Mapping):
        return ""
    status = parse_whole(data.get("status")) or 0
    is_failure = data.get("error") or data.get("errors") or data.get("success") is False or status >= 400
    return (error_text(data) or "no success") if is_failure else ""


def _messages_in(data: Any) -> list[Message]:
    pairs = ((_one_line(field, _MAX_NAME), _one_line(text)) for field, text in _pairs(data))
    if read := list(islice(((field, text) for field, text in pairs if text), _MAX_FIELDS)):
        return read
    text = _one_line(data) if data or data == 0 else ""
    return [("", text)] if text else []


def _pairs(data: Any, field: str = "", depth: int = _MAX_DEPTH) -> Iterator[tuple[str, str]]:
    """Yield the field and the text of each message in JSON."""
    if isinstance(data, str):
        if data.strip():
            yield field, data
    elif isinstance(data, list):
        yield from _of_list(data, field, depth)
    elif isinstance(data, Mapping) and depth:
        yield from _of_object(data, field, depth)


def _of_list(items: list[Any], field: str, depth: int) -> Iterator[tuple[str, str]]:
    items = items[:_MAX_ITEMS]
    texts = [item for item in map(_plain, items) if item]
    if texts:
        yield field, ", ".join(texts)
    for item in items:
        if not isinstance(item, Mapping) or not depth:
            continue
        names = (item[name] for name in _OF_FIELD if isinstance(item.get(name), str))
        words = (item[name] for name in _WORDS if isinstance(item.get(name), str))
        if text := next(words, ""):
            yield next(names, field), text
        else:
            yield from _pairs(item, field, depth - 1)


def _of_object(data: Mapping[str, Any], field: str, depth: int) -> Iterator[tuple[str, str]]:
    for name in ("errors", *_GENERAL):
        pairs = _pairs(data.get(name), field, depth - 1)
        if (first := next(pairs, None)) is not None:
            yield first
            yield from pairs
            return
    is_problem = "status" in data  # RFC 9457, whose title is not a field
    for name, value in islice(data.items(), _MAX_ITEMS):
        if name not in _NO_FIELDS:
            is_general = name == "base" or (is_problem and name == "title" and isinstance(value, str))
            yield from _pairs(value, field if is_general else name, depth - 1)


def _plain(item: Any) -> str:
    """Return an item of a list of messages as text, unless it is an object."""
    return "" if isinstance(item, Mapping | list) or item is None else _one_line(item)


def _one_line(data: Any, max_length: int = _MAX_TEXT) -> str:
    """Return a text, or JSON, as one line of limited length."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    line = " ".join(text[: 20 * max_length].split())
    return line if len(line) <= max_length else f"{line[: max_length - 1]}…"
