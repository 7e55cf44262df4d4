"""Finding and storing an API key."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from astria_nb.client import _keyring
from astria_nb.client._api_key import ApiKey
from astria_nb.client._base_url import DEFAULT_BASE_URL, find_base_url, host_of
from astria_nb.utils.warn import warn

KEY_VARIABLE = "ASTRIA_API_KEY"
"""Name of the environment variable, and of the secret in Colab."""
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
        The first value found cannot be a key.

    Notes
    -----
    The argument and the environment variable are used for any service. A stored key is sent only where it
    belongs: Colab's secret to Astria's own address, a key in the keyring to the host that it was stored for.
    So a sandbox never receives the key of an account, or vice versa.
    """
    try:
        if argument is not None:
            return argument if isinstance(argument, ApiKey) else _as_key(argument)
    finally:
        del argument  # a traceback can show the variables of each frame
    url = find_base_url(base_url)
    host = host_of(url)
    if (key := _as_key(_from_environment())) is not None:
        return key
    refusal = None
    try:
        key = _as_key(_from_colab(url))
    except _RefusedSecretError as error:
        refusal = str(error)
    key = key or _as_key(_keyring.read(host)) or _process_keys.get(host)
    if key is None and refusal is not None:
        warn(f"Colab's secret {KEY_VARIABLE} {refusal}")
    return key


def store_key(key: ApiKey, base_url: str) -> tuple[str | None, str]:
    """Store a key for a host: in the keyring if there is one, else in memory until this process ends.

    Parameters
    ----------
    key : ApiKey
    base_url : str

    Returns
    -------
    keyring : str or None
        The keyring's name, or None if the key is only in memory.
    reason : str
        Why it is only in memory, and what helps.
    """
    host = host_of(base_url)
    backend, reason = _keyring.protected_backend(host)
    if backend is not None:
        with suppress(Exception):  # each keyring backend has its own errors; memory always works
            key.store(lambda secret: backend.set_password(_keyring.SERVICE, host, secret))
            if _as_key(_keyring.read(host)) == key:
                _process_keys.pop(host, None)
                return reason, ""
        reason = f"the keyring ({reason}) does not accept it. To store it there, unlock it and log in again"
    _process_keys[host] = key
    return None, reason


def _as_key(secret: str | None) -> ApiKey | None:
    try:
        # Only text can be empty; an array's truth value would raise.
        return None if secret is None or (isinstance(secret, str) and not secret) else ApiKey(secret)
    finally:
        del secret


def _from_environment() -> str | None:
    # A separate function: a traceback can show `os.environ` if it is in the line that failed.
    return os.environ.get(KEY_VARIABLE)


class _RefusedSecretError(Exception):
    """Colab may have the secret, but does not provide it; the text is a predicate with the next step."""


def _from_colab(base_url: str) -> str | None:
    # Colab has loaded this module; importing it elsewhere could run other code.
    if "google.colab" not in sys.modules or host_of(base_url) != host_of(DEFAULT_BASE_URL):
        return None
    try:
        from google.colab import userdata

        secret: str | None = userdata.get(KEY_VARIABLE)
    except Exception as error:  # noqa: BLE001  Colab has an error for each reason
        refusal = _refusal(error)
    else:
        return secret
    if refusal is not None:
        raise _RefusedSecretError(refusal)
    return None


def _refusal(error: Exception) -> str | None:
    """Return why Colab does not provide a secret; None if there is no such secret.

    Uses the names of the errors: their classes exist only in Colab, and have moved before.
    """
    name = type(error).__name__
    if isinstance(error, ImportError | KeyError) or name == "SecretNotFoundError":
        return None
    if name == "NotebookAccessError":
        return (
            "may not be read by this notebook; switch on Notebook access for it under Secrets (the key in "
            "the side bar), and run the cell again"
        )
    if name == "TimeoutException" or "Colab UI" in str(error):
        return (
            "can only be read while the notebook is open in Colab; run it there, or set the environment "
            f"variable {KEY_VARIABLE}"
        )
    return f"could not be read ({name}); set the environment variable {KEY_VARIABLE}"
