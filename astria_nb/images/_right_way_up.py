"""The orientation of a picture, the same for its thumbnail, a smaller copy, and the file that is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astria_nb.images._decoding import exif_of
from astria_nb.images.metadata import of_raw_profile, read_orientation

if TYPE_CHECKING:  # imported where it is used, so that `import astria_nb` stays fast
    from PIL import Image as Pillow

_TAG = 0x0112
_BY_DECODER = ("HEIF", "AVIF")  # the container has it, not the EXIF data; decoders apply it
_EXIF_HEAD = b"Exif\0\0"


def orientation_of(image: Pillow.Image) -> int:
    """Return the orientation in a picture's file, from 1 (upright) to 8, as EXIF numbers them.

    Pillow itself knows fewer of the ways in which programs write it.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened from a file; a PNG has to be decoded, because the orientation may come after the pixels.
    """
    if image.format in _BY_DECODER:
        value = exif_of(image).get(_TAG, 1)
        return value if value in range(1, 9) else 1
    exif, xmp = (
        content if isinstance(content := image.info.get(key), bytes) else b"" for key in ("exif", "xmp")
    )
    if image.format == "PNG":
        for key, text in image.info.items():
            if isinstance(key, str) and isinstance(text, str):
                raw_exif, raw_xmp = of_raw_profile(key.encode(), text.encode("latin-1", "replace"))
                exif, xmp = exif or raw_exif, xmp or raw_xmp
    return read_orientation(exif.removeprefix(_EXIF_HEAD), xmp)


def turn_upright(image: Pillow.Image, orientation: int) -> Pillow.Image:
    """Return an image rotated by an orientation, without metadata."""
    from PIL import Image as Pillow

    steps = {
        2: Pillow.Transpose.FLIP_LEFT_RIGHT,
        3: Pillow.Transpose.ROTATE_180,
        4: Pillow.Transpose.FLIP_TOP_BOTTOM,
        5: Pillow.Transpose.TRANSPOSE,
        6: Pillow.Transpose.ROTATE_270,
        7: Pillow.Transpose.TRANSVERSE,
        8: Pillow.Transpose.ROTATE_90,
    }
    step = steps.get(orientation)
    upright = image.copy() if step is None else image.transpose(step)
    upright.info = {}  # Pillow would write a comment into the next file
    return upright
