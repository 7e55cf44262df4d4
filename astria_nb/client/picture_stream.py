"""A public picture as it comes, block by block: without the key, and no more of it than is bearable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from astria_nb.client import network_errors
from astria_nb.client.deadline import Deadline
from astria_nb.errors import ApiError, AstriaError, NotSentError, Problem
from astria_nb.utils.formatting import short

_BLOCK = 2**16
_WHOLE = (200, 203)  # any other answer is none, or a part of one
_GONE = (403, 404, 410)


class TooLargeError(HTTPError):
    """An answer beyond what we take."""


@dataclass(frozen=True, slots=True)
class PictureStream:
    """A picture whose answer has begun.

    Attributes
    ----------
    content_type : str
        As the header says, without parameters, in small letters; may be empty.
    blocks : iterator of bytes
        The picture. It raises `NotSentError` where it breaks off, `AstriaError` where it grows too large.
    is_measured : bool
        Whether an answer that breaks off is known from one that ends.
    cancel : callable
        Ends a wait for the next block; for other threads.
    """

    content_type: str
    blocks: Iterator[bytes]
    is_measured: bool
    cancel: Callable[[], None]


def blocks(reply: requests.Response, most: int, size: int = _BLOCK) -> Iterator[bytes]:
    """Yield the body of an answer in pieces, and raise `TooLargeError` where there is more than that."""
    taken = 0
    for block in reply.raw.stream(size, decode_content=True):
        taken += len(block)
        if taken > most:
            raise TooLargeError(f"larger than {most // 2**20} MiB")
        yield block


@contextmanager
def open_picture(session: requests.Session, url: str, seconds: float, most: int) -> Iterator[PictureStream]:
    """Ask once for what lies at a public address.

    Parameters
    ----------
    session : requests.Session
        One without a key.
    url : str
    seconds : float
        For all of it.
    most : int
        Bytes to take.

    Raises
    ------
    ApiError
        It answered with an error, or with something other than a whole picture.
    NotSentError
        It was not reached, or broke off: asking again may help.
    AstriaError
        The address is none of the web's.
    """
    with Deadline(seconds), ExitStack() as stack:
        reply = _asked(session, url)
        stack.callback(reply.close)
        if reply.status_code not in _WHOLE:
            raise _refused(url, reply)
        kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        measured = "Content-Length" in reply.headers or "Transfer-Encoding" in reply.headers
        yield PictureStream(kind, _taken(reply, url, most), measured, lambda: _cancel(reply))


def _asked(session: requests.Session, url: str) -> requests.Response:
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("not a web address")
        return session.get(url, stream=True)
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        failure = _failed(url, error)
    # Outside of `except`, here and below: a request holds the whole address.
    raise failure


def _taken(reply: requests.Response, url: str, most: int) -> Iterator[bytes]:
    try:
        yield from blocks(reply, most)
        return
    except (HTTPError, OSError) as error:
        failure = _failed(url, error)
    raise failure


def _failed(url: str, error: Exception) -> AstriaError:
    hopeless = isinstance(error, (TooLargeError, ValueError, requests.TooManyRedirects))
    reason = (
        "not a web address"
        if isinstance(error, requests.exceptions.InvalidURL)
        else network_errors.reason(error)
    )
    kind = AstriaError if hopeless else NotSentError
    return kind(_problem(url, reason, "look at it in a browser" if hopeless else "try again later"))


def _refused(url: str, reply: requests.Response) -> ApiError:
    status = reply.status_code
    gone = "it may have expired: pictures are kept for 30 days" if status in _GONE else "try again later"
    problem = _problem(url, f"status {status}", gone)
    return ApiError(problem, status=status, retry_after=reply.headers.get("Retry-After"))


def _problem(url: str, reason: str, hint: str) -> Problem:
    return Problem("images", f"the picture {short(url)} cannot be fetched ({reason})", hint)


def _cancel(reply: requests.Response) -> None:
    with suppress(OSError, ValueError, RuntimeError):  # it is over already
        reply.raw.shutdown()
