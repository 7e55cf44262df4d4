"""A small HTTP server on loopback that records every request and plays scripted answers."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from io import BufferedReader
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from helpers.waiting import PATIENCE, until

KEY = "sd_test_key_of_nobody_1234"
PACK = {
    "id": 43,
    "slug": "headshots",
    "title": "Headshots",
    "costs": {"man": {"cost": 331}, "cat": {"cost": 200}},
}
TUNE = {"id": 7, "title": "t", "name": "cat", "created_at": "2026-01-01T12:00:00.000Z", "orig_images": []}


@dataclass
class Request:
    """One request. Its body is as much as the answer has read."""

    method: str
    target: str
    headers: Message
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass
class Exchange:
    """A connection after the head of a request has been read."""

    socket: socket.socket
    stream: BufferedReader
    request: Request
    stopped: threading.Event

    def read(self, max_bytes: int | None = None) -> None:
        """Read the body, or its first bytes."""
        length = int(self.request.headers.get("Content-Length", 0))
        if self.request.headers.get("Expect") == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.request.body = self.stream.read(length if max_bytes is None else min(max_bytes, length))

    def head(self, status: int, **headers: object) -> None:
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())


Answer = Callable[[Exchange], bool]
"""Plays one answer; True keeps the connection open for another request."""


def reply(
    data: Any = None, status: int = 200, *, body: bytes | None = None, read: int | None = None, **headers: Any
) -> Answer:
    """Answer with JSON or raw bytes after reading the body or its first bytes."""
    content = json.dumps(data).encode() if body is None else body

    def answer(exchange: Exchange) -> bool:
        exchange.read(read)
        exchange.head(
            status, **{"Content_Type": "application/json", "Content_Length": len(content), **headers}
        )
        exchange.socket.sendall(content)
        return read is None

    return answer


def reset(read: int | None = None) -> Answer:
    """Reset the connection (RST) after reading the body or its first bytes."""

    def answer(exchange: Exchange) -> bool:
        exchange.read(read)
        exchange.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return answer


def hang_up(exchange: Exchange) -> bool:
    """Read the body and close without an answer."""
    exchange.read()
    return False


def silence(exchange: Exchange) -> bool:
    """Read the body and never answer."""
    exchange.read()
    exchange.stopped.wait()
    return False


def cut(data: Any, status: int = 200, **headers: Any) -> Answer:
    """Answer with half of some JSON and close. Without Content-Length, no HTTP library notices."""

    def answer(exchange: Exchange) -> bool:
        exchange.read()
        content = json.dumps(data).encode()
        exchange.head(status, Content_Type="application/json", **headers)
        exchange.socket.sendall(content[: len(content) // 2])
        return False

    return answer


def verbatim(content: bytes) -> Answer:
    """Read the request, send these bytes, head and all, and close."""

    def answer(exchange: Exchange) -> bool:
        exchange.read()
        exchange.socket.sendall(content)
        return False

    return answer


def slowly(content: bytes, seconds: float = PATIENCE) -> Answer:
    """Read the request and send a whole answer, head and body, a byte at a time."""

    def answer(exchange: Exchange) -> bool:
        exchange.read()
        for index in range(len(content)):
            exchange.stopped.wait(seconds / len(content))
            exchange.socket.sendall(content[index : index + 1])
        return True

    return answer


def after(seconds: float, then: Answer) -> Answer:
    """Read nothing for some seconds, then answer."""

    def answer(exchange: Exchange) -> bool:
        exchange.stopped.wait(seconds)
        return then(exchange)

    return answer


def drip(seconds: float, pause: float = 0.05) -> Answer:
    """Answer with a body that is sent a byte at a time for some seconds."""

    def answer(exchange: Exchange) -> bool:
        exchange.read()
        exchange.head(200, Content_Type="application/json", Content_Length=10**6)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not exchange.stopped.wait(pause):
            exchange.socket.sendall(b" ")
        return False

    return answer


def hang_up_on(connection: socket.socket) -> None:
    """End a connection that another thread may be using.

    An `ssl.SSLSocket` forgets its TLS state in its own `shutdown`, under the feet of that thread.
    """
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class ScriptedServer:
    """The server. Answers are scripted by method and path; the last answer of a script is repeated."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._scripts: dict[tuple[str, str], list[Answer]] = {}
        self._stopped = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._tls = tls

    def on(self, method: str, path: str, *answers: Answer) -> None:
        self._scripts[method, path] = list(answers)

    def received(self, method: str, path: str | None = None) -> list[Request]:
        return [
            request for request in self.requests if request.method == method and path in (None, request.path)
        ]

    def await_request(self, number: int = 1) -> None:
        """Wait until this many requests were read; a client that timed out may be ahead of the server."""
        until(lambda: len(self.requests) >= number)

    @contextmanager
    def running(self) -> Iterator[ScriptedServer]:
        acceptor = threading.Thread(target=self._accept)
        acceptor.start()
        try:
            yield self
        finally:
            self._stopped.set()
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            acceptor.join()
            for connection in list(self._open):
                hang_up_on(connection)
            for thread in self._threads:
                thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            # Without it the body would wait 40 ms for the client to acknowledge the head.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:  # the reading thread does the handshake
                connection = self._tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
            self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=[connection])
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        # Clients that hang up halfway are among the things under test.
        with connection, suppress(OSError), connection.makefile("rb") as stream:
            while line := stream.readline():
                head = b"".join(iter(stream.readline, b"\r\n"))
                method, target, _ = line.decode("latin-1").split(" ", 2)
                request = Request(method, target, BytesHeaderParser().parsebytes(head))
                self.requests.append(request)
                script = self._scripts.get((method, request.path), [reply({"error": "Not Found"}, 404)])
                answer = script.pop(0) if len(script) > 1 else script[0]
                if not answer(Exchange(connection, stream, request, self._stopped)):
                    break
        self._open.discard(connection)
