"""Pictures in PNG files that are interlaced, which Pillow reads but does not write."""

import struct
import zlib

import numpy as np
from PIL import Image

from helpers.photos_with_metadata import chunk

_DEPTH_AND_COLOURS = {
    "1": (1, 0), "L": (8, 0), "I;16": (16, 0), "RGB": (8, 2), "P": (8, 3), "LA": (8, 4), "RGBA": (8, 6)
}  # fmt: skip
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def interlaced_png(image: Image.Image) -> bytes:
    """Return an image as a PNG of seven passes."""
    rows = b""
    for left, top, across, down in _PASSES:
        pixels = np.asarray(image)[top::down, left::across]
        if image.mode == "1":
            pixels = np.packbits(pixels, axis=1)
        if image.mode == "I;16":
            pixels = pixels.astype(">u2")
        rows += b"".join(b"\0" + row.tobytes() for row in pixels if row.size)
    header = struct.pack(">2I5B", *image.size, *_DEPTH_AND_COLOURS[image.mode], 0, 0, 1)
    palette = chunk(b"PLTE", bytes(image.getpalette() or ())) if image.mode == "P" else b""
    pixels_chunk = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + pixels_chunk + chunk(b"IEND", b"")
