"""Store the API key once, for all notebooks."""

from __future__ import annotations

import getpass
import os
import warnings
from contextlib import suppress

from astria_nb.client._api_key import ApiKey
from astria_nb.client._base_url import find_base_url, host_of
from astria_nb.client._client import Client
from astria_nb.client._credentials import KEY_VARIABLE, store_key
from astria_nb.client._transport import Transport
from astria_nb.errors import CredentialsError, Problem


def login(base_url: str | None = None) -> Client:
    """Ask for the API key without displaying it, check it, store it, and return a client.

    The key is stored in the system's keyring, for this service only (``pip install 'astria-nb[keyring]'``),
    where every later ``Client()`` finds it. Without a keyring, or with one that keeps keys in clear text, the
    key is kept until this process ends. ``ASTRIA_NB_CLEAR_TEXT_KEYRING=1`` allows such a keyring.

    Parameters
    ----------
    base_url : str, optional
        Default as in `Client`.

    Returns
    -------
    Client

    Raises
    ------
    CredentialsError
        The input is not a key, it cannot be entered without being displayed, or the address would expose it.
    UnauthorizedError
        The service does not accept the key; it is not stored.
    NotSentError
        The service cannot be reached to check the key; it is not stored.

    Examples
    --------
    In a notebook::

        client = anb.login()
        API key for api.astria.ai (hidden): ········
        The key sd_…1234 is stored in the keyring (SecretService Keyring) for api.astria.ai.

    In a test, with a sandbox as the service and `getpass` in place of a reader:

    >>> from unittest.mock import patch
    >>> import astria_nb as anb
    >>> with anb.Sandbox() as sandbox, patch("getpass.getpass", return_value=sandbox.api_key):
    ...     client = anb.login(sandbox.url)  # doctest: +ELLIPSIS
    The key ... is stored ...
    """
    url = find_base_url(base_url)
    key = _prompt_for_key(host_of(url))
    Transport(url, key).get("/packs", {"limit": 1})
    confirmation = _confirmation(key, host_of(url), *store_key(key, url))
    with suppress(OSError, ValueError):  # there is nowhere to print
        print(confirmation)
    return Client(key, base_url=url)


def _prompt_for_key(host: str) -> ApiKey:
    try:
        with warnings.catch_warnings():
            # If the echo cannot be turned off, getpass only warns.
            warnings.simplefilter("error", getpass.GetPassWarning)
            # Passed on directly: a variable would appear in a traceback.
            return ApiKey(getpass.getpass(f"API key for {host} (hidden): "))
    except (getpass.GetPassWarning, EOFError, NotImplementedError):  # no terminal, or no frontend to ask
        pass
    raise CredentialsError(
        Problem("api_key", "cannot be entered here without being displayed", f"set {KEY_VARIABLE} instead")
    )


def _confirmation(key: ApiKey, host: str, keyring: str | None, reason: str) -> str:
    if keyring is not None:
        text = f"The key {key} is stored in the keyring ({keyring}) for {host}."
    else:
        text = (
            f"The key {key} is stored until this process ends: {reason}. To have it in each process, set the "
            f"environment variable {KEY_VARIABLE}; in Colab, add a secret of that name."
        )
    if os.environ.get(KEY_VARIABLE):
        text += f" {KEY_VARIABLE} is set as well and takes precedence wherever no key is passed."
    return text
