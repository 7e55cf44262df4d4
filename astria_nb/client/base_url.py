"""The address that a key may be sent to."""

from __future__ import annotations

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

from astria_nb.errors import CredentialsError, Problem
from astria_nb.utils.formatting import short
from astria_nb.utils.redaction import redact_text

DEFAULT_BASE_URL = "https://api.astria.ai"


def find_base_url(argument: str | None = None) -> str:
    """Return the service's address without a trailing slash: argument, ``ASTRIA_BASE_URL``, or Astria's own.

    Raises
    ------
    CredentialsError
        When it is not HTTPS and not this machine: a key sent there could be read on the way.
    """
    text = isinstance(argument, str) or argument is None
    url = (
        (argument or os.environ.get("ASTRIA_BASE_URL") or DEFAULT_BASE_URL).strip().rstrip("/")
        if text
        else ""
    )
    try:
        parts = urlsplit(url)
        host, port_is_sane = parts.hostname or "", parts.port is None or parts.port > 0
    except ValueError:
        host, port_is_sane = "", False
    plain = host and port_is_sane and parts.username is None and not parts.query and not parts.fragment
    if not plain or parts.scheme not in ("http", "https"):
        raise CredentialsError(
            Problem(
                "base_url",
                f"{short(url if text else argument)} is not the address of a service",
                f"write it like {DEFAULT_BASE_URL}",
            )
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise CredentialsError(
            Problem(
                "base_url",
                f"{short(url)} would carry the key unencrypted",
                redact_text(f"use https://{parts.netloc}{parts.path}"),
            )
        )
    return url


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(base_url: str) -> str:
    """Return the host of a service's address, with the port where there is one: whose a stored key is.

    Examples
    --------
    >>> host_of("https://API.astria.ai"), host_of("http://localhost:3000")
    ('api.astria.ai', 'localhost:3000')
    """
    return urlsplit(base_url).netloc.lower()
