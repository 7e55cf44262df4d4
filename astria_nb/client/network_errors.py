"""Why a request failed that got no answer."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import requests
from requests.exceptions import ProxyError, SSLError
from urllib3.exceptions import NewConnectionError, ReadTimeoutError


def reason(error: BaseException) -> str:
    """Say why in a few words; urllib3's own text nests five errors and may hold the whole address."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"status {error.response.status_code}"
    if any(isinstance(each, ssl.SSLEOFError) for each in _chain(error)):
        return "the connection was closed"
    if isinstance(error, SSLError):
        return "its certificate is not trusted, or it does not speak TLS"
    if isinstance(error, ProxyError):
        return "the proxy refused"
    if any(isinstance(each, (TimeoutError, requests.Timeout, ReadTimeoutError)) for each in _chain(error)):
        return "no answer in time"
    *_, innermost = _chain(error)
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return "the connection was closed" if isinstance(error, requests.RequestException) else str(innermost)


def never_connected(error: BaseException) -> bool:
    """Tell whether no byte of a request can have left."""
    unconnected = (requests.ConnectTimeout, SSLError, ProxyError)
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
    found = [
        each for each in (getattr(error, "reason", None), *error.args) if isinstance(each, BaseException)
    ]
    return found[0] if found else None
