"""One request and its answer, in steps that a fault can leave out, delay or break off."""

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

from astria_nb.sandbox.errors import Refusal
from astria_nb.sandbox.http.body_reader import Body
from astria_nb.sandbox.http.ledger import Entry

log = logging.getLogger("astria_nb.sandbox")

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: drop what is unsent, so that the peer sees a reset
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
        All but those that depend on how it is sent: Content-Length, Connection, Date and Server.
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

    def head(self, date: str, *, keep: bool, length: bool = True) -> bytes:
        """Return what goes before the body."""
        lines = [f"HTTP/1.1 {self.status}", "Server: astria-nb-sandbox", f"Date: {date}"]
        lines += [f"{name}: {value}" for name, value in self.headers if name.lower() != "content-length"]
        if length:
            lines.append(f"Content-Length: {len(self.content)}")
        if not keep:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Waits:
    """Waits that a stop ends, and the threads that wait to carry something out."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def wait(self, seconds: float) -> bool:
        """Wait; return whether the time passed, and not a stop."""
        return not self._stopped.wait(seconds)

    def begin(self, job: Callable[[], None]) -> None:
        """Do something in a thread of its own."""
        thread = threading.Thread(target=job, name="astria-sandbox-late", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """End every wait."""
        self._stopped.set()

    def join(self) -> None:
        """Wait for the threads to end; none may begin any more."""
        for thread in self._threads:
            thread.join()


@dataclass
class Exchange:
    """A request whose head has arrived.

    Attributes
    ----------
    app : WSGI application
        What carries requests out.
    method, path : str
        As they were sent; the path with its query.
    environ : dict
        The request, for the application.
    body : Body
        The body, as far as it is not read yet.
    entry : Entry
        Its record in the ledger.
    connection, output : socket, file
        The client, and a buffer on the way there.
    waits : Waits
        What ends with the server.
    date : callable
        Returns the time for the header.
    keep : bool
        Whether the connection can take another request afterwards.
    """

    app: WSGIApplication
    method: str
    path: str
    environ: dict[str, Any]
    body: Body
    entry: Entry
    connection: socket.socket
    output: BufferedIOBase
    waits: Waits
    date: Callable[[], str]
    keep: bool = True

    def read(self, most: int | None = None) -> None:
        """Read the body up to its end, or so many bytes of it."""
        left = _CHUNK if most is None else most
        with contextlib.suppress(Refusal):
            while left and (data := self.body.read(min(left, _CHUNK))):
                left -= 0 if most is None else len(data)

    def run(self) -> Answer:
        """Carry the request out."""
        begun: list[tuple[str, tuple[tuple[str, str], ...]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], *_: object
        ) -> Callable[[bytes], object]:
            begun.append((status, tuple(headers)))
            return lambda _: None

        chunks = self.app(self.environ, start_response)
        try:
            content = b"".join(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
        return Answer(*begun[-1], content)

    def keep_body(self) -> None:
        """Read the body and keep it, for `run_later`."""
        kept = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - run_later closes it
        with contextlib.suppress(Refusal):
            while data := self.body.read(_CHUNK):
                kept.write(data)
        kept.seek(0)
        self.environ["wsgi.input"] = kept

    def run_later(self, seconds: float) -> None:
        """Carry the request out in a while, if its body is whole and the server still runs."""

        def run() -> None:
            with self.environ["wsgi.input"]:
                if self.waits.wait(seconds) and self.body.ended:
                    self.run()

        self.waits.begin(run)

    def wait(self, seconds: float) -> bool:
        """Wait; return whether the time passed, and not a stop."""
        return self.waits.wait(seconds)

    def bytes_of(self, answer: Answer, *, length: bool = True) -> tuple[bytes, bytes]:
        """Return head and body of an answer, as they are sent here."""
        head = answer.head(self.date(), keep=self.keep, length=length)
        return head, b"" if self.environ["REQUEST_METHOD"] == "HEAD" else answer.content

    def send(self, answer: Answer) -> None:
        """Send an answer, and read on, so that a client that is still sending gets to read it."""
        self.keep = self.keep and self.body.ended
        self.say(answer, [b"".join(self.bytes_of(answer))])
        self.body.drain()

    def say(self, answer: Answer, pieces: Iterable[bytes]) -> None:
        """Send what there is of an answer, piece by piece."""
        log.debug("%s %s %s", self.environ["REQUEST_METHOD"], self.environ["PATH_INFO"], answer.status)
        # Before the first byte, so that a client that has its answer finds it in the ledger.
        self.entry.answered(answer.code)
        said = False
        try:
            for piece in pieces:
                self.output.write(piece)
                self.output.flush()
                said = True
        except OSError:
            if not said:
                self.entry.answered(None)
            raise

    def cut(self) -> None:
        """Cut the connection with a reset."""
        self.keep = False
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            # Not shut down first, which would tell the peer of an orderly end.
            socket.close(self.connection.detach())
