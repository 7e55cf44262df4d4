"""Photos that come in pieces: checked, and kept in a private folder of the kernel's disk."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from astria_nb.errors import Problem
from astria_nb.form.images.private_folder import PrivateFolder

CHUNK = 1 << 20
"""Bytes of every piece but the last: a Jupyter server cuts the line at a message of 10 MiB."""
MOST_BYTES = 64 << 20
"""Of one file."""
MOST_FILES = 100

_LONGEST_NAME = 200  # bytes; disks take 255
_UNWANTED = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, invisible marks, halves of characters, line ends
_ON_WINDOWS = re.compile(r'[<>:"|?*]')
_AS_JPEG = "save it as JPEG, or take another"


class Spool:
    """A private folder for the files that a browser sends.

    It is made for the first file, and is gone when the spool is closed or the program ends.

    Parameters
    ----------
    kept : Path, optional
        A folder to use instead, which stays.

    Examples
    --------
    >>> spool = Spool()
    >>> first, second = spool.new("../1.jpg"), spool.new("1.jpg")
    >>> first.name, second.name, first == second
    ('1.jpg', '1.jpg', False)
    >>> spool.close(); first.parent.exists()
    False
    """

    def __init__(self, kept: Path | None = None) -> None:
        self._kept = kept
        self._folder: PrivateFolder | None = None

    def new(self, name: str) -> Path:
        """Make an empty file that only this user can read, in a folder of its own: two may share a name.

        Raises
        ------
        OSError
            When the disk does not take it.
        """
        folder = Path(tempfile.mkdtemp(dir=self._place()))  # 0700
        path = folder / safe_name(name)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return path

    def _place(self) -> Path:
        if self._kept is not None:
            self._kept.mkdir(mode=0o700, parents=True, exist_ok=True)
            return self._kept
        self._folder = self._folder or PrivateFolder()
        return self._folder.path

    def close(self) -> None:
        """Remove the folder and everything in it, unless it stays."""
        if self._folder is not None:
            self._folder.close()
            self._folder = None


@dataclass(eq=False, slots=True)
class Arrival:
    """A file on its way.

    Attributes
    ----------
    path : Path
        Where its beginning lies.
    size : int
        Bytes that it will have.
    received : int
        Bytes that are there.
    """

    path: Path
    size: int
    received: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self.received == self.size

    def take(self, piece: bytes | memoryview) -> Problem | None:
        """Add the next piece; return what is wrong where the file cannot go on."""
        if not 0 < len(piece) <= CHUNK or self.received + len(piece) > self.size:
            return _problem("came in other pieces than was said", "give it again")
        if not self.received and (wrong := type_problem(bytes(piece[:16]))):
            return wrong
        try:
            with self.path.open("ab") as file:
                file.write(piece)
        except OSError as error:
            return _problem(f"cannot be kept ({error.strerror or error})", "make room on the kernel's disk")
        self.received += len(piece)
        return None

    def discard(self) -> None:
        """Take what is there off the disk."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


def size_problem(size: int, others: int) -> Problem | None:
    """Return why a file of some bytes is not taken beside a number of others; None if it is."""
    if others >= MOST_FILES:
        return _problem(f"is one more than {MOST_FILES} photos", "take some out first")
    if size == 0:
        return _problem("is empty", "take another")
    if size > MOST_BYTES:
        return _problem(f"is larger than {MOST_BYTES >> 20} MiB", "save it smaller")
    return None


def type_problem(head: bytes) -> Problem | None:
    """Return why a file with such first bytes is not taken; None if it is a JPEG, PNG or WebP."""
    known = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
    if head.startswith(known) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return None
    if head[4:8] == b"ftyp":  # the box that HEIC, AVIF and films of phones begin with
        return _problem("is a HEIC or AVIF image, or a film", _AS_JPEG)
    return _problem("is not a JPEG, PNG or WebP image", _AS_JPEG)


def safe_name(name: str, *, windows: bool = os.name == "nt") -> str:
    r"""Return a name for a file on this disk that reads like the one the browser told.

    Examples
    --------
    >>> safe_name("C:\\fakepath\\holiday\n.jpg"), safe_name("/etc/.."), safe_name("a<b>.jpg")
    ('holiday.jpg', 'photo', 'a<b>.jpg')
    """
    base = re.split(r"[/\\]", name)[-1]
    text = "".join(each for each in base if unicodedata.category(each) not in _UNWANTED).strip(" ")
    if windows:
        text = _ON_WINDOWS.sub("_", text).rstrip(". ")
    stem, dot, suffix = text.rpartition(".")
    if len(text.encode()) > _LONGEST_NAME:
        end = f"{dot}{suffix}" if stem and len(suffix.encode()) <= 8 else ""
        text = text.encode()[: _LONGEST_NAME - len(end.encode())].decode(errors="ignore") + end
    return text if text.strip(".") else "photo"


def _problem(what: str, hint: str) -> Problem:
    return Problem("images", what, hint)
