"""A door in front of a service: it passes everything on, until it is told to shut or to answer itself."""

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


class Gateway:
    """Listens with TLS, and passes on to a plain service on this machine.

    Attributes
    ----------
    netloc : str
        Where it listens.
    certificate : str
        The file that a client has to trust.
    answered : int
        How many requests it kept to itself.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "other").mkdir()
        self._trusted, certificate = self_signed(folder)
        self._other, _ = self_signed(folder / "other")
        self._tls = self._trusted
        # Keeps the port while nobody listens there: a test beside this one would be given it.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._place.bind(("127.0.0.1", 0))
        self._port = self._place.getsockname()[1]
        self._listener: socket.socket | None = self._new_listener()
        self.netloc, self.certificate = f"localhost:{self._port}", str(certificate)
        self.answered = 0
        self._says: bytes | None = None
        self._target: tuple[str, int] = ("", 0)
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    @contextmanager
    def before(self, url: str) -> Iterator[None]:
        """Pass on to a service."""
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._listen()
        try:
            yield
        finally:
            self.shut()
            self._place.close()
            for thread in self._threads:
                thread.join()

    def shut(self) -> None:
        """Hang up on everybody, and listen no more: a new connection is refused."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.hang_up()

    def hang_up(self) -> None:
        """End the connections that are open, as a gateway does with idle ones."""
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def impersonate(self) -> None:
        """Show another certificate to whoever connects from here on."""
        self._tls = self._other
        self.hang_up()

    def answer(self, said: bytes) -> None:
        """Keep the next request, and answer it."""
        self._says = said
        self.hang_up()

    @property
    def is_about_to_answer(self) -> bool:
        """Whether the request that it was to keep has not come."""
        return self._says is not None

    def heal(self) -> None:
        """Pass everything on again."""
        self._tls, self._says = self._trusted, None
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
            self._keep(client)
            client.do_handshake()
            first = client.recv(2**16)
            said, self._says = self._says, None
            if said is not None and first:
                self.answered += 1
                _read_whole(client, first)
                client.sendall(said)
                return
            with socket.create_connection(self._target) as service:
                self._keep(service)
                service.sendall(first)
                _pass_on(client, service)

    def _keep(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open = {each for each in self._open if each.fileno() >= 0} | {connection}


def _pass_on(client: ssl.SSLSocket, service: socket.socket) -> None:
    """Pass on what comes from either, until one hangs up; by one thread, for TLS bears no second one."""
    while True:
        ready = [client] if client.pending() else select.select([client, service], [], [])[0]
        for each in ready:
            try:
                block = each.recv(2**16)
            except ConnectionResetError:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if not block:
                return
            (service if each is client else client).sendall(block)


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
