"""The pictures in a folder, as a user would understand it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp"),
    *(".png", ".webp", ".heic", ".heif", ".avif"),
)
"""The usual suffixes of the formats that can be uploaded, in lower case; cameras use upper case."""

_NUMBER = re.compile(r"([0-9]{1,18})")


def is_hidden(name: str) -> bool:
    """Return whether phones or computers hide a file: it is deleted, incomplete, or not a photo.

    Examples
    --------
    >>> is_hidden("._IMG_1.JPG"), is_hidden(".trashed-1234-IMG_9.jpg"), is_hidden("IMG_1.JPG")
    (True, True, False)
    """
    return name.startswith(".")


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """Return a key to sort names by, which puts ``IMG_2.jpg`` before ``IMG_10.jpg``.

    Examples
    --------
    >>> sorted(["IMG_10.jpg", "IMG_2.jpg", "a.jpg"], key=natural_order)
    ['IMG_2.jpg', 'IMG_10.jpg', 'a.jpg']
    """
    parts = _NUMBER.split(name)
    return [
        (0, int(part), part) if part.isascii() and part.isdecimal() else (1, 0, part)
        for part in parts
        if part
    ]


def pictures_in(folder: Path) -> list[Path]:
    """Return the files in a folder whose names are those of pictures, in natural order.

    Hidden and empty files, folders, pipes, devices and links that lead nowhere are left out. No file is
    opened.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    OSError
        The folder cannot be read.
    """
    with os.scandir(folder) as entries:
        names = sorted((entry.name for entry in entries if _is_picture(entry)), key=natural_order)
    return [folder / name for name in names]


def _is_picture(entry: os.DirEntry[str]) -> bool:
    if is_hidden(entry.name) or not entry.name.lower().endswith(SUFFIXES):
        return False
    try:
        status = entry.stat()  # the size of the file that a link leads to
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > 0
