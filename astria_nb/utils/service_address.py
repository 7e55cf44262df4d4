"""One spelling for the address of a service."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from astria_nb.utils.redaction import redact_text

_LOOPBACK = re.compile(r"(?<=^http://)(localhost|127\.0\.0\.1|\[::1\])(?=:|/|$)")
_KEY_END = 4  # characters of a key that are shown
_THIS_MACHINE = "127.0.0.1"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@lru_cache  # a submission needs the same one several times
def one_spelling(address: str) -> str:
    """Return an address as it is spelled in a log: other spellings of it are the same service.

    Parameters
    ----------
    address : str
        A base address. What follows a space is kept: the end of a sandbox's key.

    Returns
    -------
    str
        Scheme and host in lower case, without a default port, and without a dot or slash at the end. A text
        that is not such an address is returned as it is.

    Examples
    --------
    >>> one_spelling("HTTPS://API.Astria.ai.:443/")
    'https://api.astria.ai'
    >>> one_spelling("http://LocalHost:3000 ...abcd")
    'http://localhost:3000 ...abcd'
    """
    url, space, rest = address.strip().partition(" ")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return address.rstrip("/")
    scheme = parts.scheme
    if not host or scheme not in _DEFAULT_PORTS or parts.username is not None:
        return address.rstrip("/")
    netloc = _host(host) if port in (None, _DEFAULT_PORTS[scheme]) else f"{_host(host)}:{port}"
    return urlunsplit((scheme, netloc, parts.path.rstrip("/"), parts.query, parts.fragment)) + space + rest


@lru_cache
def recorded_service(address: str) -> str:
    """Return an address as logs and rows have it: in one spelling, and without passwords.

    Parameters
    ----------
    address : str
        As for `one_spelling`.

    Returns
    -------
    str
    """
    return redact_text(one_spelling(address))


def is_same_service(first: str, second: str) -> bool:
    """Return whether two addresses may be of one service.

    Parameters
    ----------
    first, second : str
        As for `one_spelling`. The ends of their keys are compared if both have one.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_same_service("http://localhost:3000 ...abcd", "http://127.0.0.1:3000")
    True
    >>> is_same_service("https://api.astria.ai", "http://127.0.0.1:3000")
    False
    """
    (url, _, key), (other_url, _, other_key) = (
        recorded_service(address).partition(" ") for address in (first, second)
    )
    # Only the last characters: a program may have replaced the dots before them.
    if key and other_key and key[-_KEY_END:] != other_key[-_KEY_END:]:
        return False
    return _LOOPBACK.sub(_THIS_MACHINE, url) == _LOOPBACK.sub(_THIS_MACHINE, other_url)


def _host(host: str) -> str:
    with suppress(ValueError):
        address = ip_address(host)
        return f"[{address}]" if address.version == 6 else str(address)
    host = host.rstrip(".")
    return host if host.isascii() else _ascii_host(host)


def _ascii_host(host: str) -> str:
    """Return the xn-- form of a host as requests does: for some, Python's own belongs to another host."""
    import requests  # here: rarely needed

    with suppress(requests.RequestException):
        return urlsplit(requests.Request("GET", f"https://{host}").prepare().url or "").hostname or host
    return host
