"""Random access to an image file, and the parts of it that are sent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from io import FileIO

Part = range | bytes
"""What is sent, in order: a byte range of the file, or bytes that are inserted."""
_AHEAD = 4096  # bytes that are read at once: segments and chunks are mostly small and adjacent


class MalformedImageError(Exception):
    """A file that does not follow its format, such as one that ``is incomplete``.

    Its message is a predicate without a subject. Metadata could be anywhere in such a file.
    """


class DamagedImageError(Exception):
    """A picture that cannot be fully decoded; its message is a predicate without a subject."""


class ImageReader:
    """Random access to an open image file.

    Parameters
    ----------
    file : FileIO
        Unbuffered. Its position changes.

    Attributes
    ----------
    size : int
        Bytes.
    """

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size
        self._ahead, self._ahead_from = b"", 0

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill a buffer from an offset, and return the number of bytes: fewer only at the end of the file."""
        done = 0
        while done < len(buffer):
            count = self._read_once(offset + done, buffer[done:])
            if not count:
                break
            done += count
        return done

    def _read_once(self, offset: int, buffer: memoryview) -> int:
        if sys.platform == "win32":
            self._file.seek(offset)
            return self._file.readinto(buffer)
        return os.preadv(self._file.fileno(), [buffer], offset)

    def read(self, offset: int, count: int) -> bytes:
        """Return the bytes at an offset; fewer at the end of the file."""
        if count > _AHEAD:
            return self._read_again(offset, count)
        count, place = max(0, min(count, self.size - offset)), offset - self._ahead_from
        if not 0 <= place <= len(self._ahead) - count:
            self._ahead, self._ahead_from, place = self._read_again(offset, _AHEAD), offset, 0
        return self._ahead[place : place + count]

    def _read_again(self, offset: int, count: int) -> bytes:
        count = max(0, min(count, self.size - offset))
        self._file.seek(offset)
        content = self._file.read(count)
        while len(content) < count and (more := self._file.read(count - len(content))):
            content += more
        return content

    def read_exactly(self, offset: int, count: int) -> bytes:
        """Return exactly this number of bytes at an offset.

        Raises
        ------
        MalformedImageError
            The file ends earlier.
        """
        content = self.read(offset, count)
        if len(content) < count:
            raise MalformedImageError("is incomplete")
        return content


def merge_parts(parts: Iterable[Part]) -> list[Part]:
    """Return the same content in as few parts as possible."""
    merged: list[Part] = []
    for part in parts:
        previous = merged[-1] if merged else b""
        if isinstance(part, range) and isinstance(previous, range) and previous.stop == part.start:
            merged[-1] = range(previous.start, part.stop)
        elif isinstance(part, bytes) and isinstance(previous, bytes) and previous:
            merged[-1] = previous + part
        elif part:
            merged.append(part)
    return merged


def entire_file(file: FileIO) -> list[Part]:
    """Return a whole file as one part; an empty list if the file is empty."""
    return merge_parts([range(os.fstat(file.fileno()).st_size)])


def size_of_bytes(parts: Iterable[Part]) -> int:
    """Return how many bytes of the parts are not in the file."""
    return sum(len(part) for part in parts if isinstance(part, bytes))
