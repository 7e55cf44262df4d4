"""The service's address, and whether a key may be sent there."""

from __future__ import annotations

import os
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from astria_nb.errors import CredentialsError, Problem
from astria_nb.utils.formatting import short
from astria_nb.utils.redaction import redact_text
from astria_nb.utils.service_address import one_spelling

DEFAULT_BASE_URL = "https://api.astria.ai"


def find_base_url(argument: str | None = None) -> str:
    """Return the service's address: the argument, else ``ASTRIA_BASE_URL``, else Astria's own.

    Parameters
    ----------
    argument : str, optional

    Returns
    -------
    str
        In one spelling: host in lower case, without a default port or a trailing slash.

    Raises
    ------
    CredentialsError
        The text is not the address of a service.
    """
    is_text = isinstance(argument, str) or argument is None
    url = ""
    if is_text:
        url = (argument or os.environ.get("ASTRIA_BASE_URL") or DEFAULT_BASE_URL).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, has_valid_port = parts.hostname or "", parts.port is None or parts.port > 0
    except ValueError:
        host, has_valid_port = "", False
    is_plain = host and has_valid_port and parts.username is None and not parts.query and not parts.fragment
    if not is_plain or parts.scheme not in ("http", "https"):
        what = f"{short(url if is_text else argument)} is not the address of a service"
        raise CredentialsError(Problem("base_url", what, f"write it like {DEFAULT_BASE_URL}"))
    return one_spelling(url)


def check_encrypted(url: str, *, is_sandbox_key: bool) -> None:
    """Make sure that a key that is sent to an address cannot be read on the way.

    Parameters
    ----------
    url : str
        As `find_base_url` returns it.
    is_sandbox_key : bool
        Whether it is the key of a sandbox. It gives access to nothing else, so it may be sent to a sandbox in
        another container over plain HTTP.

    Raises
    ------
    CredentialsError
        The address is neither HTTPS nor on this machine.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" or is_sandbox_key or is_loopback(parts.hostname or ""):
        return
    what = f"{short(url)} would send the key unencrypted"
    hint = redact_text(f"use https://{parts.netloc}{parts.path}, or a sandbox's own key")
    raise CredentialsError(Problem("base_url", what, hint))


@lru_cache(64)
def is_loopback(host: str) -> bool:
    """Return whether a host name or address always means this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(base_url: str) -> str:
    """Return the host of an address, with its port if there is one. Stored keys are filed under it.

    Examples
    --------
    >>> host_of("https://API.astria.ai"), host_of("http://localhost:3000")
    ('api.astria.ai', 'localhost:3000')
    """
    return urlsplit(base_url).netloc.lower()
