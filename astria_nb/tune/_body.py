"""A request body that is streamed from its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from astria_nb.errors import Problem
from astria_nb.images import BLOCK, SentImage, sha256_of_all, under_way

Encoding = Literal["multipart", "form", "json"]
OnSent = Callable[[int, int], None]
"""Called with the number of bytes sent so far and the size of the request."""


class Body:
    """A request body that is read once, block by block, so that it is never in memory as a whole.

    It keeps its files open until it is closed; use it as a context manager.

    Parameters
    ----------
    encoding : {"multipart", "form", "json"}
    content_type : str
        The value of the header of that name.
    parts : sequence of (bytes or SentImage)
        What is sent, in order.
    on_sent : callable, optional
        Called with (bytes sent, bytes in all) after each block.
    excess : Problem, optional
        What exceeds the limits of a stock Rails, for the error if the service refuses the body.
    own_names : mapping of str to str, optional
        The users' own names of files, by the names that are sent, where these differ.

    Attributes
    ----------
    encoding : str
    content_type : str
    sent : int
        Bytes that were sent. After a failure, a value below ``len(body)`` means that the service did not
        receive the whole request.
    yielded : int
        Bytes that were passed to the connection. After an interrupt, a value below ``len(body)`` means that
        the service did not receive the whole request; otherwise it may have received it.
    images : list of SentImage
    image_sha256 : list of (str or None)
        The hash of the bytes that are sent of each file, in order, in hexadecimal; None if the file could not
        be read to the end. Over a network the hashes are computed during the upload, otherwise when they are
        first used.
    """

    def __init__(
        self,
        encoding: Encoding,
        content_type: str,
        parts: Sequence[bytes | SentImage],
        on_sent: OnSent | None = None,
        excess: Problem | None = None,
        own_names: Mapping[str, str] | None = None,
    ) -> None:
        self.encoding = encoding
        self.content_type = content_type
        self.excess = excess
        self.own_names = own_names or {}
        self.sent = self.yielded = 0
        self._on_sent = on_sent
        self._parts = list(parts)
        self.images = [part for part in parts if isinstance(part, SentImage)]
        self._length = sum(len(part) if isinstance(part, bytes) else part.size for part in parts)

    @property
    def image_sha256(self) -> list[str | None]:
        return sha256_of_all(self.images)

    def __len__(self) -> int:
        return self._length

    @property
    def is_spent(self) -> bool:
        """Whether it was read or closed; each attempt needs its own body."""
        return not self._parts

    def __iter__(self) -> Iterator[bytes | memoryview]:
        if self.is_spent:
            raise RuntimeError("a body can be sent only once; encode the tune again")
        parts, self._parts = self._parts, []
        with under_way(self):
            yield from self._blocks(parts)

    def _blocks(self, parts: Sequence[bytes | SentImage]) -> Iterator[bytes | memoryview]:
        largest = max((image.size for image in self.images), default=0)
        buffer = memoryview(bytearray(min(BLOCK, largest)))
        for part in parts:
            for block in [part] if isinstance(part, bytes) else part.blocks(buffer):
                self.yielded += len(block)
                yield block
                # The connection asks for the next block only after it has sent this one.
                self.sent += len(block)
                if self._on_sent is not None:
                    self._on_sent(self.sent, self._length)

    def __enter__(self) -> Body:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; hashes that have not been computed stay None."""
        for image in self.images:
            image.close()
        self._parts = []
