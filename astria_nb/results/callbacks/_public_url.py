"""The address at which a service reaches this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

from astria_nb.client import is_loopback
from astria_nb.errors import AstriaError, Problem
from astria_nb.tune import validators


def check_public_url(public_url: str | None, base_url: str) -> None:
    """Make sure that a service can send callbacks to an address, and that they cannot be read on the way.

    Parameters
    ----------
    public_url : str or None
        None for this machine's own address.
    base_url : str
        The service's address.

    Raises
    ------
    AstriaError
        The service cannot reach the address, or the secret would be sent unencrypted.

    Examples
    --------
    >>> check_public_url("https://example.com/hook", "https://api.astria.ai")
    >>> check_public_url("http://example.com/hook", "https://api.astria.ai")
    Traceback (most recent call last):
    astria_nb.errors.AstriaError: public_url: would send the secret unencrypted; give a tunnel's https address
    """
    host = urlsplit(base_url).hostname or ""
    if public_url is None:
        if not is_loopback(host):
            what = f"is missing, and {host} cannot reach this machine"
            _fail(what, "start a tunnel to a port of this machine, and give the tunnel's https address")
        return
    validators.url(public_url, lambda what, hint, key="": _fail(what, hint))  # noqa: ARG005
    parts = urlsplit(public_url)
    if parts.scheme.lower() == "http" and not is_loopback(parts.hostname or ""):
        _fail("would send the secret unencrypted", "give a tunnel's https address")
    if parts.fragment:
        _fail("has a part after #, which is never sent", "remove it")


def _fail(what: str, hint: str) -> None:
    raise AstriaError(Problem("public_url", what, hint))
