"""Uploaded files: stored under generated names, with their hash and the type detected from their bytes."""

import hashlib
import itertools
import re
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from astria_nb.sandbox.uploads import _locked_folder as locked_folder

_MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_NUMBER = re.compile("[0-9a-f]{8,}")


@dataclass(frozen=True)
class Upload:
    """A stored file.

    Attributes
    ----------
    filename : str
        The name that the client gave; never used as a path.
    content_type : str
        The media type, detected from the first bytes; what the client declared is ignored.
    size : int
        Length in bytes.
    sha256 : str
        Hexadecimal hash of the content.
    path : Path
        Where it is stored.
    """

    filename: str
    content_type: str
    size: int
    sha256: str
    path: Path

    def described(self) -> dict[str, object]:
        """Return all fields except the path."""
        names = ("filename", "content_type", "size", "sha256")
        return {name: getattr(self, name) for name in names}


class Spool:
    r"""A folder for uploads.

    The temporary folders of processes that were killed are removed first.

    Parameters
    ----------
    folder : Path, optional
        A folder to keep, with the files that are already in it; made if it does not exist. Without it, the
        spool has a private temporary folder that is removed on `close` or when the process ends.

    Raises
    ------
    OSError
        If the folder cannot be made, or another spool uses it.

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
        locked = locked_folder.lock(folder) if folder else locked_folder.make_temporary()
        self._folder = locked.path
        self._numbers = itertools.count(_highest_number(locked.path) + 1)
        self.close = weakref.finalize(self, locked.release if folder else locked.remove)

    def save(self, filename: str, chunks: Iterable[bytes]) -> Upload:
        """Write a file as its chunks arrive; if that fails, remove it."""
        path = self._folder / f"{next(self._numbers):08x}"
        digest, size, head = hashlib.sha256(), 0, b""
        try:
            path.touch(0o600, exist_ok=False)  # a folder that was given may be readable by others
            with path.open("wb") as file:
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


def _highest_number(folder: Path) -> int:
    """Return the highest number of the files that spools wrote; 0 if there are none."""
    return max((int(path.name, 16) for path in folder.iterdir() if _NUMBER.fullmatch(path.name)), default=0)


def sniff(head: bytes) -> str:
    """Return the media type of a file, from its first 12 bytes.

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
