"""A threaded HTTP/1.1 server that can be stopped at any moment."""

import contextlib
import logging
import socket
import sys
import threading
from collections.abc import Callable
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.types import WSGIApplication

from astria_nb.sandbox.http._connection import Connection
from astria_nb.sandbox.http._ledger import Ledger
from astria_nb.sandbox.http.exchange import RESET, Background, Exchange

log = logging.getLogger("astria_nb.sandbox")


class HttpServer(ThreadingMixIn, TCPServer):
    """A thread for each connection; `hang_up` ends them all.

    Parameters
    ----------
    host : str
        Address to bind.
    port : int
        Port to bind, or 0 for any free one.
    max_body : int
        Largest request body, in bytes.
    now : callable
        Returns the service's time, in milliseconds since 1970 (UTC).
    answer : callable
        Answers one exchange, on the connection's thread.
    ledger : Ledger
        Where requests are recorded.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    app: WSGIApplication

    def __init__(
        self,
        host: str,
        port: int,
        max_body: int,
        now: Callable[[], int],
        answer: Callable[[Exchange], None],
        ledger: Ledger,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.max_body = max_body
        self.now = now
        self.answer = answer
        self.ledger = ledger
        self.background = Background()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__((host, port), Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start the thread of a connection, and register it for `hang_up`."""
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="astria-sandbox-connection",
            daemon=True,
        )
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._connections[request]

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's names
        """Ignore clients that hung up, and log any other error."""
        if not isinstance(sys.exception(), OSError):
            log.exception("a connection failed")

    def shutdown(self) -> None:
        """Stop accepting connections."""
        # Wakes the accept loop where the platform allows it; elsewhere the loop notices at its next turn.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        super().shutdown()

    def hang_up(self) -> None:
        """Cut every connection, also in mid-upload, and wait for their threads; call after `shutdown`."""
        self.background.stop()
        with self._lock:
            threads = list(self._connections.values())
            for connection in self._connections:
                _reset(connection)
        for thread in threads:
            thread.join()
        self.background.join()


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.shutdown(socket.SHUT_RDWR)
