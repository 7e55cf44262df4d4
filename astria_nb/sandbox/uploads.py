"""Uploaded files: on disk under names of our own, known by their hash and by what their bytes are."""

import hashlib
import itertools
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


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
    """A private folder for uploads, removed on `close` or when the process ends."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="astria-sandbox-"))
        self._numbers = itertools.count(1)
        self.close = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def save(self, filename: str, chunks: Iterable[bytes]) -> Upload:
        """Write a file as it arrives; a broken-off one is removed."""
        path = self._folder / f"{next(self._numbers):08x}"
        digest, size, head = hashlib.sha256(), 0, b""
        try:
            with path.open("xb", buffering=0) as file:
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
