"""waitress with limits for unauthenticated requests, a total time limit, and a graceful end."""

from __future__ import annotations

import copy
import logging
import os
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask
from waitress.utilities import RequestEntityTooLarge

from astria_nb.results.callbacks._secret import Secret

HOST = "127.0.0.1"
HEAD_BYTES, BODY_BYTES = 16 * 2**10, 4 * 2**20
STRANGER_BODY_BYTES = 64 * 2**10
"""Bytes that are read of a request without the secret: enough to answer it without a connection reset."""
SECONDS = 10.0
"""Time limit for receiving a whole request."""
READING, CONNECTIONS = 32, 64
"""Limits of the connections whose request is incomplete, and of all connections."""
_THREADS = 8

# Without any handler, warnings about slow or broken senders would be printed below a cell.
logging.getLogger("waitress").addHandler(logging.NullHandler())


def listen(port: int) -> socket.socket:
    """Return a listening socket of this machine; if waitress fails to bind one, its threads stay behind."""
    listener = socket.socket()
    try:
        if os.name == "posix":  # otherwise another program could use the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def status_line(status: int) -> str:
    """Return an HTTP status with its phrase, such as ``404 Not Found``."""
    return f"{status} {HTTPStatus(status).phrase}"


class _Parser(HTTPRequestParser):
    """Limits the bytes read of a request without the secret, and ends every connection after its answer."""

    adj: Any
    has_secret = False

    def __init__(self, adj: Any, secret: Secret) -> None:
        super().__init__(adj)
        self._secret = secret

    def received(self, data: bytes) -> int:
        consumed = super().received(data)
        if self.completed:  # otherwise waitress would ask for the body of a request that it refuses
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
        self.status = status_line(413 if is_too_large and self.request.has_secret else 404)
        self.version = "1.1"
        self.set_close_on_finish()
        self.content_length = 0
        self.write(b"")


class _Channel(HTTPChannel):
    error_task_class = _Refusal

    @property
    def is_reading(self) -> bool:
        """Whether its request is incomplete."""
        return not self.requests and not self.total_outbufs_len

    def parser_class(self, adj: Any) -> _Parser:
        return _Parser(adj, self.server.secret)


class Server(TcpWSGIServer):
    """A WSGI server.

    Parameters
    ----------
    secret : Secret
        Requests without it are answered 404, and only a small part of them is read.
    application : callable
        A WSGI application, called from several threads.
    listener : socket.socket
    """

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
            recv_bytes=STRANGER_BODY_BYTES,  # data left unread before the answer causes a connection reset
            max_request_header_size=HEAD_BYTES,
            max_request_body_size=BODY_BYTES + 1,
            cleanup_interval=0,  # `maintenance` runs whenever a socket is ready, and once a second
            asyncore_loop_timeout=1,
            asyncore_use_poll=True,  # select() fails in a process with more than 1024 open files
            log_socket_errors=False,
            ident=None,
        )

    def maintenance(self, now: float) -> None:
        """Close connections that take too long; if too many are incomplete, the oldest ones.

        The ``channel_timeout`` of waitress starts again with each byte.
        """
        reading = [channel for channel in self.active_channels.values() if channel.is_reading]
        for position, channel in enumerate(reversed(reading)):
            if position >= READING or channel.creation_time < now - SECONDS:
                channel.will_close = True

    def pull_trigger(self) -> None:
        """Wake the thread of `run` unless it has ended: its pipe's number may then belong to another file."""
        with self._closing:
            if not self._is_closed:
                super().pull_trigger()

    def stop(self, seconds: float) -> None:
        """Free the port and end `run`. Requests that are being processed have some seconds to end."""
        self._call(self._stop_reading)
        self.task_dispatcher.shutdown(timeout=seconds)
        self._call(self._close_all)

    def _call(self, function: Callable[[], None]) -> None:
        """Call a function on the thread of `run`."""
        with self._closing:  # otherwise it may be called, and close the pipe, before the pipe is written
            self.trigger.pull_trigger(function)

    def _stop_reading(self) -> None:
        wasyncore.dispatcher.close(self)
        for channel in list(self.active_channels.values()):
            if channel.is_reading:
                channel.handle_close()

    def _close_all(self) -> None:
        try:
            for channel in list(self.active_channels.values()):
                channel.handle_write()
        finally:
            with self._closing:
                self._is_closed = True
                wasyncore.close_all(self._map, ignore_all=True)
