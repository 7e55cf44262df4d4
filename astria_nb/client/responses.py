"""Typed errors for the service's error answers (astria-api, section 8)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from astria_nb.client._api_key import KEY_PAGE, ApiKey
from astria_nb.client._error_body import error_message, messages
from astria_nb.client._parsing import parse_json
from astria_nb.client._refusals import PAGE_STEP, REFUSALS, creation_refused, not_found, refused
from astria_nb.client._web_page import page_title
from astria_nb.errors import (
    ApiError,
    OutcomeUnknownError,
    Problem,
    RejectedError,
    ServerError,
    TooManyRequestsError,
    UnauthorizedError,
    UnexpectedReplyError,
)
from astria_nb.utils.formatting import format_size, short
from astria_nb.utils.remedies import Remedy

_SANDBOX_HEADER = "X-Sandbox-Hint"
_SANDBOX_KEY = "each sandbox has its own: use sandbox.client(), or the key that astria-nb sandbox printed"
_WHOEVER_ANSWERS = frozenset({400, 401, 402, 404, 408, 422, 425, 426, 429})
"""Statuses with the same meaning from the service and from a gateway: a web page only adds its title."""


def too_large(size: int) -> Problem:
    """Return the problem with a request that a server rejects as too large (status 413), by its bytes."""
    what = f"make a request of {format_size(size)}, more than the server takes (status 413)"
    return Problem("images", what, f"make them smaller {Remedy.SMALLER}, or send fewer")


def outcome_unknown(reason: str) -> OutcomeUnknownError:
    """Return the error for a paid request that was sent completely and got no readable answer.

    Parameters
    ----------
    reason : str
        What was received instead of an answer.
    """
    what = f"it is unknown whether this tune was created ({reason})"
    hint = "look for its title with client.tunes(title=…) before you send it again"
    error = OutcomeUnknownError(Problem("title", what, hint))
    error.reason = reason
    return error


def unexpected_reply(
    status: int, what: str, hint: str = "check base_url", page: str | None = None
) -> UnexpectedReplyError:
    """Return the error for an answer that the API does not document.

    Parameters
    ----------
    status : int
    what : str
        What the server answered with.
    hint : str
    page : str, optional
        The title of a web page.
    """
    what = f"the server answered with {what}, which is not what the Astria API does"
    return UnexpectedReplyError(Problem("base_url", what, hint), status=status, page=page)


def page_error(status: int, page: str) -> UnexpectedReplyError:
    """Return the error for a web page in place of the API's answer.

    Parameters
    ----------
    status : int
    page : str
        Its title.
    """
    return unexpected_reply(status, f"{_in_words(page)} ({status})", PAGE_STEP, page)


def unreadable(status: int, headers: Mapping[str, str], content: bytes, key: ApiKey) -> UnexpectedReplyError:
    """Return the error for a success whose body is not JSON. Parameters as for `error_for_status`."""
    page = page_title(headers, content, key)
    if page is not None:
        return page_error(status, page)
    return unexpected_reply(status, "something other than JSON" if content.strip() else "an empty body")


def check_success(status: int, headers: Mapping[str, str], content: bytes, key: ApiKey) -> None:
    """Check that a success comes from the service, and really is one. Parameters as for `error_for_status`.

    Raises
    ------
    UnexpectedReplyError
        The body is a web page, such as a sign-in page, or reports an error.
    """
    if page_title(headers, content, key) is not None:
        raise unreadable(status, headers, content, key)
    with suppress(ValueError, RecursionError):  # some successes have no content
        if error := error_message(key.redact_json(parse_json(content))):
            raise in_place_of(f"a success ({status})", error)


def in_place_of(expected: str, words: str) -> UnexpectedReplyError:
    """Return the error for a success with something other than the requested record.

    Parameters
    ----------
    expected : str
        Such as ``tune 7``.
    words : str
        The text of the answer; empty if there is none.
    """
    what = f"{short(words) if words else 'something else'} in place of {expected}"
    return unexpected_reply(200, what, "try again later, or check base_url")


def is_refusal(error: ApiError) -> bool:
    """Return whether an error proves that a request changed nothing.

    A web page with 403 does not: it comes from a filter, and some filters read answers instead of requests.

    Parameters
    ----------
    error : ApiError
    """
    return error.status in REFUSALS and not (error.status == 403 and error.page)


def reason_of(error: ApiError) -> str:
    """Describe what was received instead of an answer, after a request that may have been carried out.

    Parameters
    ----------
    error : ApiError
    """
    status = f"status {error.status}"
    if error.page:
        return f"{status}: {_in_words(error.page)}"
    return f"{status}: {error.problems[0].what}" if isinstance(error, RejectedError) else status


def error_for_status(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    key: ApiKey,
    *,
    request: str = "the request",
    creates: bool = False,
) -> ApiError:
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
    request : str
        The request, such as ``GET /tunes/7``.
    creates : bool
        Whether it was the paid request.
    """
    if status < 400:
        what = _redirect(status, headers, key) if status >= 300 else f"another protocol ({status})"
        return unexpected_reply(status, what)
    page = page_title(headers, content, key)
    if page and status < 500 and status not in _WHOEVER_ANSWERS:
        return page_error(status, page)
    pairs = messages(content, key) if page is None else [("", _in_words(page))] if page else []
    reason = pairs[0][1] if pairs else f"the service answered {status} and gave no reason"
    retry_after = _header(headers, "Retry-After", key)
    if status == 401:
        hint = _SANDBOX_KEY if _SANDBOX_HEADER in headers else f"check the key; yours is at {KEY_PAGE}"
        problem = Problem("api_key", f"{key!r} was refused ({reason})", hint)
        return UnauthorizedError(problem, status=status, page=page)
    if status == 404:
        return not_found(request, reason, page, creates=creates)
    if status == 429:
        is_seconds = retry_after and retry_after.isdecimal() and len(retry_after) < 10
        hint = f"wait {retry_after} seconds, then try again" if is_seconds else "wait a while, then try again"
        problem = Problem("base_url", f"the service asks for fewer requests ({status}: {reason})", hint)
        return TooManyRequestsError(problem, status=status, retry_after=retry_after, page=page)
    if status >= 500:
        problem = Problem("base_url", f"the service failed ({status}: {reason})", "try again in a minute")
        return ServerError(problem, status=status, retry_after=retry_after, page=page)
    if creates:
        return creation_refused(status, pairs, page)
    return refused(request, status, pairs, page)


def rate_limited(seconds: float) -> TooManyRequestsError:
    """Return the error for a request that is not sent because of an earlier 429.

    Parameters
    ----------
    seconds : float
        The rest of the back-off.
    """
    what, hint = f"the service asked for a pause of another {seconds:.0f} s", "try again after that"
    return TooManyRequestsError(
        Problem("base_url", what, hint), status=429, retry_after=str(math.ceil(seconds))
    )


def _in_words(page: str) -> str:
    return f"the web page {page!r}" if page else "a web page without words"


def _header(headers: Mapping[str, str], name: str, key: ApiKey) -> str | None:
    value = headers.get(name)
    return None if value is None else key.redact(value)


def _redirect(status: int, headers: Mapping[str, str], key: ApiKey) -> str:
    """Describe a redirect by its host only: the rest of its address may hold a secret."""
    try:
        host = urlsplit(_header(headers, "Location", key) or "").hostname
    except ValueError:
        host = None
    return f"a redirect ({status})" + (f" to {host}" if host else "")
