"""HTTP requests to one service with one key, each with a total deadline and a typed outcome."""

from __future__ import annotations

import http
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import requests
from urllib3.exceptions import HTTPError

from astria_nb.client import _network_errors as network_errors
from astria_nb.client import _network_settings as network_settings
from astria_nb.client import responses, retry
from astria_nb.client._api_key import ApiKey
from astria_nb.client._base_url import check_encrypted
from astria_nb.client._parsing import parse_json
from astria_nb.client._picture_stream import PictureStream, TooLargeError, open_picture, read_blocks
from astria_nb.client._repeated_answers import parse_once
from astria_nb.client._session import address_of, new_session
from astria_nb.client._throttle import Throttle
from astria_nb.client.deadline import Deadline
from astria_nb.errors import (
    AstriaError,
    NotSentError,
    Problem,
    TooManyRequestsError,
    UnexpectedReplyError,
    UnreachableError,
)
from astria_nb.tune import Body
from astria_nb.utils.formatting import format_size
from astria_nb.utils.service_clocks import clock_of, note_clock

GET_SECONDS = 60.0
# Ten photos over a home connection have taken minutes (astria-api, section 8).
UPLOAD_SECONDS, SLOWEST_LINE = 600.0, 50_000  # bytes a second
# The service takes 30 s at most, but the last 4 MiB may still be in this machine's buffers at first.
ANSWER_SECONDS = 180.0
PICTURE_SECONDS = 120.0
PICTURE_BYTES, STREAM_BYTES = 50 * 2**20, 2**30  # in memory, and block by block: a prompt may make a video
JSON_BYTES = 16 * 2**20  # the largest page of the API has some hundred kB
_BLOCK = 2**20
_NO_HEADERS: Mapping[str, str] = {}


class Transport:
    """The connections to one service with one key.

    Every call has a total deadline, however slowly the other side sends. A GET is retried if that can help
    (`astria_nb.client.retry`), a POST is sent once. Redirects are not followed.

    Parameters
    ----------
    base_url : str
        Without a trailing slash.
    key : ApiKey
    timeout : float
        Seconds for a GET, including its retries.

    Raises
    ------
    CredentialsError
        The address would expose the key.
    """

    def __init__(self, base_url: str, key: ApiKey, timeout: float = GET_SECONDS) -> None:
        check_encrypted(base_url, is_sandbox_key=key.is_of_sandbox)
        self.base_url = base_url
        self.key = key
        self.timeout = timeout
        self.throttle = Throttle()
        self._clock_offset = clock_of(self.service)  # known from another client of this process
        self._api_session = new_session(key)
        self._public_session = new_session(None)

    @property
    def service(self) -> str:
        """The service's identity in an experiment log: its address.

        Sandboxes share a few ports over time, so the end of their key is added.
        """
        return self.base_url if self.base_url.startswith("https://") else f"{self.base_url} {self.key!r}"

    def now(self) -> datetime:
        """Return the service's time (UTC) from the ``Date`` header of its last answer, to the second."""
        return datetime.now(UTC) + self._clock_offset

    def get(self, path: str, query: Mapping[str, Any]) -> Any:
        """Return the JSON at a path.

        Parameters
        ----------
        path : str
            Begins with a slash.
        query : mapping of str to str, int, bool or None
            Parameters that are None are omitted.
        """
        params = {name: _query_value(value) for name, value in query.items() if value is not None}
        return retry.call_with_retries(
            lambda: self.get_once(path, params), seconds=self.timeout, name=f"GET {path}", now=self.now
        )

    def post(self, path: str, body: Body) -> Any:
        """Stream the body of a paid request, of any size, once, and return the JSON of the answer.

        Parameters
        ----------
        path : str
        body : Body
            A body that has not been sent.
        """
        if body.is_spent:
            raise RuntimeError("a body is sent once; encode the tune again")
        with Deadline(UPLOAD_SECONDS + len(body) / SLOWEST_LINE, answer=ANSWER_SECONDS):
            return self._send(
                "POST", path, data=body, headers={"Content-Type": body.content_type}, creates=True
            )

    def post_small(self, path: str, body: Body) -> Any:
        """Send a small body that changes nothing on the service, once, and return the JSON of the answer.

        Parameters
        ----------
        path : str
        body : Body
        """
        content = b"".join(map(bytes, body))
        with Deadline(self.timeout):
            return self._send("POST", path, data=content, headers={"Content-Type": body.content_type})

    def send_empty(self, method: str, path: str) -> None:
        """Send a request without a body, once. The body of a success is ignored unless it reports an error.

        Parameters
        ----------
        method, path : str
        """
        with Deadline(self.timeout):
            self._send(method, path, ignore_body=True)

    def patch(self, path: str, body: Body) -> None:
        """Send a small body that changes a record, once; for the answer, see `send_empty`.

        Parameters
        ----------
        path : str
        body : Body
        """
        with Deadline(self.timeout):
            self._send(
                "PATCH", path, data=body, headers={"Content-Type": body.content_type}, ignore_body=True
            )

    def picture(self, url: str) -> bytes:
        """Return the content of a public address, requested without the key.

        Parameters
        ----------
        url : str
        """
        with self._open_picture(url, PICTURE_BYTES) as picture:
            return b"".join(picture.blocks)

    def open_picture(self, url: str) -> AbstractContextManager[PictureStream]:
        """Request a public address once, without the key, to read its content block by block.

        Parameters
        ----------
        url : str
        """
        return self._open_picture(url, STREAM_BYTES)

    def close(self) -> None:
        """Close the connections."""
        self._api_session.close()
        self._public_session.close()

    def get_once(self, path: str, params: Mapping[str, Any]) -> Any:
        """Return the JSON at a path, without a second attempt."""
        if seconds := self.throttle.wait():
            raise responses.rate_limited(seconds)
        try:
            return self._send("GET", f"{path}?{urlencode(params)}" if params else path)
        except TooManyRequestsError as error:
            self.throttle.back_off(retry.retry_after_seconds(error.retry_after, self.now()) or 0.0)
            raise

    def _open_picture(self, url: str, max_bytes: int) -> AbstractContextManager[PictureStream]:
        return open_picture(self._public_session, url, PICTURE_SECONDS, max_bytes, self.key)

    def _send(self, method: str, path: str, *, data: Any = None, **options: Any) -> Any:
        failure: BaseException
        try:
            return self._exchange(method, path, data=data, **options)
        except (requests.RequestException, HTTPError, OSError) as error:
            failure = self._network_error(error, data if isinstance(data, Body) else None)
        except BaseException as error:  # noqa: BLE001  from reading the body, a callback, or Ctrl-C
            failure = error
        if isinstance(failure, UnexpectedReplyError):
            self._api_session.close()  # more data on its connection may belong to it
        # Raised outside `except`, and without the frames below: a request, or the service's message, may hold
        # the key.
        failure.__cause__ = failure.__context__ = None
        raise failure.with_traceback(None)

    @cached_property
    def _address(self) -> str:
        return address_of(self.base_url)

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        data: Any = None,
        headers: Mapping[str, str] = _NO_HEADERS,
        ignore_body: bool = False,
        creates: bool = False,
    ) -> Any:
        # A redirected POST would become a GET that is answered 200: a false success.
        with self._api_session.call(method, self._address + path, headers, data) as reply:
            self._update_clock(reply.headers.get("Date"))
            content, interruption = _read_body(reply, JSON_BYTES)
        if reply.status_code == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            raise network_settings.unaccepted_login(self.base_url)  # the proxy may refuse a tunnel
        if ignore_body and 200 <= reply.status_code < 300:
            responses.check_success(reply.status_code, reply.headers, content, self.key)
            return None
        if not 200 <= reply.status_code < 300:  # which needs no complete body
            request = f"{method} {path.partition('?')[0]}"
            raise responses.error_for_status(
                reply.status_code, reply.headers, content, self.key, request=request, creates=creates
            )
        return self._parse(reply, content, interruption)

    def _parse(self, reply: requests.Response, content: bytes, interruption: Exception | None) -> Any:
        """Return the JSON of a success, or raise the error for any other answer."""
        status = reply.status_code
        if isinstance(interruption, TooLargeError):
            raise responses.unexpected_reply(status, f"something {interruption}")
        if interruption is not None:
            raise interruption
        try:
            data = parse_once(content, parse_json)
        except (ValueError, RecursionError):
            raise responses.unreadable(status, reply.headers, content, self.key) from None
        # If a service repeats the key, it would be shown in a row or a picture's caption.
        return self.key.redact_json(data) if b"sd_" in content else data

    def _update_clock(self, date: str | None) -> None:
        # A proxy may drop the header; then the last one, or this machine's clock, is used.
        with suppress(ValueError, OverflowError):
            self._clock_offset = parsedate_to_datetime(date or "").astimezone(UTC) - datetime.now(UTC)
            note_clock(self.service, self._clock_offset)

    def _network_error(self, error: Exception, body: Body | None) -> AstriaError:
        """Distinguish a request that did not arrive completely from one whose outcome is unknown."""
        diagnosis = network_errors.diagnose(error, self.base_url)
        reason, unreached = self.key.redact(diagnosis.reason), network_errors.never_connected(error)
        if body is None and not unreached:
            what, hint = f"no complete answer from {self.base_url} ({reason})", "try again"
        elif body is None or (not body.sent and unreached):
            what = f"{self.base_url} cannot be reached ({reason})"
            problem = Problem("base_url", what, diagnosis.hint or "check the connection and try again")
            return UnreachableError(problem) if diagnosis.is_permanent else NotSentError(problem)
        elif body.sent < len(body):
            progress = format_size(body.sent, len(body))
            what = f"the connection broke after {progress} ({reason})"
            hint = "nothing was created; submit again"
        else:
            return responses.outcome_unknown(reason)
        return NotSentError(Problem("base_url", what, hint))


def _read_body(reply: requests.Response, max_bytes: int) -> tuple[bytes, Exception | None]:
    """Return the received part of an answer's body, and the error that ended it, if any."""
    content = bytearray()
    try:
        for block in read_blocks(reply, max_bytes, _BLOCK):
            content += block
    except (HTTPError, OSError) as error:
        return bytes(content), error
    return bytes(content), None


def _query_value(value: Any) -> Any:
    return ("true" if value else "false") if isinstance(value, bool) else value
