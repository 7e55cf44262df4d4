"""A socket with one deadline for all that is done on it, and an event that breaks it off."""

import errno
import io
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import TypeVar

_SLICE = 0.1
"""Seconds of waiting after which the event is looked at."""
_Result = TypeVar("_Result")


class Patience:
    """How long to wait, in all.

    Parameters
    ----------
    seconds : float
        From its creation on.
    stopped : threading.Event, optional
        Ends the waiting when set.
    """

    def __init__(self, seconds: float, stopped: threading.Event | None = None) -> None:
        self._deadline = time.monotonic() + seconds
        self._stopped = stopped or threading.Event()

    def slice(self) -> float:
        """Return how many seconds to wait before asking again.

        Raises
        ------
        TimeoutError
            When there are none left.
        InterruptedError
            When it was stopped.
        """
        if self._stopped.is_set():
            raise InterruptedError
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, _SLICE)


class PatientSocket(io.RawIOBase):
    """A connection to one address, in which every wait is within the patience.

    It has as much of a socket as http.client uses.

    Parameters
    ----------
    unconnected : socket.socket
        The socket to use; closed with this one, also when no connection comes about.
    address : tuple
        Where to connect to, as `socket.getaddrinfo` writes it.
    patience : Patience
        The limit of all waiting.

    Raises
    ------
    OSError
        When there is no connection, as ``TimeoutError`` or ``InterruptedError`` when the patience ended.
    """

    def __init__(self, unconnected: socket.socket, address: tuple[object, ...], patience: Patience) -> None:
        self._patience = patience
        self._socket = unconnected
        try:
            self._connect(address)
        except BaseException:
            self._socket.close()
            raise

    def secure(self, context: ssl.SSLContext, server_name: str) -> None:
        """Go on in TLS with a server that can prove its name."""
        self._socket.settimeout(None)
        tls = context.wrap_socket(self._socket, server_hostname=server_name, do_handshake_on_connect=False)
        self._socket = tls
        self._patiently(tls.do_handshake)

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        view = memoryview(data)
        while view:
            left = view
            view = view[self._patiently(lambda: self._socket.send(left)) :]  # noqa: B023 - called at once

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Read what has come."""
        return self._patiently(lambda: self._socket.recv_into(buffer))

    def readable(self) -> bool:
        """Say yes."""
        return True

    def makefile(self, *_: object) -> io.BufferedReader:
        """Return the connection as a file to read."""
        return io.BufferedReader(self)

    def close(self) -> None:
        """Hang up."""
        super().close()
        self._socket.close()

    def _connect(self, address: tuple[object, ...]) -> None:
        self._socket.setblocking(False)
        error = self._socket.connect_ex(address)
        if error in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            with selectors.DefaultSelector() as selector:
                selector.register(self._socket, selectors.EVENT_WRITE)
                while not selector.select(self._patience.slice()):
                    pass
            error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "cannot connect")

    def _patiently(self, step: Callable[[], _Result]) -> _Result:
        while True:
            self._socket.settimeout(self._patience.slice())
            try:
                return step()
            except TimeoutError:
                continue
