"""Where a key comes from, and where it is kept."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from astria_nb.client.api_key import ApiKey
from astria_nb.client.base_url import DEFAULT_BASE_URL, find_base_url, host_of

NAME = "ASTRIA_API_KEY"
"""Of the environment variable, and of the secret in Colab."""
_SERVICE = "astria_nb"
_this_process: dict[str, ApiKey] = {}


def find_key(argument: str | ApiKey | None = None, base_url: str | None = None) -> ApiKey | None:
    """Return the key to use for a service, or None.

    In this order: the argument; the environment's ``ASTRIA_API_KEY``; in Google Colab the secret of that
    name; the system's keyring (with the extra ``keyring``); what `astria_nb.login` keeps for this process.

    Parameters
    ----------
    argument : str or ApiKey, optional
    base_url : str, optional
        Default as in `find_base_url`.

    Raises
    ------
    CredentialsError
        When the first one found cannot be a key, or the address would expose it.

    Notes
    -----
    The argument and the environment are taken at their word. A key that lies somewhere for good goes only
    where it belongs: Colab's to Astria's own address, a kept one to the host that it was kept for. So a
    sandbox never sees the key of an account, nor the other way round.
    """
    try:
        if argument is not None:
            return argument if isinstance(argument, ApiKey) else _key(argument)
    finally:
        del argument  # a traceback can show the variables of each frame
    url = find_base_url(base_url)
    host = host_of(url)
    return _key(_environment()) or _key(_colab(url)) or _key(_kept(host)) or _this_process.get(host)


def keep_key(key: ApiKey, base_url: str) -> str | None:
    """Keep a key for a host: in the keyring where there is one, else until this process ends.

    Returns
    -------
    str or None
        The keyring's name; None when it is kept in memory only.
    """
    host = host_of(base_url)
    with suppress(Exception):  # whatever ails a keyring, the key is kept in memory
        import keyring  # here: an optional extra

        key.store(lambda secret: keyring.set_password(_SERVICE, host, secret))
        # A keyring that is turned off takes everything and keeps nothing.
        if _key(_kept(host)) == key:
            _this_process.pop(host, None)
            return keyring.get_keyring().name
    _this_process[host] = key
    return None


def _key(secret: str | None) -> ApiKey | None:
    try:
        # What is no text is no key, and may not even tell whether it is true.
        return None if secret is None or (isinstance(secret, str) and not secret) else ApiKey(secret)
    finally:
        del secret


def _environment() -> str | None:
    return os.environ.get(NAME)


def _colab(base_url: str) -> str | None:
    # Where it is not loaded already, this is not Colab, and importing it would not make it so.
    if "google.colab" in sys.modules and host_of(base_url) == host_of(DEFAULT_BASE_URL):
        with suppress(Exception):  # there is none, or this notebook may not see it: Colab has types for each
            from google.colab import userdata

            secret: str | None = userdata.get(NAME)
            return secret
    return None


def _kept(host: str) -> str | None:
    with suppress(Exception):  # not installed, no backend, locked: each backend has errors of its own
        import keyring  # here: an optional extra, and slow to look for its backends

        return keyring.get_password(_SERVICE, host)
    return None
