"""ICC profiles (ICC.1:2022) reduced to the parts that colours need.

A profile that a system made for a screen contains its name, its serial number and when it was set up.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator

from astria_nb.images.metadata._profile_tags import exact

MAX_BYTES = 255 * 2**16
"""More than the largest profile that fits in a JPEG."""
_HEADER, _ENTRY = 128, 12  # bytes
_CLASSES, _SPACES = (b"scnr", b"mntr", b"prtr", b"spac"), (b"RGB ", b"GRAY", b"CMYK", b"Lab ")
_CONNECTIONS = b"XYZ ", b"Lab "
_INTENTS = 4
_FLAGS, _ATTRIBUTES = 0b11, 0b1111  # the bits that the standard defines
_DATE = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # libraries raise an error for a date of zeros
_D50 = struct.pack(">3i", 63190, 65536, 54061)
_PRIMARIES, _CURVES = (b"rXYZ", b"gXYZ", b"bXYZ"), (b"rTRC", b"gTRC", b"bTRC")
_TO_CONNECTION, _FROM_CONNECTION = (b"A2B0", b"A2B1", b"A2B2"), (b"B2A0", b"B2A1", b"B2A2")
_KEPT = {
    b"wtpt", b"chad", b"kTRC", b"cicp", b"gamt",
    *_PRIMARIES, *_CURVES, *_TO_CONNECTION, *_FROM_CONNECTION,
}  # fmt: skip
_NAME, _COPYRIGHT = "profile", "-"  # both are required


def reduced_profile(content: bytes) -> bytes | None:
    """Return a profile with the same colours and nothing else; None if the content is not a usable profile.

    The white point, the primaries, curves and tables are kept, each with the length that its type requires,
    as are the parts of the header about colours. Transforms in floating point (``D2Bx``), which few programs
    read, are dropped: a profile also has tables for them.

    Parameters
    ----------
    content : bytes

    Examples
    --------
    >>> from PIL import ImageCms
    >>> content = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    >>> b"built-in" in content.replace(bytes(1), b""), b"built-in" in reduced_profile(content)
    (True, False)
    """
    header, tags = _header(content), dict[bytes, bytes]()
    if header is None:
        return None
    try:
        for name, data in _tags(content):
            tag = exact(data) if name in _KEPT else b""
            if tag is None:
                return None
            if tag:
                tags.setdefault(name, tag)
    except _MalformedProfileError:
        return None
    if not _is_usable(header[16:20], tags):
        return None
    return _assembled(header, tags)


def profile_of_tags(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return a screen profile with these tags.

    Parameters
    ----------
    space : bytes
        ``RGB `` or ``GRAY``.
    tags : dict of bytes to bytes
        The data of the tags, by their names.
    """
    spaces = b"mntr" + space + b"XYZ "
    header = bytes(8) + b"\4\x20" + bytes(2) + spaces + _DATE + b"acsp" + bytes(28) + _D50 + bytes(48)
    return _assembled(header, tags)


class _MalformedProfileError(Exception):
    pass


def _tags(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the data of each tag.

    If bytes of a file were lost, other data can be in place of a profile, such as the metadata after it. So
    each tag has to begin with its type and four zeros.
    """
    (count,) = struct.unpack_from(">I", content, _HEADER)
    start = _HEADER + 4 + count * _ENTRY
    if not count or start > len(content):
        raise _MalformedProfileError
    for entry in range(_HEADER + 4, start, _ENTRY):
        name, offset, length = struct.unpack_from(">4sII", content, entry)
        data = content[offset : offset + length]
        kind = data[:4]
        is_typed = len(data) >= 8 and kind.isascii() and kind.decode("latin-1").isprintable()
        if offset < start or len(data) < length or not is_typed or any(data[4:8]):
            raise _MalformedProfileError
        yield name, data


def _header(content: bytes) -> bytes | None:
    """Return a header without its size, date, makers and programs; None if it is not of a picture."""
    if len(content) < _HEADER + 4 or int.from_bytes(content[:4]) != len(content) or content[36:40] != b"acsp":
        return None
    version, (kind, space, connection) = content[8:10], struct.unpack_from(">4s4s4s", content, 12)
    flags, attributes, intent = struct.unpack_from(">I8xQI", content, 44)
    if kind not in _CLASSES or space not in _SPACES or connection not in _CONNECTIONS or intent >= _INTENTS:
        return None
    return b"".join(
        (
            bytes(8), version, bytes(2), kind, space, connection, _DATE, b"acsp", bytes(4),
            struct.pack(">I8xQI", flags & _FLAGS, attributes & _ATTRIBUTES, intent), _D50, bytes(48),
        )
    )  # fmt: skip


def _is_usable(space: bytes, tags: Collection[bytes]) -> bool:
    """Return whether tags with these names define the colours of a space."""
    if any(name in tags for name in _TO_CONNECTION):
        return True
    if space == b"GRAY":
        return b"kTRC" in tags
    return space == b"RGB " and all(name in tags for name in (*_PRIMARIES, *_CURVES))


def _text(header: bytes, text: str) -> bytes:
    """Return the data of a tag with some ASCII text."""
    if header[8] >= 4:
        wide = text.encode("utf-16-be")
        return b"mluc" + struct.pack(">4xII4sII", 1, 12, b"enUS", len(wide), 28) + wide
    narrow = text.encode() + b"\0"
    if text == _COPYRIGHT:
        return b"text" + bytes(4) + narrow
    return b"desc" + struct.pack(">4xI", len(narrow)) + narrow + bytes(4 + 4 + 2 + 1 + 67)


def _assembled(header: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return a profile; equal data, such as three equal curves, is stored once."""
    tags = {b"desc": _text(header, _NAME), b"cprt": _text(header, _COPYRIGHT)} | tags
    start = _HEADER + 4 + len(tags) * _ENTRY
    places: dict[bytes, int] = {}
    data = bytearray()
    for tag in tags.values():
        if tag not in places:
            places[tag] = start + len(data)
            data += tag + bytes(-len(tag) % 4)
    table = b"".join(struct.pack(">4sII", name, places[tag], len(tag)) for name, tag in tags.items())
    size = start + len(data)
    return size.to_bytes(4) + header[4:] + len(tags).to_bytes(4) + table + data
