"""PNG files without metadata (W3C, Portable Network Graphics, third edition)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO

from astria_nb.images.media_type import PNG_SIGNATURE
from astria_nb.images.metadata import _orientation as orientation
from astria_nb.images.metadata import _png_chunks as kinds
from astria_nb.images.metadata._colour_profile import MAX_BYTES, reduced_profile
from astria_nb.images.metadata._file_parts import ImageReader, MalformedImageError, Part
from astria_nb.images.metadata._png_data import end_of_stream, unpacked_size
from astria_nb.images.metadata._png_texts import MAX_BYTES as _MAX_TEXT
from astria_nb.images.metadata._png_texts import TYPES as TEXT_TYPES
from astria_nb.images.metadata._png_texts import exif_and_xmp

_BLOCK, _MAX_NAME = 2**18, 79  # bytes
_MOST_STORED = 65535  # bytes of an uncompressed block


def parts_to_keep(reader: ImageReader, *, verifies_data: bool) -> list[Part]:
    """Return the parts of a PNG that make up the image."""
    image = _PngParts(reader)
    for chunk_type, content, chunk in _read_chunks(reader):
        image.add(chunk_type, content, chunk)
    if verifies_data:
        image.verify_data()
    return image.complete()


def coding_points(file: FileIO) -> tuple[int, int] | None:
    """Return the code points of primaries and transfer characteristics in a PNG's cICP; None without one."""
    reader = ImageReader(file)
    with suppress(MalformedImageError):
        for chunk_type, content, _ in _read_chunks(reader):
            if chunk_type == b"cICP" and len(content) == 4:
                primaries, transfer = reader.read_exactly(content.start, 2)
                return primaries, transfer
            if chunk_type == b"IDAT":
                break
    return None


class _PngParts:
    """The parts of a PNG that are kept, and the orientation in its other chunks."""

    def __init__(self, reader: ImageReader) -> None:
        self._reader = reader
        self._parts: list[Part] = [range(len(PNG_SIGNATURE))]
        self._exif, self._xmp = list[bytes](), list[bytes]()  # the one that takes precedence comes first
        # The numbers of the parts with the pixels of each picture; an animation has several pictures.
        # With their unpacked size in bytes.
        self._pictures: list[tuple[int, list[int]]] = []
        self._header, self._colours = b"", 0
        self._has_profile = False
        self._kept_once = set[bytes]()

    def add(self, chunk_type: bytes, content: range, chunk: range) -> None:
        """Keep a chunk, or the needed part of it."""
        is_kept = kinds.has_right_size(chunk_type, len(content), self._header)
        if is_kept or chunk_type == b"iCCP":
            _verify_checksum(self._reader, chunk.start + 4, chunk.stop)
        if is_kept:
            self._keep(chunk_type, content, chunk)
        elif chunk_type in kinds.REQUIRED:
            raise MalformedImageError("is damaged")
        elif chunk_type == b"iCCP" and not self._has_profile:  # the first one counts
            self._parts.append(_profile_chunk(self._read(content, MAX_BYTES)))
            self._has_profile = True
        elif chunk_type == b"eXIf":
            self._exif.insert(0, self._read(content, _MAX_TEXT))
        elif chunk_type in TEXT_TYPES:
            exif, xmp = exif_and_xmp(chunk_type, self._read(content, _MAX_TEXT))
            self._exif += [exif] if exif else []
            self._xmp += [xmp] if xmp else []

    def verify_data(self) -> None:
        """Decompress the pixels, and remove the data after their end."""
        for size, numbers in self._pictures:
            _cut_off(self._reader, self._parts, numbers, size)

    def complete(self) -> list[Part]:
        """Return the parts, with the orientation."""
        value = orientation.read(b"".join(self._exif[:1]), b"".join(self._xmp[:1]))
        if value != 1:
            self._parts.insert(2, _chunk(b"eXIf", orientation.tiff(value)))
        return self._parts

    def _keep(self, chunk_type: bytes, content: range, chunk: range) -> None:
        is_data = chunk_type in kinds.DATA
        data = b"" if is_data else self._read(content, len(content))
        if chunk_type == b"IHDR":
            self._header = data
        if chunk_type in self._kept_once:  # decoders read the first one
            return
        if not is_data and not kinds.is_plausible(chunk_type, data, self._header, self._colours):
            if chunk_type in kinds.OF_ANIMATION:
                raise MalformedImageError("is damaged")
            return
        if chunk_type == b"fcTL":
            self._begin_picture(data[4:12])
        elif not is_data:
            self._kept_once.add(chunk_type)
        elif chunk_type == b"IDAT" and not self._pictures:
            self._begin_picture(self._header[:8])
        if is_data:
            if not self._pictures:  # belongs to an animation that has not begun
                raise MalformedImageError("is damaged")
            self._pictures[-1][1].append(len(self._parts))
        self._parts.append(self._palette(data, chunk) if chunk_type == b"PLTE" else chunk)

    def _palette(self, colours: bytes, chunk: range) -> Part:
        """Return a palette without the colours that no pixel can refer to."""
        self._colours = min(len(colours) // 3, kinds.most_colours(self._header))
        size = 3 * self._colours
        return chunk if size == len(colours) else _chunk(b"PLTE", colours[:size])

    def _begin_picture(self, sides: bytes) -> None:
        self._pictures.append((unpacked_size(self._header, *struct.unpack(">2I", sides)), []))

    def _read(self, content: range, most: int) -> bytes:
        return self._reader.read(content.start, min(len(content), most))


def _read_chunks(reader: ImageReader) -> Iterator[tuple[bytes, range, range]]:
    """Yield the type of each chunk, the range of its content and that of the whole chunk."""
    offset, chunk_type = len(PNG_SIGNATURE), b""
    while chunk_type != b"IEND":
        size, chunk_type = int.from_bytes(reader.read_exactly(offset, 4)), reader.read_exactly(offset + 4, 4)
        end = offset + 12 + size
        if not chunk_type.isalpha() or (offset == len(PNG_SIGNATURE) and chunk_type != b"IHDR"):
            raise MalformedImageError("is damaged")
        if end > reader.size:
            raise MalformedImageError("is incomplete")
        yield chunk_type, range(offset + 8, end - 4), range(offset, end)
        offset = end


def _cut_off(reader: ImageReader, parts: list[Part], numbers: list[int], size: int) -> None:
    """Remove the data after the end of the stream from chunks of compressed pixels."""
    chunks = {number: part for number in numbers if isinstance(part := parts[number], range)}
    heads = {number: reader.read_exactly(chunk.start, 8) for number, chunk in chunks.items()}
    skipped = {number: 8 if head.endswith(b"IDAT") else 12 for number, head in heads.items()}
    places = [range(chunk.start + skipped[number], chunk.stop - 4) for number, chunk in chunks.items()]
    last, stop = end_of_stream(reader, places, size)
    for number in numbers[last + 1 :]:
        parts[number] = b""
    chunk = chunks[numbers[last]]
    if stop != chunk.stop - 4:
        content = reader.read(chunk.start + 8, stop - chunk.start - 8)
        parts[numbers[last]] = _chunk(heads[numbers[last]][4:], content)


def _verify_checksum(reader: ImageReader, offset: int, end: int) -> None:
    """Raise if a chunk's checksum is wrong: with a wrong length, it could include the metadata after it."""
    checksum, block = 0, memoryview(bytearray(min(_BLOCK, end - 4 - offset)))
    while offset < end - 4:
        buffer = block[: end - 4 - offset]
        if reader.read_into(offset, buffer) < len(buffer):
            raise MalformedImageError("is incomplete")
        checksum, offset = zlib.crc32(buffer, checksum), offset + len(buffer)
    if reader.read_exactly(end - 4, 4) != checksum.to_bytes(4):
        raise MalformedImageError("is damaged")


def _profile_chunk(content: bytes) -> bytes:
    """Return an iCCP chunk with the reduced profile of another one; empty if that has no usable profile."""
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
    """Return a zlib stream with uncompressed content: the same with every version of zlib."""
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
