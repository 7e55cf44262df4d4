"""One HTTP request, sent once, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, NewConnectionError

from astria_nb import replies
from astria_nb.credentials import ApiKey, is_loopback
from astria_nb.encoding import Body
from astria_nb.errors import AstriaError, NotSentError, Problem

CONNECT_SECONDS, READ_SECONDS = 10, 60
# Ten photos over a home line have taken minutes (astria-api, section 8).
UPLOAD_SECONDS = 600
PICTURE_BYTES = 50 * 2**20


class Transport:
    """The connections to one service with one key. No redirect is followed, nothing is retried.

    Parameters
    ----------
    base_url : str
        Without a trailing slash.
    key : ApiKey
    """

    def __init__(self, base_url: str, key: ApiKey) -> None:
        self.base_url = base_url
        self.key = key
        self._ahead = timedelta(0)
        self._service = _session(_Bearer(key))
        # What is meant for this machine goes to no proxy, least of all with a key.
        self._service.trust_env = not is_loopback(urlsplit(base_url).hostname or "")
        self._elsewhere = _session(_Anonymous())

    def now(self) -> datetime:
        """Return the service's time (UTC), by the ``Date`` of its last answer; to the second."""
        return datetime.now(UTC) + self._ahead

    def get(self, path: str, query: Mapping[str, Any]) -> Any:
        """Return the parsed JSON that a path answers; parameters that are None are left out."""
        params = {key: _written(value) for key, value in query.items() if value is not None}
        return self._send("GET", path, params=params, timeout=(CONNECT_SECONDS, READ_SECONDS))

    def post(self, path: str, body: Body) -> Any:
        """Send a body and return the parsed JSON of the answer."""
        if body.is_spent:
            raise RuntimeError("a body is sent once; encode the tune again")
        return self._send(
            "POST",
            path,
            data=body,
            headers={"Content-Type": body.content_type},
            timeout=(CONNECT_SECONDS, UPLOAD_SECONDS),
        )

    def picture(self, url: str) -> bytes:
        """Return what lies at a public address, without telling it the key."""
        try:
            if urlsplit(url).scheme not in ("http", "https"):
                raise ValueError("not a web address")
            with self._elsewhere.get(url, timeout=(CONNECT_SECONDS, READ_SECONDS), stream=True) as reply:
                reply.raise_for_status()
                data: bytes = reply.raw.read(PICTURE_BYTES + 1, decode_content=True)
            if len(data) <= PICTURE_BYTES:
                return data
            reason = f"larger than {PICTURE_BYTES // 2**20} MiB"
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            reason = _reason(error)
        raise AstriaError(
            Problem("images", f"the picture {url} cannot be fetched ({reason})", "try again later")
        )

    def close(self) -> None:
        """Close the connections."""
        self._service.close()
        self._elsewhere.close()

    def _send(self, method: str, path: str, *, data: Any = None, **options: Any) -> Any:
        # A POST that is redirected would come back as a GET that answers 200: a false success.
        failure: BaseException
        try:
            reply = self._service.request(
                method, self.base_url + path, data=data, allow_redirects=False, **options
            )
        except (requests.RequestException, HTTPError) as error:
            failure = self._broken(error, data)
        except BaseException as error:  # noqa: BLE001  of the body, or of the one who watches it
            failure = error
        else:
            self._note_time(reply.headers.get("Date"))
            if not 200 <= reply.status_code < 300:
                failure = replies.failed(reply.status_code, reply.headers, reply.content, self.key)
            else:
                try:
                    return reply.json()
                except (ValueError, RecursionError):
                    failure = replies.unexpected(reply.status_code, "something other than JSON")
        # Raised outside `except`, and without the frames inside requests: both hold the key.
        failure.__cause__ = failure.__context__ = None
        raise failure.with_traceback(None)

    def _note_time(self, date: str | None) -> None:
        # A proxy may drop the header; then the last one, or this machine's clock, has to do.
        with suppress(ValueError, OverflowError):
            self._ahead = parsedate_to_datetime(date or "").astimezone(UTC) - datetime.now(UTC)

    def _broken(self, error: Exception, body: Body | None) -> AstriaError:
        """Tell a request that never arrived whole from one whose fate nobody knows."""
        reason = _reason(error)
        if body is None and not _never_connected(error):
            what, hint = f"the answer of {self.base_url} broke off ({reason})", "try again"
        elif body is None or (not body.sent and _never_connected(error)):
            what, hint = f"{self.base_url} cannot be reached ({reason})", "check the connection and try again"
        elif body.sent < len(body):
            done = f"{body.sent / 1e6:.1f} of {len(body) / 1e6:.1f} MB"
            what, hint = f"the connection broke after {done} ({reason})", "nothing was created; submit again"
        else:
            return replies.unknown(reason)
        return NotSentError(Problem("base_url", what, hint))


class _Bearer(AuthBase):
    """Sets the key on each request. An auth object of our own keeps ``~/.netrc`` from replacing it."""

    def __init__(self, key: ApiKey) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._key.bearer()
        return request


class _Anonymous(AuthBase):
    """Sends no key, nor what ``~/.netrc`` has for a host."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Session(requests.Session):
    def rebuild_auth(self, prepared_request: object, response: object) -> None:
        """Leave a redirected request as it is; requests would add what ``~/.netrc`` has for the new host."""


def _session(auth: AuthBase) -> requests.Session:
    session = _Session()
    session.auth = auth
    session.headers["Accept"] = "application/json"
    session.headers["User-Agent"] = "astria_nb"
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=0, pool_maxsize=16))
    return session


def _written(value: Any) -> Any:
    return ("true" if value else "false") if isinstance(value, bool) else value


def _reason(error: Exception) -> str:
    """Say why in a few words; urllib3's own text nests five errors and may hold the whole address."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"status {error.response.status_code}"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted, or it does not speak TLS"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy refused"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    *_, innermost = _chain(error)
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return "the connection was closed" if isinstance(error, requests.RequestException) else str(innermost)


def _never_connected(error: Exception) -> bool:
    unconnected = (requests.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)
    return isinstance(error, unconnected) or any(
        isinstance(each, NewConnectionError) for each in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those inside it, outermost first."""
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        inner = inner.__cause__ or inner.__context__ or _wrapped(inner)


def _wrapped(error: BaseException) -> BaseException | None:
    """Return the error that requests and urllib3 keep as an argument or a reason."""
    reason = getattr(error, "reason", None)
    found = [each for each in (reason, *error.args) if isinstance(each, BaseException)]
    return found[0] if found else None
