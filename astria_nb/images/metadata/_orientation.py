"""The EXIF orientation of an image, the one value of its EXIF data that is kept."""

from __future__ import annotations

import re
import struct

_TAG, _SHORT = 0x0112, 3
_STRUCT_CODES = {1: "B", _SHORT: "H", 4: "I"}  # by TIFF type; careless writers do not use SHORT
_IN_XMP = re.compile(rb"tiff:Orientation(?:=[\"']|>)([0-9])")


def read(tiff_data: bytes, xmp: bytes = b"") -> int:
    """Return an orientation from 1 (upright) to 8, as EXIF numbers them; 1 if there is none.

    Parameters
    ----------
    tiff_data : bytes
        The content of the EXIF data, beginning with its byte order. Unreadable data counts as empty.
    xmp : bytes
        Used if the EXIF data has no orientation, as some readers do.

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
    byte_order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff_data[:4])
    if byte_order is None:
        return None
    try:
        (directory,) = struct.unpack_from(f"{byte_order}I", tiff_data, 4)
        (count,) = struct.unpack_from(f"{byte_order}H", tiff_data, directory)
        for number in range(count):
            entry = directory + 2 + 12 * number
            tag, tiff_type, _ = struct.unpack_from(f"{byte_order}HHI", tiff_data, entry)
            if tag == _TAG:
                code = _STRUCT_CODES.get(tiff_type, "H")
                (value,) = struct.unpack_from(f"{byte_order}{code}", tiff_data, entry + 8)
                return int(value)
    except struct.error:  # an offset beyond the end
        return None
    return None
