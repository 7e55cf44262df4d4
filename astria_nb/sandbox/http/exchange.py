"""One request and its answer, in steps that a fault can skip, delay or break off."""

import contextlib
import logging
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BufferedIOBase
from tempfile import SpooledTemporaryFile
from typing import Any
from wsgiref.types import WSGIApplication

from astria_nb.sandbox._errors import Refusal
from astria_nb.sandbox.http._body_reader import BodyReader
from astria_nb.sandbox.http._ledger import LedgerEntry

log = logging.getLogger("astria_nb.sandbox")

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: discard unsent data, so that the peer sees a reset
_CHUNK = 256 * 1024
_IN_MEMORY = 2**20


@dataclass(frozen=True)
class Answer:
    """An answer, before it is sent.

    Attributes
    ----------
    status : str
        Code and reason, e.g. ``"201 CREATED"``.
    headers : tuple of (name, value)
        All except those that depend on how it is sent: Content-Length, Connection, Date and Server.
    content : bytes
        The body.
    """

    status: str
    headers: tuple[tuple[str, str], ...]
    content: bytes

    @property
    def code(self) -> int:
        """The status code."""
        return int(self.status.partition(" ")[0])

    def head(self, date: str, *, keep_alive: bool, with_length: bool = True) -> bytes:
        """Return the status line and the headers."""
        lines = [f"HTTP/1.1 {self.status}", "Server: astria-nb-sandbox", f"Date: {date}"]
        lines += [f"{name}: {value}" for name, value in self.headers if name.lower() != "content-length"]
        if with_length:
            lines.append(f"Content-Length: {len(self.content)}")
        if not keep_alive:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Background:
    """Waits that end early when the server stops, and the threads that run delayed requests."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def wait(self, seconds: float) -> bool:
        """Wait; return False if the server stopped meanwhile."""
        return not self._stopped.wait(seconds)

    def start(self, job: Callable[[], None]) -> None:
        """Run a job in its own thread."""
        thread = threading.Thread(target=job, name="astria-sandbox-late", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """End every wait."""
        self._stopped.set()

    def join(self) -> None:
        """Wait for the threads to end; none may be started afterwards."""
        for thread in self._threads:
            thread.join()


@dataclass
class Exchange:
    """A request whose head has arrived.

    Attributes
    ----------
    app : WSGI application
        Handles the request.
    method, path : str
        As they were sent; the path with its query.
    environ : dict
        The request as WSGI passes it to the application.
    body : BodyReader
        What has not been read of the body.
    entry : LedgerEntry
        Its record in the ledger.
    connection, output : socket, file
        The client's connection, and a buffered file to write to it.
    background : Background
        Waits and threads that end with the server.
    date : callable
        Returns the value of the Date header.
    keep_alive : bool
        Whether the connection can carry another request afterwards.
    """

    app: WSGIApplication
    method: str
    path: str
    environ: dict[str, Any]
    body: BodyReader
    entry: LedgerEntry
    connection: socket.socket
    output: BufferedIOBase
    background: Background
    date: Callable[[], str]
    keep_alive: bool = True

    def read_body(self, max_bytes: int | None = None) -> None:
        """Read the body to its end, or up to a number of bytes."""
        bytes_left = _CHUNK if max_bytes is None else max_bytes
        with contextlib.suppress(Refusal):
            while bytes_left and (data := self.body.read(min(bytes_left, _CHUNK))):
                bytes_left -= 0 if max_bytes is None else len(data)

    def run(self) -> Answer:
        """Let the application handle the request."""
        responses: list[tuple[str, tuple[tuple[str, str], ...]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], *_: object
        ) -> Callable[[bytes], object]:
            responses.append((status, tuple(headers)))
            return lambda _: None

        chunks = self.app(self.environ, start_response)
        try:
            content = b"".join(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
        return Answer(*responses[-1], content)

    def buffer_body(self) -> None:
        """Read the body and keep it, for `run_later`."""
        buffered = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - run_later closes it
        with contextlib.suppress(Refusal):
            while data := self.body.read(_CHUNK):
                buffered.write(data)
        buffered.seek(0)
        self.environ["wsgi.input"] = buffered

    def run_later(self, seconds: float) -> None:
        """Handle the request after a delay, if its body is complete and the server is still running."""

        def run() -> None:
            with self.environ["wsgi.input"]:
                if self.background.wait(seconds) and self.body.ended:
                    self.run()

        self.background.start(run)

    def wait(self, seconds: float) -> bool:
        """Wait; return False if the server stopped meanwhile."""
        return self.background.wait(seconds)

    def serialize(self, answer: Answer, *, with_length: bool = True) -> tuple[bytes, bytes]:
        """Return head and body of an answer as they go over this connection."""
        head = answer.head(self.date(), keep_alive=self.keep_alive, with_length=with_length)
        return head, b"" if self.environ["REQUEST_METHOD"] == "HEAD" else answer.content

    def send(self, answer: Answer) -> None:
        """Send an answer, then drain the body, so that a client that is still sending can read it."""
        self.keep_alive = self.keep_alive and self.body.ended
        self.write(answer, [b"".join(self.serialize(answer))])
        self.body.drain()

    def write(self, answer: Answer, pieces: Iterable[bytes]) -> None:
        """Send these bytes of an answer, piece by piece."""
        log.debug("%s %s %s", self.environ["REQUEST_METHOD"], self.environ["PATH_INFO"], answer.status)
        # Before the first byte, so that a client that has its answer finds it in the ledger.
        self.entry.record_status(answer.code)
        sent_any = False
        try:
            for piece in pieces:
                self.output.write(piece)
                self.output.flush()
                sent_any = True
        except OSError:
            if not sent_any:
                self.entry.record_status(None)
            raise

    def reset(self) -> None:
        """Cut the connection with a TCP reset."""
        self.keep_alive = False
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            # Closed without a shutdown, which would tell the peer of an orderly end.
            socket.close(self.connection.detach())
