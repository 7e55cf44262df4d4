"""HTTP/1.1 on sockets: keep-alive, refusals before the upload, and a stop that hangs up."""

import contextlib
import json
import logging
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from io import BufferedReader
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

from werkzeug.http import parse_options_header

from astria_nb.sandbox.errors import Refusal, bad_request
from astria_nb.sandbox.http.body_reader import Body
from astria_nb.sandbox.http.exchange import RESET, Answer, Exchange, Waits
from astria_nb.sandbox.http.ledger import Entry, Ledger

log = logging.getLogger("astria_nb.sandbox")

_IDLE_SECONDS = 120


class Connection(BaseHTTPRequestHandler):
    """One connection: requests one after the other, each answered by the application."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    rbufsize = 256 * 1024
    wbufsize = -1
    disable_nagle_algorithm = True
    server: "HttpServer"
    _entry: Entry | None = None

    def parse_request(self) -> bool:
        """Read the head of a request, and put it into the ledger."""
        self._entry = None
        if not super().parse_request():
            return False
        kind = parse_options_header(self.headers.get("Content-Type"))[0]
        self._entry = self.server.ledger.open(self.server.now(), self.command, self.path, kind)
        return True

    def respond(self) -> None:
        """Read one request, and have it answered."""
        assert self._entry is not None
        try:
            body = self._body(self._entry)
        except Refusal as refusal:
            self.send_error(refusal.status, str(refusal.body["error"]))
            return
        exchange = Exchange(
            app=self.server.app,
            method=self.command,
            path=self.path,
            environ=self._environ(body) | {"astria.request": self._entry},
            body=body,
            entry=self._entry,
            connection=self.connection,
            output=self.wfile,
            waits=self.server.waits,
            date=self.date_time_string,
        )
        self.server.answer(exchange)
        if not exchange.keep:
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond  # noqa: N815 - http.server's names

    def handle_expect_100(self) -> bool:
        """Leave it to the body to say 100, so that a refusal comes before the upload."""
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no HTTP request, as JSON, and hang up."""
        self.request_version = self.protocol_version  # else a first line that is none counts as HTTP/0.9
        code = 405 if code == 501 else code  # a method that nobody knows is the client's error, not ours
        content = json.dumps({"status": int(code), "error": message or explain or "Bad Request"}).encode()
        answer = Answer(f"{int(code)} Error", (("Content-Type", "application/json"),), content)
        if self._entry:
            self._entry.answered(answer.code)
        head = answer.head(self.date_time_string(), keep=False)
        self.wfile.write(head if self.command == "HEAD" else head + content)
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Log requests for those who ask."""
        log.debug(format, *args)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Say the service's time, which a stepped clock keeps apart from this machine's."""
        return super().date_time_string(self.server.now() / 1000 if timestamp is None else timestamp)

    def _body(self, entry: Entry) -> Body:
        encoding = self.headers.get("Transfer-Encoding")
        if encoding is not None and encoding.lower() != "chunked":
            raise bad_request("of the transfer encodings only chunked is understood")
        size = self.headers.get("Content-Length", "0")
        if not (size.isascii() and size.isdigit() and len(size) < 19):
            raise bad_request("Content-Length is not a number")
        waits = self.headers.get("Expect", "").lower() == "100-continue"
        assert isinstance(self.rfile, BufferedReader)
        length = None if encoding else int(size)
        return Body(self.rfile, length, self.server.max_body, self._go_on if waits else None, entry.arrived)

    def _go_on(self) -> None:
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.wfile.flush()

    def _environ(self, body: Body) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": str(self.server.server_address[0]),
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": body,
            "wsgi.input_terminated": True,
            "wsgi.errors": None,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            if "_" in name:  # else it could pass for the same name with a dash
                continue
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ


class HttpServer(ThreadingMixIn, TCPServer):
    """A thread for each connection; `hang_up` ends them all.

    Parameters
    ----------
    host : str
        Address to bind.
    port : int
        Port to bind, or 0.
    max_body : int
        Largest request body, in bytes.
    now : callable
        Returns the service's time, in milliseconds since 1970.
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
        self.waits = Waits()
        self._live: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__((host, port), Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start the thread of a connection, known to `hang_up` from here on."""
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="astria-sandbox-connection",
            daemon=True,
        )
        with self._lock:
            self._live[request] = thread
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._live[request]

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's names
        """Take a client that went away as what happens, and log anything else."""
        if not isinstance(sys.exception(), OSError):
            log.exception("a connection failed")

    def shutdown(self) -> None:
        """Stop accepting: at once where a listening socket can be shut down, else when the loop looks."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        super().shutdown()

    def hang_up(self) -> None:
        """Cut every connection, also in mid-upload, and wait for their threads; none may come in any more."""
        self.waits.stop()
        with self._lock:
            threads = list(self._live.values())
            for connection in self._live:
                _cut(connection)
        for thread in threads:
            thread.join()
        self.waits.join()


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.shutdown(socket.SHUT_RDWR)
