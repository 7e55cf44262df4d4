"""The sandbox as users start it: with a client, and errors that say what to do."""

from __future__ import annotations

import errno
import socket
from typing import Self

from astria_nb.client import Client
from astria_nb.errors import Problem, SandboxError
from astria_nb.sandbox import Options, SandboxServer
from astria_nb.utils.formatting import short
from astria_nb.utils.versions import check_versions

_OF_HOST = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL)  # not this machine


class Sandbox(SandboxServer):
    """A local stand-in for the service: nothing is charged, and no account is needed.

    It serves HTTP in threads of this process, and ends with the process. Use it as a context manager, or call
    `start` and `stop`. Nothing is sent to other machines unless an option allows it.

    Parameters
    ----------
    **options : object
        The fields of `astria_nb.sandbox.Options`, such as ``deterministic``, ``speed`` and ``data``.

    Attributes
    ----------
    options : Options
        All options.
    api_key : str
        The only key that it accepts. Random, unless given as an option.

    Raises
    ------
    ValueError
        An option has an invalid value, or `host` is a name that would open the sandbox to other machines: for
        that, give an IP address.
    TypeError
        There is no such option.

    Examples
    --------
    >>> import astria_nb as anb
    >>> with anb.Sandbox() as sandbox:
    ...     [pack.id for pack in sandbox.client().packs(gallery=True)]
    [260, 43]
    """

    def start(self) -> Self:
        """Start the server, and return the sandbox.

        Raises
        ------
        SandboxError
            The port is taken, the host is not an address of this machine, or the folder for uploads cannot be
            used. The error is also an `OSError`.
        AstriaError
            It cannot start because a library is loaded in an unsuitable version: restart the kernel.
        RuntimeError
            It was stopped; create a new one.

        Examples
        --------
        >>> import astria_nb as anb
        >>> sandbox = anb.Sandbox().start()
        >>> sandbox.url.startswith("http://127.0.0.1:")
        True
        >>> sandbox.stop()
        """
        try:
            return super().start()
        except OSError as error:
            problem = _start_problem(error, self.options)
        except Exception:
            check_versions()
            raise
        raise SandboxError(problem)

    def client(self) -> Client:
        """Return a client for this sandbox, with its address and key.

        Returns
        -------
        Client

        Raises
        ------
        RuntimeError
            It was never started.
        """
        return Client(self.api_key, base_url=self.url)


def _start_problem(error: OSError, options: Options) -> Problem:
    unusable = f"cannot be used ({error.strerror or error})"
    is_of_file = error.filename is not None or isinstance(error, FileNotFoundError)
    if not is_of_file and (isinstance(error, socket.gaierror) or error.errno in _OF_HOST):
        hint = "give an address of this machine, such as '127.0.0.1'"
        return Problem("host", f"{short(options.host)} {unusable}", hint)
    if error.errno == errno.EADDRINUSE or (options.port and not is_of_file):
        return Problem("port", f"{options.port} {unusable}", "choose another one, or 0 for a free one")
    if options.data is not None:
        return Problem("data", f"{short(str(options.data))} {unusable}", "give another folder")
    what = f"has no room for temporary files ({error.strerror or error})"
    return Problem("sandbox", what, "set TMPDIR to a folder that can be written, and restart the kernel")
