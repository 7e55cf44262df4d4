"""What stays of a PNG file (W3C, Portable Network Graphics, third edition)."""

from __future__ import annotations

import zlib

from astria_nb.images.metadata import orientation as turned
from astria_nb.images.metadata.pieces import Piece, Source, UncertainError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# The picture, its transparency, its colours, its resolution, its animation.
_PICTURE = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT")
_COLOURS = (b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST", b"sPLT")
_KEPT = {*_PICTURE, *_COLOURS, b"pHYs"}
_XMP = b"XML:com.adobe.xmp\0"
_BLOCK, _LARGEST_TEXT = 2**18, 2**20


def kept(source: Source) -> list[Piece]:
    """Return the pieces of a PNG that make the picture."""
    pieces: list[Piece] = [range(len(SIGNATURE))]
    exif = xmp = b""
    at, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        size, kind = int.from_bytes(source.exactly(at, 4)), source.exactly(at + 4, 4)
        end = at + 12 + size
        if not kind.isalpha() or (at == len(SIGNATURE) and kind != b"IHDR"):
            raise UncertainError("is damaged")
        if end > source.size:
            raise UncertainError("is cut off")
        if kind in _KEPT:
            _compare(source, at + 4, end)
            pieces.append(range(at, end))
        elif kind == b"eXIf" and not exif:
            exif = source.some(at + 8, min(size, _LARGEST_TEXT))
        elif kind == b"iTXt" and not xmp:
            text = source.some(at + 8, min(size, _LARGEST_TEXT))
            xmp = text if text.startswith(_XMP) else b""
        at = end
    orientation = turned.orientation(exif, xmp)
    if orientation != 1:
        pieces.insert(2, _chunk(b"eXIf", turned.only(orientation)))
    return pieces


def _compare(source: Source, at: int, end: int) -> None:
    """Refuse a chunk with a wrong checksum: a wrong length would let what comes behind it slip through."""
    found, block = 0, memoryview(bytearray(min(_BLOCK, end - 4 - at)))
    while at < end - 4:
        part = block[: end - 4 - at]
        if source.fill(at, part) < len(part):
            raise UncertainError("is cut off")
        found, at = zlib.crc32(part, found), at + len(part)
    if source.exactly(end - 4, 4) != found.to_bytes(4):
        raise UncertainError("is damaged")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)
