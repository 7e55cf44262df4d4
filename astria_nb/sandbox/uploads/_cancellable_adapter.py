"""Connections of requests that another thread can cut off."""

import contextlib
import socket
from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter


class CancellableAdapter(HTTPAdapter):
    """Opens connections that another thread can cut off while they wait for data."""

    def __init__(self) -> None:
        super().__init__(max_retries=0)
        self.cancelled = False
        self._sockets: list[socket.socket] = []

    def cancel(self) -> None:
        """Cut every connection, and refuse new ones."""
        self.cancelled = True
        for open_socket in self._sockets:
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Return a pool whose connections register their sockets here."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = _registering(type(pool).ConnectionCls, self._register)
        return pool

    def _register(self, new_socket: socket.socket) -> None:
        self._sockets.append(new_socket)
        if self.cancelled:
            raise OSError("the download was cancelled")


def _registering(base: Any, register: Callable[[socket.socket], None]) -> type:
    class RegisteringConnection(base):  # type: ignore[misc]  # of http or https, as urllib3 chooses
        def connect(self) -> None:
            super().connect()
            register(self.sock)

    return RegisteringConnection
