"""Telling the key once, so that every notebook finds it."""

from __future__ import annotations

import getpass
import os
import warnings

from astria_nb.client.api_key import ApiKey
from astria_nb.client.base_url import find_base_url, host_of
from astria_nb.client.client import Client
from astria_nb.client.credentials import NAME, keep_key
from astria_nb.client.transport import Transport
from astria_nb.errors import CredentialsError, Problem


def login(base_url: str | None = None) -> Client:
    """Ask for the API key without showing it, check it, keep it, and return a client.

    It is kept in the system's keyring, for this service only (``pip install 'astria-nb[keyring]'``), where
    every later ``Client()`` finds it. Without a keyring it is kept until this process ends.

    Parameters
    ----------
    base_url : str, optional
        Default as in `Client`.

    Raises
    ------
    CredentialsError
        What was typed is no key, it cannot be asked for without showing it, or the address would expose it.
    UnauthorizedError
        The service does not accept the key; it is not kept.
    NotSentError
        The service cannot be reached to check the key; it is not kept.

    Examples
    --------
    ::

        client = anb.login()
        API key for api.astria.ai (it is not shown): ········
        The key sd_…1234 is kept in the keyring (SecretService Keyring) for api.astria.ai.
    """
    url = find_base_url(base_url)
    key = _asked_for(host_of(url))
    Transport(url, key).get("/packs", {"limit": 1})
    keyring = keep_key(key, url)
    print(_said_of(key, host_of(url), keyring))
    return Client(key, base_url=url)


def _asked_for(host: str) -> ApiKey:
    try:
        with warnings.catch_warnings():
            # Where the echo cannot be turned off, getpass only warns.
            warnings.simplefilter("error", getpass.GetPassWarning)
            # Handed on at once: a variable would show in a traceback.
            return ApiKey(getpass.getpass(f"API key for {host} (it is not shown): "))
    except (getpass.GetPassWarning, EOFError, NotImplementedError):  # no terminal, no frontend to ask
        pass
    raise CredentialsError(
        Problem("api_key", "cannot be asked for here without showing it", f"set {NAME} instead")
    )


def _said_of(key: ApiKey, host: str, keyring: str | None) -> str:
    if keyring is not None:
        said = f"The key {key} is kept in the keyring ({keyring}) for {host}."
    else:
        said = (
            f"The key {key} is kept until this process ends, for no keyring takes it. To keep it for good, "
            "pip install 'astria-nb[keyring]' and log in again; in Colab, add it to the secrets as "
            f"{NAME}; elsewhere, set the environment variable {NAME}."
        )
    if os.environ.get(NAME):
        said += f" {NAME} is set as well, and goes before it wherever no key is given."
    return said
