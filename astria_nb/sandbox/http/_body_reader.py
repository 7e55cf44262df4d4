"""The bytes of a request's body, as they arrive."""

import contextlib
from collections.abc import Callable
from io import BufferedReader

from werkzeug.serving import DechunkedInput

from astria_nb.sandbox._errors import Refusal, bad_request, too_large

_CHUNK = 256 * 1024


class BodyReader:
    """The body of one request, from its first byte to its last.

    Parameters
    ----------
    stream : BufferedReader
        The connection.
    length : int or None
        Its Content-Length; None when it is sent in chunks.
    limit : int
        The largest body to accept, in bytes.
    send_continue : callable or None
        Called before the first read, if the client waits for ``100 Continue``.
    on_read : callable
        Called with the size of each piece that was read, and whether it was the last.
    """

    def __init__(
        self,
        stream: BufferedReader,
        length: int | None,
        limit: int,
        send_continue: Callable[[], None] | None,
        on_read: Callable[[int, bool], None],
    ) -> None:
        self._stream = stream
        self._chunks = DechunkedInput(stream) if length is None else None
        self._bytes_left = length
        self._limit = limit
        self._send_continue = send_continue
        self._on_read = on_read
        self.length = length
        self.ended = length == 0
        if self.ended:
            on_read(0, self.ended)

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes as soon as some are available; empty at the end.

        Raises
        ------
        Refusal
            400 when the body ends early, 413 when it is too long.
        """
        if self.ended:
            return b""
        if self._bytes_left is not None and self._bytes_left > self._limit:
            raise too_large("the body is larger than this sandbox accepts (see max_body)")
        return self._read(size)

    def drain(self) -> bool:
        """Discard what is still to come, so that a client that is still sending can read the reply."""
        if self._send_continue:
            return self.ended
        with contextlib.suppress(Refusal, OSError):
            while self._read(_CHUNK):
                pass
        return self.ended

    def _read(self, size: int) -> bytes:
        if self.ended:
            return b""
        if self._send_continue:
            self._send_continue()
            self._send_continue = None
        try:
            if self._bytes_left is None:
                data = self._read_chunked(size)
            else:
                data = self._stream.read1(min(size, self._bytes_left))
        except OSError:
            raise bad_request("the body was cut off or is not valid chunked encoding") from None
        if self._bytes_left is None:
            self.ended = not data
            self._limit -= len(data)
            self._on_read(len(data), self.ended)
            if self._limit < 0:
                raise too_large("the body is larger than this sandbox accepts (see max_body)")
        else:
            if not data:
                raise bad_request("the body is shorter than its Content-Length")
            self._bytes_left -= len(data)
            self.ended = not self._bytes_left
            self._on_read(len(data), self.ended)
        return data

    def _read_chunked(self, size: int) -> bytes:
        assert self._chunks is not None
        return self._chunks.read(size) or b""
