"""A public picture, read block by block: without the key, and up to a size limit."""

from __future__ import annotations

import http
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from astria_nb.client import _network_errors as network_errors
from astria_nb.client import _network_settings as network_settings
from astria_nb.client._api_key import ApiKey
from astria_nb.client._web_page import page_title
from astria_nb.client.deadline import Deadline
from astria_nb.errors import (
    ApiError,
    AstriaError,
    NotSentError,
    Problem,
    UnexpectedReplyError,
    UnreachableError,
)
from astria_nb.utils.formatting import short

_BLOCK = 2**18  # smaller blocks save memory, but cost switches between threads
_COMPLETE = (200, 203)  # other 2xx answers have no content, or a part of it
_GONE = (403, 404, 410)
_PAGES = ("text/html", "application/xhtml+xml")


class TooLargeError(HTTPError):
    """An answer exceeds the size limit."""


@dataclass(frozen=True, slots=True)
class PictureStream:
    """A picture whose answer has begun.

    Attributes
    ----------
    content_type : str
        The media type of the header in lower case, without parameters; may be empty.
    blocks : iterator of bytes
        The content. Raises `NotSentError` if it breaks off, `AstriaError` if it exceeds the size limit.
    is_delimited : bool
        Whether the header or the encoding says where the answer ends, so that a truncated answer raises an
        error.
    cancel : callable
        Ends a wait for the next block; called by other threads.
    """

    content_type: str
    blocks: Iterator[bytes]
    is_delimited: bool
    cancel: Callable[[], None]


def read_blocks(reply: requests.Response, max_bytes: int, block_size: int = _BLOCK) -> Iterator[bytes]:
    """Yield the body of an answer in blocks.

    Parameters
    ----------
    reply : requests.Response
        Opened with ``stream=True``.
    max_bytes, block_size : int

    Raises
    ------
    TooLargeError
        The body is larger than `max_bytes`.
    """
    size = 0
    for block in reply.raw.stream(block_size, decode_content=True):
        size += len(block)
        if size > max_bytes:
            raise TooLargeError(f"larger than {max_bytes // 2**20} MiB")
        yield block


@contextmanager
def open_picture(
    session: requests.Session, url: str, seconds: float, max_bytes: int, key: ApiKey
) -> Iterator[PictureStream]:
    """Request a public address once, to read its content block by block.

    Parameters
    ----------
    session : requests.Session
        A session without a key.
    url : str
    seconds : float
        Time limit for everything.
    max_bytes : int
    key : ApiKey
        It is not sent, but redacted in the text of a web page.

    Raises
    ------
    ApiError
        The answer is an error, a web page, or not the complete picture.
    NotSentError
        The host was not reached, or the answer broke off: trying again may help.
    AstriaError
        The address is not a web address, or the picture is too large.
    """
    with Deadline(seconds), ExitStack() as stack:
        reply = _request(session, url)
        stack.callback(reply.close)
        if reply.status_code == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            raise _network_error(reply.url, network_settings.unaccepted_login(reply.url))
        if reply.status_code not in _COMPLETE:
            raise _status_error(url, reply)
        content_type = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        is_delimited = "Content-Length" in reply.headers or "Transfer-Encoding" in reply.headers
        blocks = _read_picture(reply, url, max_bytes)
        if content_type in _PAGES:
            first = next(blocks, b"")
            if (title := page_title(reply.headers, first, key)) is not None:
                del first  # a traceback can show the variables of each frame
                raise _page_error(url, title)
            blocks = chain([first], blocks)
        yield PictureStream(content_type, blocks, is_delimited, lambda: _cancel(reply))


def _request(session: requests.Session, url: str) -> requests.Response:
    try:
        if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("not a web address")
        return session.get(url, stream=True)
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        failure = _network_error(url, error)
    # Outside `except`, here and below: a request contains the whole address.
    raise failure


def _read_picture(reply: requests.Response, url: str, max_bytes: int) -> Iterator[bytes]:
    try:
        yield from read_blocks(reply, max_bytes)
        return
    except (HTTPError, OSError) as error:
        failure = _network_error(url, error)
    raise failure


def _network_error(url: str, error: Exception) -> AstriaError:
    if lasting := _lasting_reason(error):
        return AstriaError(_problem(url, lasting, "open it in a browser to check it"))
    diagnosis = network_errors.diagnose(error, url)
    problem = _problem(url, diagnosis.reason, diagnosis.hint or "try again later")
    return UnreachableError(problem) if diagnosis.is_permanent else NotSentError(problem)


def _lasting_reason(error: Exception) -> str | None:
    """Return why an address always fails; the libraries' own messages may contain the whole address."""
    if isinstance(error, TooLargeError):
        return str(error)
    if isinstance(error, requests.TooManyRedirects):
        return "too many redirects"
    if isinstance(error, requests.exceptions.InvalidSchema):  # the address itself was checked
        return "it redirects to an address outside the web"
    return "not a web address" if isinstance(error, ValueError) else None


def _status_error(url: str, reply: requests.Response) -> ApiError:
    status = reply.status_code
    hint = "it may have expired: pictures are kept for 30 days" if status in _GONE else "try again later"
    problem = _problem(url, f"status {status}", hint)
    return ApiError(problem, status=status, retry_after=reply.headers.get("Retry-After"))


def _page_error(url: str, title: str) -> ApiError:
    what = f"the web page {title!r} came" if title else "a web page came"
    problem = _problem(url, what, "open it in a browser, and sign in to the network if necessary")
    return UnexpectedReplyError(problem, status=http.HTTPStatus.OK, page=title)


def _problem(url: str, reason: str, hint: str) -> Problem:
    return Problem("images", f"the picture {short(url)} cannot be fetched ({reason})", hint)


def _cancel(reply: requests.Response) -> None:
    with suppress(OSError, ValueError, RuntimeError):  # it has ended already
        reply.raw.shutdown()
