"""A web server on this machine that accepts POSTs to one secret address and tells strangers nothing."""

from __future__ import annotations

import copy
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask
from waitress.utilities import RequestEntityTooLarge

from astria_nb.results.callbacks.secret import Secret

HOST = "127.0.0.1"
HEAD_BYTES, BODY_BYTES = 16 * 2**10, 4 * 2**20
STRANGER_BODY_BYTES = 64 * 2**10
"""How much is read of a request without the secret: enough to answer it without a connection reset."""
SECONDS = 10.0
"""Time limit for receiving a whole request."""
READING, CONNECTIONS = 32, 64
"""Limits of the connections whose request is incomplete, and of all connections."""
BURST, RATE = 1000, 50.0
"""Requests accepted at once, as after a large pack, and requests a second from there on."""
_THREADS = 8
_STOP_SECONDS = 1.0

_logger = logging.getLogger(__name__)
# Without any handler, warnings about slow or broken senders would be printed below a cell.
logging.getLogger("waitress").addHandler(logging.NullHandler())


class Receiver:
    """Listens as soon as it is created. Requests without the secret are answered 404.

    Parameters
    ----------
    port : int
        0 for any free port.
    secret : Secret
    on_callback : callable
        Called with the body of each request, from several threads; returns the HTTP status to answer.

    Attributes
    ----------
    port : int
        The port that it listens on.

    Raises
    ------
    OSError
        The port is taken.
    """

    def __init__(self, port: int, secret: Secret, on_callback: Callable[[bytes], int]) -> None:
        self._secret, self._on_callback = secret, on_callback
        self._rate_limit = _RateLimit(BURST, RATE)
        # Bound here: where that fails, waitress would leave its threads behind.
        listener = socket.create_server((HOST, port), backlog=128)
        self.port = int(listener.getsockname()[1])
        self._server = _Server(secret, self._application, listener)
        self._thread = threading.Thread(target=self._server.run, name="astria_nb callbacks", daemon=True)

    def start(self) -> None:
        """Start answering."""
        self._thread.start()

    def stop(self) -> None:
        """Free the port, and close the connections whose request is incomplete."""
        self._server.stop()
        self._thread.join(_STOP_SECONDS)

    def _application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            status = self._status(environ)
        except Exception:
            _logger.exception("a callback could not be processed")
            status = 500
        start_response(_status_line(status), [("Content-Length", "0")])
        return []

    def _status(self, environ: dict[str, Any]) -> int:
        if environ["REQUEST_METHOD"] != "POST" or not self._secret.is_in(environ["REQUEST_URI"]):
            return 404
        if not self._rate_limit.allows():
            return 429
        if "CONTENT_LENGTH" not in environ:
            return 411
        return self._on_callback(environ["wsgi.input"].read())


class _Parser(HTTPRequestParser):
    """Limits what is read of a request without the secret, and lets every connection end with its answer."""

    adj: Any
    has_secret = False

    def __init__(self, adj: Any, secret: Secret) -> None:
        super().__init__(adj)
        self._secret = secret

    def received(self, data: bytes) -> int:
        consumed = super().received(data)
        if self.completed:  # else waitress would ask for the body of a request that it refuses
            self.expect_continue = False
        return int(consumed)

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:  # int() refuses a Content-Length of thousands of digits
            self.content_length = BODY_BYTES + 1
        self.headers["CONNECTION"] = "close"
        self.has_secret = self._secret.is_in(self.request_uri)
        if not self.has_secret:
            self.adj = copy.copy(self.adj)
            self.adj.max_request_body_size = STRANGER_BODY_BYTES + 1


class _Refusal(ErrorTask):
    """Answers a request that waitress refuses, without its page of explanations."""

    def execute(self) -> None:
        is_too_large = isinstance(self.request.error, RequestEntityTooLarge)
        self.status = _status_line(413 if is_too_large and self.request.has_secret else 404)
        self.version = "1.1"
        self.set_close_on_finish()
        self.content_length = 0
        self.write(b"")


class _Channel(HTTPChannel):
    error_task_class = _Refusal

    def parser_class(self, adj: Any) -> _Parser:
        return _Parser(adj, self.server.secret)


class _Server(TcpWSGIServer):
    """waitress with a time limit for a whole request: its ``channel_timeout`` starts again at each byte."""

    channel_class = _Channel

    def __init__(self, secret: Secret, application: Callable[..., Any], listener: socket.socket) -> None:
        self.secret = secret
        self._closing, self._is_closed = threading.Lock(), False
        super().__init__(
            application,
            _sock=listener,
            bind_socket=False,
            host=HOST,
            port=listener.getsockname()[1],
            threads=_THREADS,
            connection_limit=CONNECTIONS + 2,  # waitress counts its own two sockets
            recv_bytes=STRANGER_BODY_BYTES,  # what is not read before the answer causes a connection reset
            max_request_header_size=HEAD_BYTES,
            max_request_body_size=BODY_BYTES + 1,
            cleanup_interval=0,  # `maintenance` runs whenever a socket is ready, and once a second
            asyncore_loop_timeout=1,
            asyncore_use_poll=True,  # select() fails in a process with more than 1024 open files
            log_socket_errors=False,
            ident=None,
        )

    def maintenance(self, now: float) -> None:
        """Close connections that take too long; if too many are incomplete, the oldest ones."""
        reading = [
            channel
            for channel in self.active_channels.values()
            if not channel.requests and not channel.total_outbufs_len
        ]
        for position, channel in enumerate(reversed(reading)):
            if position >= READING or channel.creation_time < now - SECONDS:
                channel.will_close = True

    def pull_trigger(self) -> None:
        with self._closing:
            if not self._is_closed:  # else the pipe's number may be that of another file by now
                super().pull_trigger()

    def stop(self) -> None:
        """End `run`."""
        with self._closing:  # the thread may run the call as soon as it is queued, before the pipe is written
            self.trigger.pull_trigger(self._close_all)
        self.task_dispatcher.shutdown(timeout=_STOP_SECONDS)

    def _close_all(self) -> None:
        with self._closing:
            self._is_closed = True
            wasyncore.close_all(self._map, ignore_all=True)


class _RateLimit:
    """A token bucket.

    Parameters
    ----------
    burst : int
        Requests allowed at once.
    rate : float
        Requests allowed per second from there on.
    """

    def __init__(self, burst: int, rate: float) -> None:
        self._burst, self._rate = float(burst), rate
        self._tokens, self._updated_at = self._burst, time.monotonic()
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Count a request, and return whether it is allowed."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._updated_at) * self._rate)
            self._updated_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
