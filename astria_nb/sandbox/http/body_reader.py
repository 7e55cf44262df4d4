"""The bytes of a request's body, as they arrive."""

import contextlib
from collections.abc import Callable
from io import BufferedReader

from werkzeug.serving import DechunkedInput

from astria_nb.sandbox.errors import Refusal, bad_request, too_large


class Body:
    """The body of one request, from its first byte to its last.

    Parameters
    ----------
    stream : BufferedReader
        The connection.
    length : int or None
        Its Content-Length; None when it comes in chunks.
    limit : int
        Most bytes to hand out.
    expected : callable or None
        Called before the first read, when a client waits to be told to go on.
    arrived : callable
        Called with the size of each piece that was read, and whether it was the last.
    """

    def __init__(
        self,
        stream: BufferedReader,
        length: int | None,
        limit: int,
        expected: Callable[[], None] | None,
        arrived: Callable[[int, bool], None],
    ) -> None:
        self._stream = stream
        self._chunks = DechunkedInput(stream) if length is None else None
        self._left = length
        self._limit = limit
        self._expected = expected
        self._arrived = arrived
        self.length = length
        self.ended = length == 0
        arrived(0, self.ended)

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, as soon as there are some; none at the end.

        Raises
        ------
        Refusal
            400 when the body ends early, 413 when it is too long.
        """
        if self.ended:
            return b""
        if self._left is not None and self._left > self._limit:
            raise too_large("the body is larger than this sandbox accepts (see max_body)")
        return self._read(size)

    def drain(self) -> bool:
        """Read on to the end, so that a client that is still sending gets to read the reply."""
        if self._expected:
            return self.ended
        with contextlib.suppress(Refusal, OSError):
            while self._read(256 * 1024):
                pass
        return self.ended

    def _read(self, size: int) -> bytes:
        if self.ended:
            return b""
        if self._expected:
            self._expected()
            self._expected = None
        try:
            data = self._chunk(size) if self._left is None else self._stream.read1(min(size, self._left))
        except OSError:
            raise bad_request("the body is broken off or badly chunked") from None
        if self._left is None:
            self.ended = not data
            self._limit -= len(data)
            self._arrived(len(data), self.ended)
            if self._limit < 0:
                raise too_large("the body is larger than this sandbox accepts (see max_body)")
        else:
            if not data:
                raise bad_request("the body is shorter than its Content-Length")
            self._left -= len(data)
            self.ended = not self._left
            self._arrived(len(data), self.ended)
        return data

    def _chunk(self, size: int) -> bytes:
        assert self._chunks is not None
        return self._chunks.read(size) or b""
