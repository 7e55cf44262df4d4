"""Parts of an open file as they are sent, hashed during sending or when the hash is requested."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO

from astria_nb.errors import Problem, TuneError
from astria_nb.images._file_memory import MOST_BYTES, FileMemory, identity_in, identity_of
from astria_nb.images.metadata import ImageReader, Part, size_of_bytes
from astria_nb.utils.formatting import quoted

BLOCK = 2**20  # measured: smaller blocks need more calls, larger ones only more memory
_HASH_BLOCK = 2**18
_NETWORK = 500e6  # bytes a second, faster than any network that photos are sent over
_under_way: set[object] = set()
_hashes = FileMemory[tuple[tuple[Part, ...], str]]()


@contextmanager
def under_way(upload: object) -> Iterator[None]:
    """Count an upload as in progress while the block runs."""
    _under_way.add(upload)
    try:
        yield
    finally:
        _under_way.discard(upload)


class HashedContent:
    """Parts of an open file, as they are sent.

    An unchanged file is hashed once, however many tunes it is sent with.

    Parameters
    ----------
    filename : str
        The name that is sent to the service.
    file : FileIO
        Unbuffered; closed by `close`.
    parts : sequence of (range or bytes)
        What is sent: byte ranges of the file, and bytes between them.

    Attributes
    ----------
    size : int
        Bytes that are sent.
    """

    def __init__(self, filename: str, file: FileIO, parts: Sequence[Part]) -> None:
        self.filename = filename
        self.size = sum(map(len, parts))
        self._file, self._reader, self._parts = file, ImageReader(file), tuple(parts)
        self._identity = identity_of(file)
        self._sha256: str | None = None
        self._digest, self._hashed = hashlib.sha256(), 0

    def close(self) -> None:
        """Close the file; an incomplete hash stays incomplete."""
        self._file.close()

    def blocks(self, buffer: memoryview) -> Iterator[memoryview]:
        """Yield the content in blocks, each in the same buffer.

        Raises
        ------
        TuneError
            The file is shorter than when it was opened, or cannot be read.
        """
        done, remembered = 0, self._remembered()
        while done < self.size:
            try:
                count = self._fill(done, buffer)
            except OSError:  # an OSError would be taken for a network error
                count = 0
            if not count:
                what = f"{quoted(self.filename)} could not be read to its end"
                raise TuneError(Problem("images", what, "check it and submit again"))
            started = time.perf_counter()
            yield buffer[:count]
            # The system is still sending earlier blocks, so hashing costs no time on a network. A faster
            # connection is local: there the hash is computed when it is requested, unless this computer is
            # busy and it pays not to read the file again.
            is_network = count < _NETWORK * (time.perf_counter() - started)
            if remembered is None and self._hashed == done and (is_network or len(_under_way) > 1):
                self._hash(buffer[:count])
            done += count
        if remembered is not None and self._is_unchanged():
            self._sha256 = remembered

    @property
    def is_hashed(self) -> bool:
        """Whether all of it has been hashed."""
        return self._sha256 is not None or self._hashed == self.size

    def sha256(self) -> str | None:
        """Return the hexadecimal hash of what is sent.

        None if the file cannot be read, was closed, or has changed since it was opened: the bytes that were
        sent may then differ from its content.
        """
        if self._sha256 is None:
            with suppress(OSError, ValueError):  # a ValueError means that the file was closed
                was_hashed = self._hashed == self.size  # while it was sent
                digest = (None if was_hashed else self._remembered()) or self._computed()
                if was_hashed or self._is_unchanged():
                    self._sha256 = digest
        return self._sha256

    def _computed(self) -> str | None:
        buffer = memoryview(bytearray(min(_HASH_BLOCK, self.size - self._hashed)))
        while self._hashed < self.size:
            count = self._fill(self._hashed, buffer)
            if not count:
                return None
            self._hash(buffer[:count])
        digest = self._digest.hexdigest()
        with suppress(OSError, ValueError):
            if size_of_bytes(self._parts) <= MOST_BYTES and self._is_unchanged():
                _hashes.put(self._identity, (self._parts, digest))
        return digest

    def _remembered(self) -> str | None:
        """Return the known hash of the same parts of the same file, in its state when it was opened."""
        parts, digest = _hashes.get(self._identity) or ((), None)
        return digest if parts == self._parts else None

    def _is_unchanged(self) -> bool:
        info = os.fstat(self._file.fileno())
        now, before = identity_in(info), self._identity
        # Deleting a file changes the last of its times, but not its content.
        return now == before or (info.st_nlink == 0 and now[:-1] == before[:-1])

    def _hash(self, block: memoryview) -> None:
        self._digest.update(block)
        self._hashed += len(block)

    def _fill(self, offset: int, buffer: memoryview) -> int:
        """Read from an offset of the content to send; fewer bytes than the buffer holds only at the end."""
        done = 0
        for part in self._parts:
            if offset >= len(part):
                offset -= len(part)
                continue
            target = buffer[done : done + len(part) - offset]
            if isinstance(part, range):
                count = self._reader.read_into(part.start + offset, target)
            else:
                count = len(target)
                target[:] = part[offset : offset + count]
            done, offset = done + count, 0
            if count < len(target) or done == len(buffer):
                break
        return done
