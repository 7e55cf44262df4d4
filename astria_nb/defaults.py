"""The client to use where none is given: your account if a key is set, else a sandbox."""

from __future__ import annotations

import os
import threading

from astria_nb.client.client import Client
from astria_nb.client.credentials import find_key
from astria_nb.errors import AstriaError, LogError, Problem
from astria_nb.log import Log
from astria_nb.sandbox import SandboxServer
from astria_nb.utils.formatting import short

_lock = threading.Lock()
_sandbox: Sandbox | None = None


class Sandbox(SandboxServer):
    """A local stand-in of the service: nothing is charged, no account is needed.

    Takes the options of `astria_nb.sandbox.SandboxServer`. Use it as a context manager, or with
    `start` and `stop`.

    Examples
    --------
    >>> with Sandbox() as sandbox:
    ...     [pack.id for pack in sandbox.client().packs(gallery=True)]
    [260, 43]
    """

    def client(self) -> Client:
        """Return a client of this sandbox."""
        return Client(self.api_key, base_url=self.url)


def default_client() -> Client:
    """Return a client of your account if a key is configured, else of a sandbox.

    The sandbox is the one that ``astria-nb lab`` runs beside JupyterLab, so that tunes outlive a kernel;
    elsewhere this process starts one of its own at the first call.
    """
    if find_key() is not None:
        return Client()
    url, key = os.environ.get("ASTRIA_SANDBOX_URL"), os.environ.get("ASTRIA_SANDBOX_KEY")
    if url and key:
        return Client(key, base_url=url)
    global _sandbox  # one for the process, however many forms ask
    with _lock:
        if _sandbox is None:
            _sandbox = Sandbox().start()
        return _sandbox.client()


def client_or_default(client: object) -> Client:
    """Return the client that was given, else the default one.

    Raises
    ------
    AstriaError
        Something else was given.
    """
    if client is None or isinstance(client, Client):
        return client or default_client()
    hint = "give anb.Client() or sandbox.client(), or leave it out"
    raise AstriaError(Problem("client", f"{short(client)} is no client", hint))


def log_or_default(log: object) -> Log:
    """Return the log that was given, else the default one.

    Raises
    ------
    LogError
        Something else was given.
    """
    if log is None or isinstance(log, Log):
        return log or Log()
    raise LogError(Problem("log", f"{short(log)} is no log", "give anb.ExperimentLog(path), or leave it out"))


def is_sandbox(client: Client) -> bool:
    """Tell whether nothing is charged on a client's service: whether it runs on this machine."""
    return client.base_url.startswith("http://")
