"""The entries of EXIF data, which is written as a TIFF file."""

from __future__ import annotations

import struct
from contextlib import suppress

_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_STRUCT_CODES = {1: "B", 3: "H", 4: "I"}  # by TIFF type; some programs write the wrong one
_SHORT = "H"

Entries = dict[int, bytes]
"""The type, the count and the value of each entry, by its tag."""


def entries(tiff_data: bytes, *path: int) -> Entries:
    """Return the entries of a directory that can be read; only the first with each tag.

    Parameters
    ----------
    tiff_data : bytes
        Beginning with its byte order.
    *path : int
        The tags that lead to the directory, starting at the first directory. Default: the first directory.
    """
    read: Entries = {}
    with suppress(struct.error):  # an offset beyond the end
        order = byte_order(tiff_data)
        (start,) = struct.unpack_from(f"{order}I", tiff_data, 4)
        for tag in (*path, None):
            read = _entries(tiff_data, order, start)
            if tag is not None:
                start = number(tiff_data, read.get(tag, b""))
    return read


def byte_order(tiff_data: bytes) -> str:
    """Return the character for a byte order in `struct`.

    Raises
    ------
    struct.error
        The data begins with no known byte order.
    """
    order = _BYTE_ORDERS.get(tiff_data[:4])
    if order is None:
        raise struct.error
    return order


def number(tiff_data: bytes, entry: bytes) -> int:
    """Return the first number of an entry.

    Raises
    ------
    struct.error
        The entry is not a number.
    """
    order = byte_order(tiff_data)
    (kind,) = struct.unpack_from(f"{order}H", entry)
    (value,) = struct.unpack_from(f"{order}{_STRUCT_CODES.get(kind, _SHORT)}", entry, 6)
    return int(value)


def _entries(tiff_data: bytes, order: str, start: int) -> Entries:
    (count,) = struct.unpack_from(f"{order}H", tiff_data, start)
    read: Entries = {}
    for place in range(start + 2, start + 2 + 12 * count, 12):
        entry = tiff_data[place : place + 12]
        if len(entry) < 12:
            break
        (tag,) = struct.unpack_from(f"{order}H", entry)
        read.setdefault(tag, entry[2:])
    return read
