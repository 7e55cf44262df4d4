"""Whether a HEIC or AVIF is shown as its camera recorded it: only its container's rotation counts."""

from __future__ import annotations

import mmap
import re
from pathlib import Path
from typing import TYPE_CHECKING

from astria_nb.images.metadata import read_orientation

if TYPE_CHECKING:
    from PIL import Image as Pillow

_MOST_BYTES = 4 << 20  # searched for the description of the pictures
_EXIF = re.compile(rb"(?:Exif|\0\0)\0\0(MM\0\*|II\*\0)")
_MOST_EXIF = 65536  # bytes


def has_only_exif_rotation(path: Path, image: Pillow.Image) -> bool:
    """Return whether only the EXIF data of a HEIC or AVIF has a rotation, not its container.

    Parameters
    ----------
    path : Path
    image : PIL.Image.Image
        The file as Pillow or pillow_heif opened it.
    """
    if image.format == "AVIF":
        noted = _exif_orientation_in(path) if image.info.get("exif") else 1
    else:
        noted = image.info.get("original_orientation") or 1
    if noted == 1:
        return False
    description = _box(path, b"meta")
    is_rotated = any(part[:1] not in (b"", b"\0") for part in description.split(b"irot")[1:])
    return not is_rotated and b"imir" not in description


def _exif_orientation_in(path: Path) -> int:
    """Return the orientation in the EXIF data of an AVIF; Pillow returns that of the container instead."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = _EXIF.search(content)
        return read_orientation(content[start.start(1) : start.start(1) + _MOST_EXIF]) if start else 1


def _box(path: Path, kind: bytes) -> bytes:
    """Return the content of the first box of a kind at the top level; empty if there is none."""
    with path.open("rb") as file:
        while len(header := file.read(8)) == 8:
            size = int.from_bytes(header[:4])
            if size == 1:
                size = int.from_bytes(file.read(8)) - 8
            if header[4:] == kind:
                return file.read(min(max(size - 8, 0), _MOST_BYTES))
            if size < 8:  # to the end of the file, or damaged
                break
            file.seek(size - 8, 1)
    return b""
