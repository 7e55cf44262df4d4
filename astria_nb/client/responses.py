"""Typed errors for the service's error answers (astria-api, section 8)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from astria_nb.client._api_key import KEY_PAGE, ApiKey
from astria_nb.client._parsing import parse_json
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

_MAX_TEXT, _MAX_NAME = 400, 80  # characters of a message and of a field's name
_MAX_FIELDS = 20

REFUSALS = frozenset({400, 401, 402, 403, 404, 422, 426, 429})
"""The statuses that prove that a request changed nothing. Others may come from a proxy, or after the work."""


def outcome_unknown(reason: str) -> OutcomeUnknownError:
    """Return the error for a paid request that was sent completely and got no readable answer.

    Parameters
    ----------
    reason : str
        What came instead of an answer.
    """
    what = f"it is unknown whether this tune was created ({reason})"
    hint = "look for its title with client.tunes(title=…) before you send it again"
    error = OutcomeUnknownError(Problem("title", what, hint))
    error.reason = reason
    return error


def unexpected_reply(status: int, what: str) -> UnexpectedReplyError:
    """Return the error for an answer that the API does not document.

    Parameters
    ----------
    status : int
    what : str
        What the server answered with.
    """
    what = f"the server answered with {what}, which is not what the Astria API does"
    return UnexpectedReplyError(Problem("base_url", what, "check base_url"), status=status)


def error_for_status(status: int, headers: Mapping[str, str], content: bytes, key: ApiKey) -> ApiError:
    """Return the typed error for an answer outside 200 to 299.

    Parameters
    ----------
    status : int
    headers : mapping of str to str
        Case-insensitive.
    content : bytes
        The body: JSON in one of several shapes, HTML, or nothing.
    key : ApiKey
        The key that was sent. It is redacted in case the service repeats it.
    """
    messages = _messages(content, key) or [("", f"the service answered {status} and gave no reason")]
    reason, retry_after = messages[0][1], headers.get("Retry-After")
    if status < 400:
        kind = "a redirect" if status >= 300 else "another protocol"
        return unexpected_reply(status, f"{kind} ({status})")
    if status == 401:
        hint = f"check the key; yours is at {KEY_PAGE}"
        return UnauthorizedError(Problem("api_key", f"{key!r} was refused ({reason})", hint), status=status)
    if status == 404:
        hint = "check the id, and that it belongs to the account of this API key"
        return NotFoundError(Problem("id", reason, hint), status=status)
    if status == 429:
        is_seconds = retry_after and retry_after.isdecimal() and len(retry_after) < 10
        hint = f"wait {retry_after} seconds, then try again" if is_seconds else "wait a while, then try again"
        return TooManyRequestsError(Problem("base_url", reason, hint), status=status, retry_after=retry_after)
    if status >= 500:
        problem = Problem("base_url", f"the service failed ({status}: {reason})", "try again in a minute")
        return ServerError(problem, status=status, retry_after=retry_after)
    is_proof = status in REFUSALS
    hint = "fix it and submit again; nothing was created" if is_proof else "try again in a minute"
    problems = (Problem(field or "tune", message, hint, kind="rejected") for field, message in messages)
    return RejectedError(*problems, status=status)


def rate_limited(seconds: float) -> TooManyRequestsError:
    """Return the error for a request that is not sent because of an earlier 429.

    Parameters
    ----------
    seconds : float
        The rest of the back-off.
    """
    what, hint = f"the service asked for no requests for another {seconds:.0f} s", "try again after that"
    return TooManyRequestsError(
        Problem("base_url", what, hint), status=429, retry_after=str(math.ceil(seconds))
    )


def _messages(content: bytes, key: ApiKey) -> list[tuple[str, str]]:
    """Return (field, message) pairs from an error body of any shape; the field may be empty."""
    try:
        data = key.redact_json(parse_json(content))
    except (ValueError, RecursionError):
        data = key.redact(content.decode("utf-8", "replace"))
    if isinstance(data, Mapping):
        for name in ("error", "message", "upgrade"):
            if isinstance(data.get(name), str) and data[name].strip():
                return [("", _one_line(data[name]))]
        fields = data["errors"] if isinstance(data.get("errors"), Mapping) else data
        if messages := list(islice(_field_messages(fields), _MAX_FIELDS)):
            return messages
    text = _one_line(data) if data or data == 0 else ""
    return [("", text)] if text else []


def _field_messages(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field, messages in fields.items():
        if isinstance(messages, list) and (text := ", ".join(filter(None, map(_one_line, messages)))):
            yield "" if field == "base" else _one_line(field, _MAX_NAME), _one_line(text)


def _one_line(data: Any, max_length: int = _MAX_TEXT) -> str:
    """Return a text, or JSON, as one line of limited length."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    line = " ".join(text[: 20 * max_length].split())
    return line if len(line) <= max_length else f"{line[: max_length - 1]}…"
