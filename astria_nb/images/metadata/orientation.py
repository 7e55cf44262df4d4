"""Which way up a picture is: the one thing that is kept of its Exif data."""

from __future__ import annotations

import re
import struct

_TAG, _SHORT = 0x0112, 3
_SIZES = {1: "B", _SHORT: "H", 4: "I"}  # of the types that a careless writer uses for it
_IN_XMP = re.compile(rb"tiff:Orientation(?:=\"|>)([0-9])")


def orientation(tiff: bytes, xmp: bytes = b"") -> int:
    """Return how a picture is turned, from 1 (upright) to 8, as Exif numbers it.

    Parameters
    ----------
    tiff : bytes
        What the Exif data holds, from its byte order on. Anything unreadable counts as nothing.
    xmp : bytes
        Asked where Exif does not tell; some readers do.

    Examples
    --------
    >>> orientation(only(6)), orientation(b"", b'<rdf:Description tiff:Orientation="3"/>'), orientation(b"MM")
    (6, 3, 1)
    """
    found = _in_exif(tiff)
    if found is None:
        told = _IN_XMP.search(xmp)
        found = int(told[1]) if told else 1
    return found if 1 <= found <= 8 else 1


def only(orientation: int) -> bytes:
    """Return Exif data that holds nothing but how a picture is turned."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _TAG, _SHORT, 1, orientation, 0, 0)


def _in_exif(tiff: bytes) -> int | None:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return None
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        for number in range(count):
            entry = at + 2 + 12 * number
            tag, kind, _ = struct.unpack_from(f"{order}HHI", tiff, entry)
            if tag == _TAG:
                (value,) = struct.unpack_from(f"{order}{_SIZES.get(kind, 'H')}", tiff, entry + 8)
                return int(value)
    except struct.error:  # it points beyond its end
        return None
    return None
