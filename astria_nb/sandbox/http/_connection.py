"""One client's connection: requests are read one after the other, and each becomes an exchange."""

import json
import logging
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler
from io import BufferedReader
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from werkzeug.http import parse_options_header

from astria_nb.sandbox._errors import Refusal, bad_request
from astria_nb.sandbox.http._body_reader import BodyReader
from astria_nb.sandbox.http._ledger import LedgerEntry
from astria_nb.sandbox.http.exchange import Answer, Exchange

if TYPE_CHECKING:
    from astria_nb.sandbox.http.server import HttpServer

log = logging.getLogger("astria_nb.sandbox")

_IDLE_SECONDS = 120


class _Head(HTTPMessage):
    """The headers of a request: no mail, in whose body their parser would look for further parts."""

    def get_content_maintype(self) -> str:
        return "text"

    def get_content_type(self) -> str:
        return "text/plain"


class Connection(BaseHTTPRequestHandler):
    """Reads the requests of one connection; the server's `answer` handles each exchange."""

    MessageClass = _Head
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    rbufsize = 256 * 1024
    wbufsize = -1
    disable_nagle_algorithm = True
    server: "HttpServer"
    _entry: LedgerEntry | None = None

    def finish(self) -> None:
        """Close both files of the socket, also if the first has an answer that cannot be sent any more."""
        try:
            super().finish()
        finally:
            self.rfile.close()

    def parse_request(self) -> bool:
        """Read the head of a request, and add it to the ledger."""
        self._entry = None
        if not super().parse_request():
            return False
        content_type = parse_options_header(self.headers.get("Content-Type"))[0]
        self._entry = self.server.ledger.open(self.server.now, self.command, self.path, content_type)
        return True

    def respond(self) -> None:
        """Read one request and let it be answered."""
        assert self._entry is not None
        try:
            body = self._body_reader(self._entry)
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
            background=self.server.background,
            date=self.date_time_string,
        )
        self.server.answer(exchange)
        if not exchange.keep_alive:
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond  # noqa: N815 - http.server's names

    def handle_expect_100(self) -> bool:
        """Let the body reader send ``100 Continue``, so that a refusal comes before the upload."""
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a malformed request with an error as JSON, and close the connection."""
        self.request_version = self.protocol_version  # otherwise a malformed first line counts as HTTP/0.9
        code = 405 if code == 501 else code  # an unknown method is the client's error, not ours
        content = json.dumps({"status": int(code), "error": message or explain or "Bad Request"}).encode()
        answer = Answer(f"{int(code)} Error", (("Content-Type", "application/json"),), content)
        if self._entry:
            self._entry.record_status(answer.code)
        head = answer.head(self.date_time_string(), keep_alive=False)
        self.wfile.write(head if self.command == "HEAD" else head + content)
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Log requests at debug level."""
        log.debug(format, *args)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the service's time, which may differ from this machine's."""
        return super().date_time_string(self.server.now() / 1000 if timestamp is None else timestamp)

    def _body_reader(self, entry: LedgerEntry) -> BodyReader:
        encoding = self.headers.get("Transfer-Encoding")
        if encoding is not None and encoding.lower() != "chunked":
            raise bad_request("Transfer-Encoding: only chunked is supported")
        size = self.headers.get("Content-Length", "0")
        if not (size.isascii() and size.isdigit() and len(size) < 19):
            raise bad_request("Content-Length is not a number")
        expects_continue = self.headers.get("Expect", "").lower() == "100-continue"
        assert isinstance(self.rfile, BufferedReader)
        return BodyReader(
            self.rfile,
            None if encoding else int(size),
            self.server.max_body,
            self._send_continue if expects_continue else None,
            entry.record_body,
        )

    def _send_continue(self) -> None:
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.wfile.flush()

    def _environ(self, body: BodyReader) -> dict[str, Any]:
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
            if "_" in name:  # otherwise it could be mistaken for the same name with a dash
                continue
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ
