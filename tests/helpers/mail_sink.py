"""A mail server on loopback that keeps what it gets."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 sink\r\n")
        while line := self.rfile.readline():
            command = line[:4].upper()
            if command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(b"".join(lines).decode())  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")


@contextmanager
def mail_sink() -> Iterator[tuple[str, list[str]]]:
    """Run the server; yield its address and the mails that it has got."""
    with socketserver.TCPServer(("127.0.0.1", 0), _Session) as server:
        server.mails = mails = list[str]()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", mails
        finally:
            server.shutdown()
            thread.join()
