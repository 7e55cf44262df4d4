"""Finding and storing an API key."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from astria_nb.client._api_key import ApiKey
from astria_nb.client._base_url import DEFAULT_BASE_URL, find_base_url, host_of
from astria_nb.utils.interrupts import in_caller

KEY_VARIABLE = "ASTRIA_API_KEY"
"""Name of the environment variable, and of the secret in Colab."""
_KEYRING_SERVICE = "astria_nb"
_process_keys: dict[str, ApiKey] = {}


def find_key(argument: str | ApiKey | None = None, base_url: str | None = None) -> ApiKey | None:
    """Return the key for a service, or None if there is no key.

    The first of these is used: the argument; the environment variable ``ASTRIA_API_KEY``; in Google Colab the
    secret of that name; the system's keyring (with the extra ``keyring``); a key that `astria_nb.login`
    stored for this process.

    Parameters
    ----------
    argument : str or ApiKey, optional
    base_url : str, optional
        Default as in `find_base_url`.

    Raises
    ------
    CredentialsError
        The first value found cannot be a key, or the address would expose it.

    Notes
    -----
    The argument and the environment variable are used for any service. A stored key is only sent where it
    belongs: Colab's secret to Astria's own address, a key in the keyring to the host that it was stored for.
    So a sandbox never receives the key of an account, nor the other way round.
    """
    try:
        if argument is not None:
            return argument if isinstance(argument, ApiKey) else _as_key(argument)
    finally:
        del argument  # a traceback can show the variables of each frame
    url = find_base_url(base_url)
    host = host_of(url)
    return (
        _as_key(_from_environment())
        or _as_key(_from_colab(url))
        or _as_key(_from_keyring(host))
        or _process_keys.get(host)
    )


def store_key(key: ApiKey, base_url: str) -> str | None:
    """Store a key for a host: in the keyring if there is one, else in memory until this process ends.

    Parameters
    ----------
    key : ApiKey
    base_url : str

    Returns
    -------
    str or None
        The keyring's name, or None if the key is only in memory.
    """
    host = host_of(base_url)
    with suppress(Exception):  # each keyring backend has errors of its own; memory always works
        import keyring  # here: an optional extra

        key.store(lambda secret: keyring.set_password(_KEYRING_SERVICE, host, secret))
        # A disabled keyring accepts everything and stores nothing.
        if _as_key(_from_keyring(host)) == key:
            _process_keys.pop(host, None)
            return keyring.get_keyring().name
    _process_keys[host] = key
    return None


def _as_key(secret: str | None) -> ApiKey | None:
    try:
        # Only text can be empty; an array's truth value would raise.
        return None if secret is None or (isinstance(secret, str) and not secret) else ApiKey(secret)
    finally:
        del secret


def _from_environment() -> str | None:
    # A function of its own: a traceback can show `os.environ` if it stands in the line that failed.
    return os.environ.get(KEY_VARIABLE)


def _from_colab(base_url: str) -> str | None:
    # Colab has this module loaded; importing it elsewhere could run something else.
    if "google.colab" in sys.modules and host_of(base_url) == host_of(DEFAULT_BASE_URL):
        with suppress(Exception):  # not set, or not granted to this notebook: Colab has an error for each
            from google.colab import userdata

            # Colab answers only the thread that runs the cell.
            secret: str | None = in_caller(userdata.get)(KEY_VARIABLE)
            return secret
    return None


def _from_keyring(host: str) -> str | None:
    with suppress(Exception):  # not installed, no backend, locked: each backend has errors of its own
        import keyring  # here: an optional extra, and slow to search for its backends

        return keyring.get_password(_KEYRING_SERVICE, host)
    return None
