"""PNG files without metadata (W3C, Portable Network Graphics, third edition)."""

from __future__ import annotations

import zlib

from astria_nb.images.media_type import PNG_SIGNATURE
from astria_nb.images.metadata import _orientation as orientation
from astria_nb.images.metadata._colour_profile import MAX_BYTES, is_profile
from astria_nb.images.metadata._file_parts import ImageReader, MalformedImageError, Part

_IMAGE_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"pHYs")
_COLOUR_CHUNKS = (
    b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST", b"sPLT",
)  # fmt: skip
_ALLOWED = {*_IMAGE_CHUNKS, *_COLOUR_CHUNKS}
_XMP = b"XML:com.adobe.xmp\0"
_BLOCK, _MAX_METADATA, _MAX_NAME = 2**18, 2**20, 79  # bytes


def parts_to_keep(reader: ImageReader) -> list[Part]:
    """Return the parts of a PNG that make up the image."""
    parts: list[Part] = [range(len(PNG_SIGNATURE))]
    exif = xmp = b""
    offset, chunk_type = len(PNG_SIGNATURE), b""
    while chunk_type != b"IEND":
        size, chunk_type = int.from_bytes(reader.read_exactly(offset, 4)), reader.read_exactly(offset + 4, 4)
        end = offset + 12 + size
        if not chunk_type.isalpha() or (offset == len(PNG_SIGNATURE) and chunk_type != b"IHDR"):
            raise MalformedImageError("is damaged")
        if end > reader.size:
            raise MalformedImageError("is incomplete")
        if chunk_type in _ALLOWED:
            _verify_checksum(reader, offset + 4, end)
            if chunk_type != b"iCCP" or _is_profile(reader.read(offset + 8, min(size, MAX_BYTES))):
                parts.append(range(offset, end))
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


def _is_profile(content: bytes) -> bool:
    """Return whether an iCCP chunk contains a name, a compressed ICC profile and nothing else."""
    name, _, compressed = content.partition(b"\0")
    if not 1 <= len(name) <= _MAX_NAME or compressed[:1] != b"\0":  # 0: deflate
        return False
    stream = zlib.decompressobj()
    try:
        profile = stream.decompress(compressed[1:], MAX_BYTES)
    except zlib.error:
        return False
    return stream.eof and not stream.unused_data and is_profile(profile)


def _chunk(chunk_type: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(chunk_type + content)
    return len(content).to_bytes(4) + chunk_type + content + checksum.to_bytes(4)
