"""What the service's error answers mean (astria-api, section 8)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any
from unicodedata import category

from astria_nb.client.api_key import KEY_PAGE, ApiKey
from astria_nb.errors import (
    ApiError,
    NotFoundError,
    OutcomeUnknownError,
    Problem,
    RejectedError,
    ServerError,
    TooManyRequestsError,
    UnauthorizedError,
    UnexpectedReplyError,
)

_RAW_TEXT, _NAME = 400, 80  # characters of a message and of a field's name that are worth showing
_FIELDS = 20  # of a body that complains of thousands
_LOOK_FIRST = "look for its title with client.tunes(title=…) before you send it again"


def unknown(reason: str) -> OutcomeUnknownError:
    """Return the error for a paid request that was sent whole and got no readable answer."""
    return OutcomeUnknownError(
        Problem("title", f"nobody knows whether this tune was made ({reason})", _LOOK_FIRST)
    )


def unexpected(status: int, what: str) -> UnexpectedReplyError:
    """Return the error for an answer that is not the API's."""
    problem = Problem("base_url", f"the address answered {what}, which is not the API", "check base_url")
    return UnexpectedReplyError(problem, status=status)


def failed(status: int, headers: Mapping[str, str], content: bytes, key: ApiKey) -> ApiError:
    """Return the typed error for an answer outside 200 to 299.

    Parameters
    ----------
    status : int
    headers : mapping
        Case-insensitive.
    content : bytes
        The body, whatever it is: JSON in one of several shapes, HTML, nothing.
    key : ApiKey
        The key that was sent; a service that repeats it is not repeated.
    """
    said = _said(content, key) or [("", f"the service answered {status} and gave no reason")]
    problem, after = said[0][1], headers.get("Retry-After")
    if 300 <= status < 400:
        return unexpected(status, f"with a redirect ({status})")
    if status == 401:
        hint = f"check the key, yours is at {KEY_PAGE}"
        return UnauthorizedError(Problem("api_key", f"{key!r} was refused ({problem})", hint), status=status)
    if status == 404:
        return NotFoundError(
            Problem("id", problem, "check the id, and whose account the key is of"), status=status
        )
    if status == 429:
        wait = f"wait {after} seconds" if after and after.isdecimal() else "wait a while"
        hint = f"{wait}, then try again"
        return TooManyRequestsError(Problem("base_url", problem, hint), status=status, retry_after=after)
    if status >= 500:
        problem = f"the service failed ({status}: {problem})"
        return ServerError(
            Problem("base_url", problem, "try again in a minute"), status=status, retry_after=after
        )
    return RejectedError(*(_rejected(field, what) for field, what in said), status=status)


def throttled(seconds: float) -> TooManyRequestsError:
    """Return the error for what is not even asked: the service wants to be left alone for longer."""
    what, hint = f"the service asked to be left alone for {seconds:.0f} s more", "try again then"
    return TooManyRequestsError(
        Problem("base_url", what, hint), status=429, retry_after=str(math.ceil(seconds))
    )


def _rejected(field: str, what: str) -> Problem:
    return Problem(field or "tune", what, "mend it and submit again; nothing was created")


def _said(content: bytes, key: ApiKey) -> list[tuple[str, str]]:
    """Return (field, message) pairs from any of the shapes that an error body has; the field may be empty."""
    try:
        data = key.hide_in(json.loads(content))
    except (ValueError, RecursionError):
        data = key.hide(content.decode("utf-8", "replace"))
    if isinstance(data, Mapping):
        for name in ("error", "message", "upgrade"):
            if isinstance(data.get(name), str) and data[name].strip():
                return [("", _plain(data[name]))]
        fields = data["errors"] if isinstance(data.get("errors"), Mapping) else data
        if found := list(_of_fields(fields)):
            return found[:_FIELDS]
    text = _plain(data) if data or data == 0 else ""
    return [("", text)] if text else []


def _of_fields(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field, messages in fields.items():
        if isinstance(messages, list) and (text := ", ".join(filter(None, map(_plain, messages)))):
            yield "" if field == "base" else _plain(field, _NAME), _plain(text)


def _plain(data: Any, most: int = _RAW_TEXT) -> str:
    """Return a text, or JSON, on one line that is not too long to read."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    line = " ".join(text[: 20 * most].split())
    cut = line if len(line) <= most else f"{line[: most - 1]}…"
    return "".join("\ufffd" if category(each) in ("Cc", "Cs") else each for each in cut)
