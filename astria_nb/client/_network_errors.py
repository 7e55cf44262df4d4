"""Why a request that got no response failed, in a few words."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import requests
from requests.exceptions import ProxyError, SSLError
from urllib3.exceptions import NewConnectionError, ReadTimeoutError


def reason(error: BaseException) -> str:
    """Describe a network error in a few words.

    urllib3's own text nests five errors and may contain the whole address.
    """
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"status {error.response.status_code}"
    if any(isinstance(cause, ssl.SSLEOFError) for cause in _chain(error)):
        return "the connection was closed"
    if isinstance(error, SSLError):
        return "its certificate is not trusted, or it does not speak TLS"
    if isinstance(error, ProxyError):
        return "the proxy refused"
    if any(isinstance(cause, (TimeoutError, requests.Timeout, ReadTimeoutError)) for cause in _chain(error)):
        return "no answer in time"
    *_, innermost = _chain(error)
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return "the connection was closed" if isinstance(error, requests.RequestException) else str(innermost)


def never_connected(error: BaseException) -> bool:
    """Return whether a request failed before any byte of it can have been sent."""
    unconnected = (requests.ConnectTimeout, SSLError, ProxyError)
    return isinstance(error, unconnected) or any(
        isinstance(cause, NewConnectionError) for cause in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__ or _wrapped(cause)


def _wrapped(error: BaseException) -> BaseException | None:
    """Return the error that requests and urllib3 keep as an argument or as ``reason``."""
    candidates = (getattr(error, "reason", None), *error.args)
    return next((value for value in candidates if isinstance(value, BaseException)), None)
