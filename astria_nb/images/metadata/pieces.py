"""A file as it is taken apart, and the pieces of it that stay."""

from __future__ import annotations

import os
from collections.abc import Iterable
from io import FileIO

Piece = range | bytes
"""A stretch of a file (from, to), or bytes of our own."""


class UncertainError(Exception):
    """Says what is wrong with a file of which nobody can be sure what is in it, such as ``is cut off``."""


class Source:
    """An open file, read here and there.

    Parameters
    ----------
    file : FileIO
        Unbuffered. Its position is moved.
    """

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size

    def fill(self, at: int, buffer: memoryview) -> int:
        """Read from a place into a buffer, and return the bytes read: fewer only at the file's end."""
        self._file.seek(at)
        done = 0
        while done < len(buffer):
            count = self._file.readinto(buffer[done:])
            if not count:
                break
            done += count
        return done

    def some(self, at: int, count: int) -> bytes:
        """Return the bytes at a place, fewer at the file's end."""
        content = bytearray(max(0, min(count, self.size - at)))
        return bytes(content[: self.fill(at, memoryview(content))])

    def exactly(self, at: int, count: int) -> bytes:
        """Return that many bytes at a place.

        Raises
        ------
        UncertainError
            The file ends before.
        """
        content = self.some(at, count)
        if len(content) < count:
            raise UncertainError("is cut off")
        return content


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Return the same with as few pieces as can be, and no empty one."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else b""
        if isinstance(piece, range) and isinstance(last, range) and last.stop == piece.start:
            found[-1] = range(last.start, piece.stop)
        elif isinstance(piece, bytes) and isinstance(last, bytes) and last:
            found[-1] = last + piece
        elif piece:
            found.append(piece)
    return found


def whole(file: FileIO) -> list[Piece]:
    """Return all of a file as one piece."""
    return joined([range(os.fstat(file.fileno()).st_size)])
