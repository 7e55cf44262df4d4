"""The client and log to use by default: your account if an API key is configured, else a sandbox."""

from __future__ import annotations

import errno
import os
import threading
from typing import Self

from astria_nb.client import Client, find_key, record_deletions_in
from astria_nb.errors import AstriaError, LogError, Problem, SandboxError
from astria_nb.log import Log
from astria_nb.sandbox import SandboxServer
from astria_nb.utils.formatting import short
from astria_nb.utils.versions import check_versions
from astria_nb.utils.warn import warn

_lock = threading.Lock()
_sandbox: Sandbox | None = None
_is_announced = False
_REHEARSAL = (
    "no API key was found, so this is a rehearsal in the sandbox on this machine: nothing is charged, and no "
    "model is trained. To use your account, run anb.login() or set ASTRIA_API_KEY"
)


class Sandbox(SandboxServer):
    """A local stand-in for the service: nothing is charged, and no account is needed.

    Takes the options of `astria_nb.sandbox.SandboxServer`. Use it as a context manager, or call `start` and
    `stop`.

    Examples
    --------
    >>> with Sandbox() as sandbox:
    ...     [pack.id for pack in sandbox.client().packs(gallery=True)]
    [260, 43]
    """

    def start(self) -> Self:
        """Start the server, and return the sandbox.

        Raises
        ------
        SandboxError
            The port is taken, or the folder for uploads cannot be used. It is an `OSError` as well.
        AstriaError
            It does not start, and a library is loaded in a version that does not work: restart the kernel.
        """
        try:
            return super().start()
        except OSError as error:
            problem = _start_problem(error, self.options.port, self.options.data)
        except Exception:
            check_versions()
            raise
        raise SandboxError(problem)

    def client(self) -> Client:
        """Return a client for this sandbox."""
        return Client(self.api_key, base_url=self.url)


def _start_problem(error: OSError, port: int, data: object) -> Problem:
    reason = error.strerror or str(error)
    if error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL) or (port and error.filename is None):
        return Problem("port", f"{port} cannot be used ({reason})", "choose another one, or 0 for a free one")
    if data is not None:
        return Problem("data", f"{short(str(data))} cannot be used ({reason})", "give another folder")
    what = f"has no room for temporary files ({reason})"
    return Problem("sandbox", what, "set TMPDIR to a folder that can be written, and restart the kernel")


def default_client(*, pays: bool = False) -> Client:
    """Return a client for your account if an API key is configured, else for a sandbox.

    The sandbox is the one that ``astria-nb lab`` runs beside JupyterLab, so that tunes outlive a kernel.
    Without it, the first call starts a sandbox in this process.

    Parameters
    ----------
    pays : bool
        Whether the call would be charged; then the first of a process that uses a sandbox says so.
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
            _sandbox = Sandbox().start()
        return _sandbox.client()


def _announce_rehearsal() -> None:
    global _is_announced
    with _lock:
        is_announced, _is_announced = _is_announced, True
    if not is_announced:
        warn(_REHEARSAL, is_paid=True)  # even where warnings are errors, a rehearsal is no failure


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
        return log or Log()
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
