"""A response of the service, read from its socket within the deadline."""

from __future__ import annotations

import http
import http.client
import io
import socket
from typing import Any

from astria_nb.client._refusals import REFUSALS
from astria_nb.client.deadline import limit_socket
from astria_nb.utils import interrupts


class _Stream(io.RawIOBase):
    """Reads from a socket; each read has the remaining time of the deadline as its timeout."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a buffered reader, as a socket does."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        interrupts.blocks_on(self._sock)
        limit_socket(self._sock)
        count = self._raw.readinto(buffer)
        if not count:  # as after an interrupt; a response that has arrived is kept
            interrupts.raise_if_interrupted()
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class DeadlineResponse(http.client.HTTPResponse):
    """A response whose every read keeps the deadline."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(_Stream(sock), *args, **options)  # type: ignore[arg-type]  # only makefile is used

    def begin(self) -> None:
        """Read the head of the response; informational responses before it are skipped."""
        super().begin()
        # http.client skips 100 only. It would return any other as the response, and the response to the next
        # request.
        while 100 <= self.status < 200 and self.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
            self.headers = self.msg = None  # type: ignore[assignment]  # as before the first head
            super().begin()
        # urllib3 would log lines that are not headers, as the server sent them, perhaps with the key.
        self.headers.set_payload("")
        self.headers.defects.clear()
        if not (200 <= self.status < 300 or self.status in REFUSALS):
            self.will_close = True  # who sent this, and what follows it, is not certain
