"""Whether a HEIC shows the way up that its camera noted: only rotations of its container are applied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image as Pillow

_MOST_BYTES = 4 << 20  # of what describes the pictures in a file


def lies_as_stored(path: Path, image: Pillow.Image) -> bool:
    """Return whether the EXIF data of a HEIC note a rotation, and its container none.

    Parameters
    ----------
    path : Path
    image : PIL.Image.Image
        The file as pillow_heif opened it.
    """
    if image.info.get("original_orientation", 1) in (None, 1):
        return False
    description = _box(path, b"meta")
    is_rotated = any(part[:1] not in (b"", b"\0") for part in description.split(b"irot")[1:])
    return not is_rotated and b"imir" not in description


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
