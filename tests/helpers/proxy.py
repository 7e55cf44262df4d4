"""An HTTP proxy on this machine that leads every host to one server."""

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Proxy:
    """The proxy. It tunnels (CONNECT), and forwards requests for http addresses.

    Attributes
    ----------
    netloc : str
        Host and port.
    targets : list of str
        What it was asked for, in order.
    login : str or None
        ``user:password`` that it wants.
    refusal : str or None
        The status line with which it answers instead.
    """

    def __init__(self) -> None:
        self.targets: list[str] = []
        self.login: str | None = None
        self.refusal: str | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.netloc = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._target = ("", 0)
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @contextmanager
    def before(self, url: str) -> Iterator["Proxy"]:
        """Lead to a server until the block ends."""
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._start(self._accept)
        try:
            yield self
        finally:
            for connection in [self._listener, *self._open]:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            for thread in self._threads:
                thread.join()

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            head = b""
            while b"\r\n\r\n" not in head:
                block = client.recv(2**16)
                if not block:
                    return
                head += block
            method, target, _ = head.decode("latin-1").split(" ", 2)
            self.targets.append(target)
            if (status := self._refusal(head)) is not None:
                client.sendall(
                    f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
                )
                return
            with socket.create_connection(self._target) as service:
                self._open.append(service)
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                else:
                    path = urlsplit(target).path
                    service.sendall(head.replace(target.encode(), path.encode(), 1))
                self._start(_copy, service, client)
                _copy(client, service)

    def _refusal(self, head: bytes) -> str | None:
        wanted = base64.b64encode((self.login or "").encode())
        if self.login is not None and b"Basic " + wanted not in head:
            return "407 Proxy Authentication Required"
        return self.refusal


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(2**16):
            sink.sendall(block)
        sink.shutdown(socket.SHUT_WR)
