"""A TLS proxy in front of a service that can close, hang up, or answer in its place."""

import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from helpers.certificate import self_signed
from helpers.scripted_server import hang_up_on


class Gateway:
    """Accepts TLS connections and forwards them to a plain HTTP service on this machine.

    Attributes
    ----------
    netloc : str
        Host and port where it listens.
    certificate : str
        Path of the certificate that a client has to trust.
    answered : int
        Number of requests that it answered itself.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "untrusted").mkdir()
        self._trusted, certificate = self_signed(folder)
        self._untrusted, _ = self_signed(folder / "untrusted")
        self._tls = self._trusted
        # Reserves the port while nothing listens there: a parallel test could be given it.
        self._reservation = socket.socket()
        self._reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._reservation.bind(("127.0.0.1", 0))
        self._port = self._reservation.getsockname()[1]
        self._listener: socket.socket | None = self._new_listener()
        self.netloc, self.certificate = f"localhost:{self._port}", str(certificate)
        self.answered = 0
        self._answer: bytes | None = None
        self._target: tuple[str, int] = ("", 0)
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    @contextmanager
    def before(self, url: str) -> Iterator[None]:
        """Forward to a service until the block ends."""
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._listen()
        try:
            yield
        finally:
            self.shut()
            self._reservation.close()
            for thread in self._threads:
                thread.join()

    def shut(self) -> None:
        """Close all connections and stop listening: new connections are refused."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.hang_up()

    def hang_up(self) -> None:
        """Close the open connections, as a gateway does with idle ones."""
        with self._lock:
            for connection in self._open:
                hang_up_on(connection)

    def impersonate(self) -> None:
        """Present an untrusted certificate to new connections."""
        self._tls = self._untrusted
        self.hang_up()

    def answer(self, content: bytes) -> None:
        """Answer the next request instead of forwarding it."""
        self._answer = content
        self.hang_up()

    @property
    def is_about_to_answer(self) -> bool:
        """Whether the request that it is to answer has not arrived yet."""
        return self._answer is not None

    def heal(self) -> None:
        """Forward everything again."""
        self._tls, self._answer = self._trusted, None
        if self._listener is None:
            self._listener = self._new_listener()
            self._listen()

    def _new_listener(self) -> socket.socket:
        return socket.create_server(("127.0.0.1", self._port), reuse_port=True)

    def _listen(self) -> None:
        self._start(self._accept, self._listener)

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                self._start(self._serve, self._tls.wrap_socket(plain, True, do_handshake_on_connect=False))

    def _serve(self, client: ssl.SSLSocket) -> None:
        with suppress(OSError), client:
            self._track(client)
            client.do_handshake()
            first = client.recv(2**16)
            content, self._answer = self._answer, None
            if content is not None and first:
                self.answered += 1
                _read_whole(client, first)
                client.sendall(content)
                return
            with socket.create_connection(self._target) as service:
                self._track(service)
                service.sendall(first)
                _forward(client, service)

    def _track(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open = {former for former in self._open if former.fileno() >= 0} | {connection}


def _forward(client: ssl.SSLSocket, service: socket.socket) -> None:
    """Forward both ways until one side closes, on one thread: a TLS socket must not be used by two."""
    while True:
        ready = [client] if client.pending() else select.select([client, service], [], [])[0]
        for source in ready:
            try:
                block = source.recv(2**16)
            except ConnectionResetError:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if not block:
                return
            (service if source is client else client).sendall(block)


def _read_whole(client: socket.socket, so_far: bytes) -> None:
    while b"\r\n\r\n" not in so_far:
        so_far += client.recv(2**16)
    head, _, body = so_far.partition(b"\r\n\r\n")
    (length,) = (
        int(line.partition(b":")[2])
        for line in head.splitlines()
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += client.recv(2**16)
