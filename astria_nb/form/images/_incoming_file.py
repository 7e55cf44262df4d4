"""A file that arrives from the browser in chunks, and the limits that it has to meet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from astria_nb.errors import Problem
from astria_nb.images import readable_types, refusal
from astria_nb.images.media_type import HEAD_BYTES, media_type
from astria_nb.utils.remove_tree import remove_tree

CHUNK = 1 << 20
"""Bytes of every chunk but the last: a Jupyter server closes the connection at a message of 10 MiB."""
MAX_BYTES = 64 << 20
"""Of one file."""
MAX_FILES = 100


@dataclass(eq=False, slots=True)
class IncomingFile:
    """A file that is being received.

    Attributes
    ----------
    path : Path
        Where the bytes received so far are.
    size : int
        Bytes of the whole file.
    received : int
        Bytes received so far.
    """

    path: Path
    size: int
    received: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether all bytes were received."""
        return self.received == self.size

    def append(self, chunk: bytes | memoryview) -> Problem | None:
        """Store the next chunk; return a problem if the file cannot be received."""
        if not 0 < len(chunk) <= CHUNK or self.received + len(chunk) > self.size:
            return Problem("images", "arrived in other pieces than announced", "add it again")
        if not self.received and (problem := check_type(bytes(chunk[:HEAD_BYTES]))):
            return problem
        try:
            with self.path.open("ab") as file:
                file.write(chunk)
        except OSError as error:
            return storage_problem(error)
        self.received += len(chunk)
        return None

    def discard(self) -> None:
        """Delete what was received."""
        remove_tree(self.path.parent)


def check_size(size: int, other_files: int) -> Problem | None:
    """Return why a file of this many bytes is refused in addition to others; None if it is accepted."""
    if other_files >= MAX_FILES:
        return Problem("images", f"exceeds the limit of {MAX_FILES} photos", "remove some first")
    if size == 0:
        return Problem("images", "is empty", "choose another file")
    if size > MAX_BYTES:
        return Problem("images", f"is larger than {MAX_BYTES >> 20} MiB", "save it smaller")
    return None


def check_type(head: bytes) -> Problem | None:
    """Return why a file with these first bytes is refused; None if it is a photo that can be read here."""
    if media_type(head) in readable_types():
        return None
    return Problem("images", *refusal(head, "choose another file"))


def storage_problem(error: OSError) -> Problem:
    """Return the problem of a file that cannot be written."""
    what = f"cannot be stored ({error.strerror or error})"
    hint = "make room on the kernel's disk, or set TMPDIR to another folder and restart the kernel"
    return Problem("images", what, hint)
