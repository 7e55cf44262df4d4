"""The client to use where none is given: your account if a key is set, else a sandbox."""

from __future__ import annotations

import os
import threading

from astria_nb.client import Client
from astria_nb.credentials import find_key
from astria_nb.sandbox import SandboxServer

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


def is_sandbox(client: Client) -> bool:
    """Tell whether nothing is charged on a client's service: whether it runs on this machine."""
    return client.base_url.startswith("http://")
