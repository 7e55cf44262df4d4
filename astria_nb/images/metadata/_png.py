"""PNG files without metadata (W3C, Portable Network Graphics, third edition)."""

from __future__ import annotations

import struct
import zlib

from astria_nb.images.media_type import PNG_SIGNATURE
from astria_nb.images.metadata import _orientation as orientation
from astria_nb.images.metadata._colour_profile import MAX_BYTES, reduced_profile
from astria_nb.images.metadata._file_parts import ImageReader, MalformedImageError, Part

_IMAGE_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"pHYs")
_COLOUR_CHUNKS = (
    b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST", b"sPLT",
)  # fmt: skip
_ALLOWED = {*_IMAGE_CHUNKS, *_COLOUR_CHUNKS}
_XMP = b"XML:com.adobe.xmp\0"
_BLOCK, _MAX_METADATA, _MAX_NAME = 2**18, 2**20, 79  # bytes
_MOST_STORED = 65535  # bytes of a block that is not compressed


def parts_to_keep(reader: ImageReader) -> list[Part]:
    """Return the parts of a PNG that make up the image."""
    parts: list[Part] = [range(len(PNG_SIGNATURE))]
    exif = xmp = b""
    offset, chunk_type, has_profile = len(PNG_SIGNATURE), b"", False
    while chunk_type != b"IEND":
        size, chunk_type = int.from_bytes(reader.read_exactly(offset, 4)), reader.read_exactly(offset + 4, 4)
        end = offset + 12 + size
        if not chunk_type.isalpha() or (offset == len(PNG_SIGNATURE) and chunk_type != b"IHDR"):
            raise MalformedImageError("is damaged")
        if end > reader.size:
            raise MalformedImageError("is incomplete")
        if chunk_type in _ALLOWED:
            _verify_checksum(reader, offset + 4, end)
            if chunk_type != b"iCCP":
                parts.append(range(offset, end))
            elif not has_profile:  # the first one counts
                parts.append(_profile_chunk(reader.read(offset + 8, min(size, MAX_BYTES))))
                has_profile = True
        elif chunk_type == b"eXIf" and not exif:
            exif = reader.read(offset + 8, min(size, _MAX_METADATA))
        elif chunk_type == b"iTXt" and not xmp:
            text = reader.read(offset + 8, min(size, _MAX_METADATA))
            xmp = text if text.startswith(_XMP) else b""
        offset = end
    value = orientation.read(exif, xmp)
    if value != 1:
        parts.insert(2, _chunk(b"eXIf", orientation.tiff(value)))
    return parts


def _verify_checksum(reader: ImageReader, offset: int, end: int) -> None:
    """Raise if a chunk's checksum is wrong: with a wrong length, a chunk could contain metadata behind it."""
    checksum, block = 0, memoryview(bytearray(min(_BLOCK, end - 4 - offset)))
    while offset < end - 4:
        buffer = block[: end - 4 - offset]
        if reader.read_into(offset, buffer) < len(buffer):
            raise MalformedImageError("is incomplete")
        checksum, offset = zlib.crc32(buffer, checksum), offset + len(buffer)
    if reader.read_exactly(end - 4, 4) != checksum.to_bytes(4):
        raise MalformedImageError("is damaged")


def _profile_chunk(content: bytes) -> bytes:
    """Return an iCCP chunk with the profile of another one; nothing if that contains anything else."""
    name, _, compressed = content.partition(b"\0")
    if not 1 <= len(name) <= _MAX_NAME or compressed[:1] != b"\0":  # 0: deflate
        return b""
    stream = zlib.decompressobj()
    try:
        profile = stream.decompress(compressed[1:], MAX_BYTES)
    except zlib.error:
        return b""
    if not stream.eof or stream.unused_data or (profile := reduced_profile(profile) or b"") == b"":
        return b""
    return _chunk(b"iCCP", b"icc\0\0" + _stored(profile))


def _stored(content: bytes) -> bytes:
    """Return a zlib stream of content that is not compressed: the same with every version of zlib."""
    starts = range(0, len(content), _MOST_STORED)
    blocks = (content[start : start + _MOST_STORED] for start in starts)
    return (
        b"\x78\x01"
        + b"".join(
            struct.pack("<BHH", start == starts[-1], len(block), len(block) ^ 0xFFFF) + block
            for start, block in zip(starts, blocks, strict=True)
        )
        + zlib.adler32(content).to_bytes(4)
    )


def _chunk(chunk_type: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(chunk_type + content)
    return len(content).to_bytes(4) + chunk_type + content + checksum.to_bytes(4)
