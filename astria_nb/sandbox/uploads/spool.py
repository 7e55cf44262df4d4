"""Uploaded files: on disk under names of our own, known by their hash and by what their bytes are."""

import hashlib
import itertools
import re
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from astria_nb.sandbox.uploads import locked_folder

_MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_NUMBER = re.compile("[0-9a-f]{8,}")


@dataclass(frozen=True)
class Upload:
    """A file as it arrived.

    Attributes
    ----------
    filename : str
        The name that the client gave; never used as a path.
    content_type : str
        What the first bytes say it is, whatever the client said.
    size : int
        Length in bytes.
    sha256 : str
        Hexadecimal hash of the content.
    path : Path
        Where it lies.
    """

    filename: str
    content_type: str
    size: int
    sha256: str
    path: Path

    def described(self) -> dict[str, object]:
        """Return what a test compares: all but the path."""
        names = ("filename", "content_type", "size", "sha256")
        return {name: getattr(self, name) for name in names}


class Spool:
    r"""A folder for uploads.

    What processes that were killed left in the temp directory is removed first.

    Parameters
    ----------
    folder : Path, optional
        A folder to keep files in, also those that are there already; made where there is none. Without
        it, the spool has a private folder that is removed on `close` or when the process ends.

    Raises
    ------
    OSError
        When the folder cannot be made, or another spool has it.

    Examples
    --------
    >>> spool = Spool()
    >>> upload = spool.save("1.jpg", [b"\xff\xd8\xff", b"..."]); upload.content_type, upload.size
    ('image/jpeg', 6)
    >>> spool.close(); upload.path.exists()
    False
    """

    def __init__(self, folder: Path | None = None) -> None:
        locked_folder.sweep()
        held = locked_folder.hold(folder) if folder else locked_folder.make_temporary()
        self._folder = held.path
        self._numbers = itertools.count(_highest(held.path) + 1)
        self.close = weakref.finalize(self, held.release if folder else held.remove)

    def save(self, filename: str, chunks: Iterable[bytes]) -> Upload:
        """Write a file as it arrives; a broken-off one is removed."""
        path = self._folder / f"{next(self._numbers):08x}"
        digest, size, head = hashlib.sha256(), 0, b""
        try:
            path.touch(0o600, exist_ok=False)  # a kept folder may be open to others
            with path.open("wb", buffering=0) as file:
                for chunk in chunks:
                    if len(head) < 16:
                        head += chunk[:16]
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Upload(filename, sniff(head), size, digest.hexdigest(), path)


def _highest(folder: Path) -> int:
    """Return the highest number of a file that a spool wrote; 0 when there is none."""
    return max((int(path.name, 16) for path in folder.iterdir() if _NUMBER.fullmatch(path.name)), default=0)


def sniff(head: bytes) -> str:
    """Name the type of a file by its first 12 bytes.

    Examples
    --------
    >>> sniff(b"RIFF....WEBP"), sniff(b"hello")
    ('image/webp', 'application/octet-stream')
    """
    for magic, content_type in _MAGIC.items():
        if head.startswith(magic):
            return content_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return "application/octet-stream"
