"""A web server of this machine that takes POSTs to one secret address, and tells others nothing."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BufferedReader, RawIOBase
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from astria_nb.results.callbacks.secret import Secret

HOST = "127.0.0.1"
HEAD_BYTES, BODY_BYTES = 16 * 2**10, 4 * 2**20
SECONDS = 10.0
"""That a sender has for its whole request."""
READING, CONNECTIONS = 32, 64
"""How many may be sending at a time, and how many there are with those being answered."""
BURST, RATE = 1000, 50.0
"""Requests that may come at once, as from a large pack, and as many a second from there on."""
_LINGER_BYTES, _LINGER_SECONDS = 64 * 2**10, 1.0

_log = logging.getLogger(__name__)


class Receiver(ThreadingMixIn, TCPServer):
    """Listens as soon as it is made; answers 404 to whoever does not know the secret.

    Parameters
    ----------
    port : int
        0 takes a free one.
    secret : Secret
    take : callable
        Called with each body, on threads of its own; returns the status to answer.

    Raises
    ------
    OSError
        The port is taken.
    """

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere another program could take the port as well
    request_queue_size = 128

    def __init__(self, port: int, secret: Secret, take: Callable[[bytes], int]) -> None:
        self.secret, self.take = secret, take
        self.pace = _Pace(BURST, RATE)
        self._lock = threading.Lock()
        self._reading: dict[socket.socket, None] = {}  # the longest connected first
        self._connections = 0
        super().__init__((HOST, port), _Exchange)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Answer from here on."""
        threading.Thread(
            target=self.serve_forever, args=(0.1,), name="astria_nb callbacks", daemon=True
        ).start()

    def stop(self) -> None:
        """Free the port and hang up on who is still sending."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # ends the wait for a connection at once
        self.shutdown()
        self.server_close()
        with self._lock:
            for connection in self._reading:
                _cut(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread; where too many send, the one that has taken longest gives way."""
        with self._lock:
            full = self._connections >= CONNECTIONS
            if not full:
                if len(self._reading) >= READING:
                    slowest = next(iter(self._reading))
                    del self._reading[slowest]
                    _cut(slowest)
                self._reading[request] = None
                self._connections += 1
        if full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.has_read(request)
            with self._lock:
                self._connections -= 1

    def has_read(self, request: socket.socket) -> None:
        """Let a connection be, now that all of its request is here."""
        with self._lock:
            self._reading.pop(request, None)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's names
        """Take a sender that went away as what happens, and log anything else."""
        if not isinstance(sys.exception(), OSError):
            _log.exception("a callback could not be taken")


class _Exchange(BaseHTTPRequestHandler):
    """One request and its answer, without a word beyond the status."""

    protocol_version = "HTTP/1.1"
    server: Receiver

    def setup(self) -> None:
        super().setup()
        self._line = _Line(self.connection)
        self._line.allow(HEAD_BYTES, SECONDS)
        self.rfile = BufferedReader(self._line)

    def do_POST(self) -> None:
        self._answer(self._status())

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 - http.server's names
        self._answer(404)

    def log_message(self, *args: object) -> None:
        """Say nothing: it would stand in the output of a cell."""

    def _status(self) -> int:
        if not self.server.secret.is_in(self.path):
            return 404
        if not self.server.pace.allows():
            return 429
        lengths = self.headers.get_all("Content-Length") or []
        if len(lengths) != 1 or not (lengths[0].isascii() and lengths[0].isdecimal()):
            return 411
        length = int(lengths[0]) if len(lengths[0]) < 12 else BODY_BYTES + 1
        if length > BODY_BYTES:
            return 413
        self._line.allow(length)
        body = self.rfile.read(length)
        if len(body) < length:
            return 400
        self.server.has_read(self.connection)
        return self.server.take(body)

    def _answer(self, status: int) -> None:
        self.close_connection = True
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        self.wfile.write(head.encode())
        # Closed with something unread, the connection would be reset, and the answer lost.
        self.connection.shutdown(socket.SHUT_WR)
        self._line.allow(_LINGER_BYTES, _LINGER_SECONDS)
        while self._line.read(4096):
            pass


class _Line(RawIOBase):
    """A connection from which so much may be read, by so and so late; a drip counts as nothing."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._bytes, self._end = 0, 0.0

    def allow(self, more: int, seconds: float | None = None) -> None:
        """Take so many bytes more, and set the time anew if it is given."""
        self._bytes += more
        if seconds is not None:
            self._end = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        count = self._connection.recv_into(memoryview(buffer)[: self._bytes]) if self._bytes else 0
        self._bytes -= count
        return count


class _Pace:
    """So many at once, and as many a second from there on."""

    def __init__(self, burst: int, rate: float) -> None:
        self._burst, self._rate = float(burst), rate
        self._left, self._at = self._burst, time.monotonic()
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Count one more, if it may come."""
        with self._lock:
            now = time.monotonic()
            self._left = min(self._burst, self._left + (now - self._at) * self._rate)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
