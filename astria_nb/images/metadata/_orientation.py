"""The EXIF orientation of an image, the only value of its EXIF data that is kept."""

from __future__ import annotations

import re
import struct

from astria_nb.images.metadata._tiff import entries, number

_TAG, _SHORT = 0x0112, 3
_IN_XMP = re.compile(rb"tiff:Orientation(?:=[\"']|>)([0-9])")


def read(tiff_data: bytes, xmp: bytes = b"") -> int:
    """Return an orientation from 1 (upright) to 8, as EXIF numbers them; 1 if there is none.

    Parameters
    ----------
    tiff_data : bytes
        The content of the EXIF data, beginning with its byte order. Unreadable data counts as empty.
    xmp : bytes
        Used if the EXIF data has no orientation, as in some readers.

    Examples
    --------
    >>> read(tiff(6)), read(b"", b'<rdf:Description tiff:Orientation="3"/>'), read(b"MM")
    (6, 3, 1)
    """
    value = _read_exif(tiff_data)
    if value is None:
        match = _IN_XMP.search(xmp)
        value = int(match[1]) if match else 1
    return value if 1 <= value <= 8 else 1


def tiff(orientation: int) -> bytes:
    """Return EXIF data that contains an orientation and nothing else."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _TAG, _SHORT, 1, orientation, 0, 0)


def _read_exif(tiff_data: bytes) -> int | None:
    entry = entries(tiff_data).get(_TAG)
    try:
        return None if entry is None else number(tiff_data, entry)
    except struct.error:
        return None
