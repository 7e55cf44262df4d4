"""The address under which a service reaches this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

from astria_nb.client.base_url import is_loopback
from astria_nb.errors import AstriaError, Problem
from astria_nb.tune import validators


def check_public_url(given: str | None, base_url: str) -> None:
    """Make sure that a service can send callbacks to an address, and nobody reads them on the way.

    Parameters
    ----------
    given : str or None
        None for this machine's own address.
    base_url : str
        The service's.

    Raises
    ------
    AstriaError
        It cannot, or somebody could.

    Examples
    --------
    >>> check_public_url("https://example.com/hook", "https://api.astria.ai")
    >>> check_public_url("http://example.com/hook", "https://api.astria.ai")
    Traceback (most recent call last):
    astria_nb.errors.AstriaError: public_url: would show the secret on the way; give a tunnel's https address
    """
    host = urlsplit(base_url).hostname or ""
    if given is None:
        if not is_loopback(host):
            what = f"is missing, and {host} cannot reach this machine"
            _refuse(what, "start a tunnel to a port of it, and give the tunnel's https address")
        return
    validators.url(given, lambda what, hint, key="": _refuse(what, hint))  # noqa: ARG005
    parts = urlsplit(given)
    if parts.scheme.lower() == "http" and not is_loopback(parts.hostname or ""):
        _refuse("would show the secret on the way", "give a tunnel's https address")
    if parts.fragment:
        _refuse("has a part after #, which is never sent", "leave it out")


def _refuse(what: str, hint: str) -> None:
    raise AstriaError(Problem("public_url", what, hint))
