"""The client and log to use by default: your account if an API key is configured, else a sandbox."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from astria_nb.client import Client, find_key, record_deletions_in
from astria_nb.errors import AstriaError, LogError, Problem
from astria_nb.log import Log, default_log
from astria_nb.utils.formatting import short
from astria_nb.utils.warn import warn

if TYPE_CHECKING:
    from astria_nb.defaults.sandbox import Sandbox

_lock = threading.Lock()
_sandbox: Sandbox | None = None
_is_announced = False
_REHEARSAL = (
    "no API key was found, so this is a rehearsal in the sandbox on this machine: nothing is charged, and no "
    "model is trained. To use your account, run anb.login() or set ASTRIA_API_KEY"
)


def default_client(*, pays: bool = False) -> Client:
    """Return a client for your account if an API key is configured, else for a sandbox.

    The sandbox is the one that ``astria-nb lab`` runs beside JupyterLab, so that tunes outlive a kernel.
    Without it, the first call starts a sandbox in this process.

    Parameters
    ----------
    pays : bool
        Whether the call would be charged on an account; the first such call of a process that uses a sandbox
        warns.
    """
    if find_key() is not None:
        return Client()
    if pays:
        _announce_rehearsal()
    url, key = os.environ.get("ASTRIA_SANDBOX_URL"), os.environ.get("ASTRIA_SANDBOX_KEY")
    if url and key:
        return Client(key, base_url=url)
    global _sandbox  # shared by all forms of this process
    with _lock:
        if _sandbox is None:
            from astria_nb.defaults.sandbox import Sandbox  # imported here: an account does not need it

            _sandbox = Sandbox().start()
        return _sandbox.client()


def _announce_rehearsal() -> None:
    global _is_announced
    with _lock:
        is_announced, _is_announced = _is_announced, True
    if not is_announced:
        warn(_REHEARSAL, is_paid=True)  # even where warnings are errors, a rehearsal is not a failure


def client_or_default(client: object, *, pays: bool = False) -> Client:
    """Return the client, or the default one for None.

    Parameters
    ----------
    client : object
    pays : bool
        As for `default_client`.

    Raises
    ------
    AstriaError
        The argument is something else.
    """
    if client is None or isinstance(client, Client):
        return client or default_client(pays=pays)
    hint = "give anb.Client() or sandbox.client(), or leave it out"
    raise AstriaError(Problem("client", f"{short(client)} is not a client", hint))


def log_or_default(log: object) -> Log:
    """Return the log, or the default one for None.

    Raises
    ------
    LogError
        The argument is something else.
    """
    if log is None or isinstance(log, Log):
        return log or default_log()
    hint = "give anb.ExperimentLog(path), or leave it out"
    raise LogError(Problem("log", f"{short(log)} is not a log", hint))


def _log_of_deletions() -> Log | None:
    return log if (log := Log()).exists() else None


record_deletions_in(_log_of_deletions)


def is_rehearsal(client: object) -> bool:
    """Return whether a call that is given this client, or None, uses a sandbox because there is no key."""
    return client is None and find_key() is None


def is_sandbox(client: Client) -> bool:
    """Return whether a client's service is a sandbox, which charges nothing: it runs on this machine."""
    return client.base_url.startswith("http://")
