"""Why a request without a response failed, and what to do about it, in a few words."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from requests.exceptions import ProxyError, SSLError
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from astria_nb.client import _network_settings as network_settings
from astria_nb.client._network_settings import UnfitSettingError

_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")  # http.client keeps the status only in its text
_NOT_IN_FORCE = (9, 10)  # OpenSSL's codes for a certificate that is not valid yet, or no longer
_OTHER_NAME = (62, 63, 64)  # for another host, e-mail or IP address
_GARBLED = "the answer was cut off or garbled"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a request failed.

    Attributes
    ----------
    reason, hint : str
        The hint is empty if only trying again is known to help.
    is_permanent : bool
        Whether a setting has to be changed before trying again makes sense.
    """

    reason: str
    hint: str = ""
    is_permanent: bool = False


def diagnose(error: BaseException, url: str) -> Diagnosis:
    """Describe a network error in a few words.

    The libraries' own texts nest five errors, and may contain the whole address, a proxy's password, and what
    the server sent, which may repeat the key.

    Parameters
    ----------
    error : BaseException
    url : str
        The requested address.
    """
    if isinstance(error, UnfitSettingError):
        return Diagnosis(error.what, error.hint, is_permanent=True)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return Diagnosis(f"status {error.response.status_code}")
    if isinstance(error, ProxyError):
        return _of_proxy(error, url)
    for cause in _chain(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _of_certificate(cause, "its certificate")
        if isinstance(cause, ssl.SSLEOFError):
            return Diagnosis("the connection was closed")
    if isinstance(error, SSLError):
        damaged = network_settings.damaged_certificates()
        return diagnose(damaged, url) if damaged else Diagnosis("it does not speak TLS as expected")
    if never_connected(error) and network_settings.uses_socks(url):
        # requests does not distinguish a proxy that does not answer from the host behind it.
        hint = f"check {network_settings.proxy_variable(url)} and the connection, then try again"
        return Diagnosis(f"through the SOCKS proxy {_netloc(url)}: {_innermost(error)}", hint)
    if any(isinstance(cause, (TimeoutError, requests.Timeout, ReadTimeoutError)) for cause in _chain(error)):
        return Diagnosis("no answer in time")
    return Diagnosis(_innermost(error))


def never_connected(error: BaseException) -> bool:
    """Return whether a request failed before any byte of it can have been sent."""
    unconnected = (requests.ConnectTimeout, SSLError, ProxyError, UnfitSettingError)
    return isinstance(error, unconnected) or any(
        isinstance(cause, NewConnectionError) for cause in _chain(error)
    )


def _of_proxy(error: ProxyError, url: str) -> Diagnosis:
    variable = network_settings.proxy_variable(url)
    for cause in _chain(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _of_certificate(cause, "the proxy's certificate")
        if answered := _TUNNEL.search(str(cause)):
            if answered[1] == "407":
                return diagnose(network_settings.unaccepted_login(url), url)
            hint = f"check {variable}, or ask the administrator of the proxy about {urlsplit(url).hostname}"
            return Diagnosis(f"the proxy answered with status {answered[1]}", hint)
    reason = f"the proxy {_netloc(url)} cannot be reached: {_innermost(error)}"
    return Diagnosis(reason, f"check {variable} and the connection, then try again")


def _netloc(url: str) -> str:
    """Return the host and port of the proxy for an address, without its user and password."""
    return network_settings.proxy_parts(url).netloc.rpartition("@")[2]


def _of_certificate(error: ssl.SSLCertVerificationError, whose: str) -> Diagnosis:
    variable = network_settings.bundle_variable()
    if error.verify_code in _NOT_IN_FORCE:
        hint = "check this machine's clock; if it is right, the certificate has to be renewed"
    elif error.verify_code in _OTHER_NAME:
        hint = "check the address"
    elif variable is None:
        hint = "set REQUESTS_CA_BUNDLE to your company's CA file"
    else:
        hint = f"add your company's CA to the file that {variable} names"
    return Diagnosis(f"{whose} is not trusted: {error.verify_message}", hint, is_permanent=True)


def _innermost(error: BaseException) -> str:
    *_, innermost = _chain(error)
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    if isinstance(error, requests.RequestException):
        return "no answer in time" if isinstance(innermost, TimeoutError) else "the connection was closed"
    return _GARBLED


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
