"""One service, one key: requests with a deadline, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from astria_nb.client import network_errors, responses, retry
from astria_nb.client.adapter import new_session
from astria_nb.client.api_key import ApiKey
from astria_nb.client.base_url import is_loopback
from astria_nb.client.deadline import Deadline
from astria_nb.client.picture_stream import PictureStream, TooLargeError, blocks, open_picture
from astria_nb.client.throttle import Throttle
from astria_nb.errors import AstriaError, NotSentError, Problem, TooManyRequestsError
from astria_nb.tune.encoding import Body
from astria_nb.utils.formatting import format_size

GET_SECONDS = 60.0
# Ten photos over a home line have taken minutes (astria-api, section 8).
UPLOAD_SECONDS, SLOWEST_LINE = 600.0, 50_000  # bytes a second
# The service takes 30 s at most; before it, the last 4 MiB may still lie in this machine's own buffers.
ANSWER_SECONDS = 180.0
PICTURE_SECONDS, PICTURE_BYTES = 120.0, 50 * 2**20
JSON_BYTES = 64 * 2**20
_BLOCK = 2**20


class Transport:
    """The connections to one service with one key.

    Every call has a total deadline, however slowly the other side drips. A GET is asked again where that can
    help (`astria_nb.client.retry`), a POST is sent once. No redirect is followed.

    Parameters
    ----------
    base_url : str
        Without a trailing slash.
    key : ApiKey
    timeout : float
        Seconds for a GET with all its attempts.
    """

    def __init__(self, base_url: str, key: ApiKey, timeout: float = GET_SECONDS) -> None:
        self.base_url = base_url
        self.key = key
        self.timeout = timeout
        self.throttle = Throttle()
        self._ahead = timedelta(0)
        self._service = new_session(key)
        # What is meant for this machine goes to no proxy, least of all with a key.
        self._service.trust_env = not is_loopback(urlsplit(base_url).hostname or "")
        self._elsewhere = new_session(None)

    def now(self) -> datetime:
        """Return the service's time (UTC), by the ``Date`` of its last answer; to the second."""
        return datetime.now(UTC) + self._ahead

    def get(self, path: str, query: Mapping[str, Any]) -> Any:
        """Return the parsed JSON that a path answers; parameters that are None are left out."""
        params = {key: _written(value) for key, value in query.items() if value is not None}
        return retry.ask(
            lambda: self._ask(path, params),
            seconds=self.timeout,
            name=f"GET {path}",
            now=self.now,
        )

    def post(self, path: str, body: Body) -> Any:
        """Send a body and return the parsed JSON of the answer."""
        if body.is_spent:
            raise RuntimeError("a body is sent once; encode the tune again")
        with Deadline(UPLOAD_SECONDS + len(body) / SLOWEST_LINE, answer=ANSWER_SECONDS):
            return self._send("POST", path, data=body, headers={"Content-Type": body.content_type})

    def look(self, path: str, body: Body) -> Any:
        """Send a small body that changes nothing, once, and return the parsed JSON of the answer."""
        content = b"".join(map(bytes, body))
        with Deadline(self.timeout):
            return self._send("POST", path, data=content, headers={"Content-Type": body.content_type})

    def tell(self, method: str, path: str) -> None:
        """Send a request without a body, once; nothing is read of an answer that is none of an error."""
        with Deadline(self.timeout):
            self._send(method, path, data=b"", is_read=False)

    def picture(self, url: str) -> bytes:
        """Return what lies at a public address, without telling it the key."""
        with self.open_picture(url) as picture:
            return b"".join(picture.blocks)

    def open_picture(self, url: str) -> AbstractContextManager[PictureStream]:
        """Ask once for what lies at a public address, to be taken block by block."""
        return open_picture(self._elsewhere, url, PICTURE_SECONDS, PICTURE_BYTES)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()
        self._elsewhere.close()

    def _ask(self, path: str, params: Mapping[str, Any]) -> Any:
        if left := self.throttle.wait():
            raise responses.throttled(left)
        try:
            return self._send("GET", path, params=params)
        except TooManyRequestsError as error:
            self.throttle.hold(retry.seconds_asked_for(error.retry_after, self.now()) or 0.0)
            raise

    def _send(self, method: str, path: str, *, data: Any = None, **options: Any) -> Any:
        failure: BaseException
        try:
            return self._exchange(method, path, data=data, **options)
        except (requests.RequestException, HTTPError, OSError) as error:
            failure = self._broken(error, data if isinstance(data, Body) else None)
        except BaseException as error:  # noqa: BLE001  of the body, of the one who watches it, or Ctrl-C
            failure = error
        # Raised outside `except`, and without the frames below: a request, or what the service said of it,
        # may hold the key.
        failure.__cause__ = failure.__context__ = None
        raise failure.with_traceback(None)

    def _exchange(self, method: str, path: str, *, is_read: bool = True, **options: Any) -> Any:
        # A POST that is redirected would come back as a GET that answers 200: a false success.
        with self._service.request(
            method, self.base_url + path, allow_redirects=False, stream=True, **options
        ) as reply:
            self._note_time(reply.headers.get("Date"))
            content, cut = _read(reply, JSON_BYTES)
        if not is_read and 200 <= reply.status_code < 300:
            return None
        return self._understood(reply, content, cut)

    def _understood(self, reply: requests.Response, content: bytes, cut: Exception | None) -> Any:
        """Return the JSON of an answer, or raise what it is instead; a status counts without its reason."""
        status = reply.status_code
        if not 200 <= status < 300:
            raise responses.failed(status, reply.headers, content, self.key)
        if isinstance(cut, TooLargeError):
            raise responses.unexpected(status, f"something {cut}")
        if cut is not None:
            raise cut
        try:
            data = json.loads(content)
            # A service that repeats the key would have it shown, in a row or a picture's caption.
            return self.key.hide_in(data) if b"sd_" in content else data
        except (ValueError, RecursionError):
            raise responses.unexpected(status, "something other than JSON") from None

    def _note_time(self, date: str | None) -> None:
        # A proxy may drop the header; then the last one, or this machine's clock, has to do.
        with suppress(ValueError, OverflowError):
            self._ahead = parsedate_to_datetime(date or "").astimezone(UTC) - datetime.now(UTC)

    def _broken(self, error: Exception, body: Body | None) -> AstriaError:
        """Tell a request that never arrived whole from one whose fate nobody knows."""
        reason = network_errors.reason(error)
        unreached = network_errors.never_connected(error)
        if body is None and not unreached:
            what, hint = f"the answer of {self.base_url} broke off ({reason})", "try again"
        elif body is None or (not body.sent and unreached):
            what, hint = f"{self.base_url} cannot be reached ({reason})", "check the connection and try again"
        elif body.sent < len(body):
            done = format_size(body.sent, len(body))
            what, hint = f"the connection broke after {done} ({reason})", "nothing was created; submit again"
        else:
            return responses.unknown(reason)
        return NotSentError(Problem("base_url", what, hint))


def _read(reply: requests.Response, most: int) -> tuple[bytes, Exception | None]:
    """Return the body of an answer and None, or what came of it and why no more did."""
    content = bytearray()
    try:
        for block in blocks(reply, most, _BLOCK):
            content += block
    except (HTTPError, OSError) as error:
        return bytes(content), error
    return bytes(content), None


def _written(value: Any) -> Any:
    return ("true" if value else "false") if isinstance(value, bool) else value
