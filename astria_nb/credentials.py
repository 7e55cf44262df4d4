"""The API key and the address that it may be sent to."""

from __future__ import annotations

import os
from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import urlsplit

from astria_nb.errors import CredentialsError, Problem

DEFAULT_BASE_URL = "https://api.astria.ai"
KEY_PAGE = "https://www.astria.ai/users/edit#api"


class ApiKey:
    """A key that can be used but not seen.

    Parameters
    ----------
    secret : str
        The key, ``sd_`` and what follows.

    Raises
    ------
    CredentialsError
        When the text cannot be a key.

    Examples
    --------
    >>> ApiKey("sd_not_a_real_key")
    sd_…_key
    """

    __slots__ = ("__secret",)

    def __init__(self, secret: str) -> None:
        text = secret.strip()
        # Anything but plain visible ASCII could not travel in a header, or would end it early.
        if not text.startswith("sd_") or len(text) < 8 or not all("!" <= c <= "~" for c in text):
            raise CredentialsError(
                Problem(
                    "api_key", "is not an Astria key (they begin with sd_)", f"copy yours from {KEY_PAGE}"
                )
            )
        self.__secret = text

    def bearer(self) -> str:
        """Return the value of the ``Authorization`` header."""
        return f"Bearer {self.__secret}"

    def hide(self, text: str) -> str:
        """Return a text with the key in it, should someone have repeated it, made unreadable."""
        return text.replace(self.__secret, repr(self))

    def __repr__(self) -> str:
        return f"sd_…{self.__secret[-4:]}"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            "an API key is not written anywhere: pickle the tune or the row, and make a new Client"
        )


def find_key(argument: str | ApiKey | None = None) -> ApiKey | None:
    """Return the key to use: the argument, else ``ASTRIA_API_KEY``, else None.

    Raises
    ------
    CredentialsError
        When the first one found cannot be a key.
    """
    if isinstance(argument, ApiKey):
        return argument
    secret = argument if argument is not None else os.environ.get("ASTRIA_API_KEY")
    return ApiKey(secret) if secret else None


def find_base_url(argument: str | None = None) -> str:
    """Return the service's address without a trailing slash: argument, ``ASTRIA_BASE_URL``, or Astria's own.

    Raises
    ------
    CredentialsError
        When it is not HTTPS and not this machine: a key sent there could be read on the way.
    """
    url = (argument or os.environ.get("ASTRIA_BASE_URL") or DEFAULT_BASE_URL).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, port_is_sane = parts.hostname or "", parts.port is None or parts.port > 0
    except ValueError:
        host, port_is_sane = "", False
    plain = host and port_is_sane and parts.username is None and not parts.query and not parts.fragment
    if not plain or parts.scheme not in ("http", "https"):
        raise CredentialsError(
            Problem(
                "base_url", f"{url!r} is not the address of a service", f"write it like {DEFAULT_BASE_URL}"
            )
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise CredentialsError(
            Problem(
                "base_url",
                f"{url} would carry the key unencrypted",
                f"use https://{parts.netloc}{parts.path}",
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
