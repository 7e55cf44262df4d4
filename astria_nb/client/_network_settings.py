"""The proxy and the certificates that are set on this machine for a request, and problems with them."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

import requests
from requests.utils import should_bypass_proxies

from astria_nb.client._base_url import is_loopback
from astria_nb.utils.formatting import quoted

PROXY_FORM = "http://user:password@host:port"
_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


class UnfitSettingError(requests.RequestException):
    """A proxy or a file of certificates cannot be used as configured.

    Parameters
    ----------
    what, hint : str
        As in a `Problem`; without the user and password of a proxy.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what, self.hint = what, hint


@lru_cache(64)  # most requests go to the same few addresses
def is_on_this_machine(url: str) -> bool:
    """Return whether an address leads to this machine; for a proxy it would lead to another one.

    Examples
    --------
    >>> is_on_this_machine("http://127.0.0.1:3000/1.jpg"), is_on_this_machine("https://example.com/1.jpg")
    (True, False)
    """
    try:
        host = (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return False
    return is_loopback(host) or host.endswith(".localhost")


def bundle_variable() -> str | None:
    """Return the environment variable that names the certificates to trust, or None."""
    return next((name for name in _BUNDLE_VARIABLES if os.environ.get(name)), None)


def proxy_variable(url: str) -> str:
    """Return where the proxy for an address is set: an environment variable, or the system's settings."""
    schemes = (urlsplit(url).scheme.lower(), "all")
    # Python prefers the names in lower case.
    names = (name for scheme in schemes for name in (f"{scheme}_proxy", f"{scheme}_PROXY".upper()))
    return next((name for name in names if os.environ.get(name)), "the system's proxy settings")


def proxy_parts(url: str) -> SplitResult:
    """Return the parts of the address of the proxy for an address."""
    proxies = getproxies()
    proxy = proxies.get(urlsplit(url).scheme.lower()) or proxies.get("all") or ""
    return _split(proxy)


def uses_socks(url: str) -> bool:
    """Return whether requests to an address go through a SOCKS proxy."""
    is_proxied = not is_on_this_machine(url) and not should_bypass_proxies(url, None)
    return is_proxied and proxy_parts(url).scheme.startswith("socks")


def check_proxy(url: str, proxy: str) -> None:
    """Check the address of the proxy for a request.

    Raises
    ------
    UnfitSettingError
        The setting is not the address of a proxy, or the library for its kind is missing.
    """
    variable = proxy_variable(url)
    try:
        parts = _split(proxy)
        is_valid = parts.scheme in _PROXY_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is not a number, or too large
        is_valid = False
    if not is_valid or any(map(str.isspace, proxy)):
        hint = f"write it like {PROXY_FORM}, with % codes for special characters in the password"
        raise UnfitSettingError(f"what is set in {variable} is not the address of a proxy", hint)
    if parts.scheme.startswith("socks") and find_spec("socks") is None:
        hint = f"run pip install 'requests[socks]' and restart the kernel, or unset {variable}"
        raise UnfitSettingError(f"{variable} names a SOCKS proxy, and PySocks is not installed", hint)


def check_certificates() -> None:
    """Check the file or folder of certificates that the environment names.

    Raises
    ------
    UnfitSettingError
        The file or folder is missing, or cannot be read.
    """
    variable = bundle_variable()
    path = Path(os.environ[variable]) if variable else None
    try:
        if path is None or path.is_dir():
            return
        with path.open("rb"):
            return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise _unfit_bundle(reason)


def damaged_certificates() -> UnfitSettingError | None:
    """Return what is wrong with the content of the certificates that the environment names, if anything."""
    variable = bundle_variable()
    if variable is None or Path(os.environ[variable]).is_dir():
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(os.environ[variable])
    except (OSError, ValueError):
        return _unfit_bundle("it holds no certificates in PEM form")
    return None


def unaccepted_login(url: str) -> UnfitSettingError:
    """Return the error for a proxy that requires a user and a password, or different ones."""
    variable = proxy_variable(url)
    if proxy_parts(url).username:
        return UnfitSettingError(
            f"the proxy refused the user and password in {variable}", f"correct them: {PROXY_FORM}"
        )
    return UnfitSettingError(
        "the proxy requires a user and password", f"set {variable} to {PROXY_FORM}, with your own"
    )


def _unfit_bundle(reason: str) -> UnfitSettingError:
    variable = bundle_variable() or ""
    path = quoted(os.environ.get(variable, ""))
    what = f"the certificates that {variable} names, {path}, cannot be read: {reason}"
    return UnfitSettingError(what, f"set {variable} to your company's CA file, or unset it")


def _split(proxy: str) -> SplitResult:
    # As in requests: an address without a scheme is that of an HTTP proxy.
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")
