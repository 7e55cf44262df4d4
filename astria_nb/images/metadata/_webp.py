"""WebP files without metadata (RFC 9649)."""

from __future__ import annotations

from collections.abc import Iterator

from astria_nb.images.metadata import _orientation as orientation
from astria_nb.images.metadata._colour_profile import MAX_BYTES, reduced_profile
from astria_nb.images.metadata._file_parts import ImageReader, MalformedImageError, Part

_RIFF_HEADER = 12  # bytes: RIFF, size, WEBP
_FLAGS_OFFSET = 20  # of the VP8X chunk, which is the first chunk if there is one
_FRAME, _FRAME_HEADER = b"ANMF", 16
_IMAGES, _ALPHA = (b"VP8 ", b"VP8L"), b"ALPH"
_OTHER_CHUNKS = (b"VP8X", _ALPHA, b"ANIM")
_SIZES = {b"VP8X": 10, b"ANIM": 6}
_EXIF, _XMP, _ICC = b"EXIF", b"XMP ", b"ICCP"
_FLAGS = {_EXIF: 0x08, _XMP: 0x04}  # bits of the VP8X chunk that announce metadata chunks
_ICC_FLAG = 0x20
_MAX_METADATA = 2**20  # bytes


def parts_to_keep(reader: ImageReader, *, verifies_data: bool) -> list[Part]:  # noqa: ARG001  a PNG's
    """Return the parts of a WebP that make up the image."""
    chunks: list[Part] = []
    chunk_types: set[bytes] = set()
    metadata: dict[bytes, bytes] = {}
    has_profile = False
    stop = 8 + int.from_bytes(reader.read_exactly(4, 4), "little")
    if stop > reader.size:
        raise MalformedImageError("is incomplete")
    for chunk_type, size, chunk in _read_chunks(reader, _RIFF_HEADER, stop):
        if chunk_type == _ICC:
            profile = None
            if _ICC not in chunk_types:  # the first one counts
                profile = reduced_profile(reader.read(chunk.start + 8, min(size, MAX_BYTES)))
            if profile is not None:
                chunks.append(_ICC + len(profile).to_bytes(4, "little") + profile + bytes(len(profile) % 2))
                has_profile = True
        elif chunk_type == _FRAME:
            chunks += _frame(reader, chunk)
        elif chunk_type in _IMAGES:
            if chunk_types.isdisjoint(_IMAGES):  # decoders show the first one
                chunks.append(chunk)
        elif chunk_type in _OTHER_CHUNKS and chunk_type not in chunk_types:
            chunks.append(chunk)
        elif chunk_type in _FLAGS:
            metadata.setdefault(chunk_type, reader.read(chunk.start + 8, min(size, _MAX_METADATA)))
        chunk_types.add(chunk_type)
    if chunk_types.isdisjoint((*_IMAGES, _FRAME)):
        raise MalformedImageError("contains no image data")
    has_flags = reader.read_exactly(_RIFF_HEADER, 4) == b"VP8X"
    flags = reader.read_exactly(_FLAGS_OFFSET, 1)[0] if has_flags else 0
    announced = [chunk_type for chunk_type, flag in _FLAGS.items() if flags & flag]
    if not chunk_types.issuperset(announced):
        # With a wrong length, an image chunk could contain the missing metadata chunk.
        raise MalformedImageError("is damaged")
    announced_metadata = {chunk_type: metadata[chunk_type] for chunk_type in announced}
    removed = 0 if has_profile else _ICC_FLAG
    return _assemble(reader, chunks, flags, removed, announced_metadata)


def _read_chunks(reader: ImageReader, offset: int, stop: int) -> Iterator[tuple[bytes, int, range]]:
    """Yield the type, the content's size and the place of each chunk between two offsets."""
    while offset < stop:
        chunk_type = reader.read_exactly(offset, 4)
        size = int.from_bytes(reader.read_exactly(offset + 4, 4), "little")
        end = offset + 8 + size
        if end > stop or not chunk_type.isascii() or size != _SIZES.get(chunk_type, size):
            raise MalformedImageError("is damaged")
        end += size % 2 and end < stop  # the padding byte of the last chunk may be missing
        yield chunk_type, size, range(offset, end)
        offset = end


def _frame(reader: ImageReader, chunk: range) -> list[Part]:
    """Return the parts of a frame of an animation: its position, its duration and its image."""
    size = int.from_bytes(reader.read_exactly(chunk.start + 4, 4), "little")
    start, stop = chunk.start + 8 + _FRAME_HEADER, chunk.start + 8 + size
    if start > stop:
        raise MalformedImageError("is damaged")
    chunks = [(kind, place) for kind, _, place in _read_chunks(reader, start, stop)]
    alpha = [place for kind, place in chunks if kind == _ALPHA]
    image = [place for kind, place in chunks if kind in _IMAGES]
    parts = [range(start - _FRAME_HEADER, start), *alpha[:1], *image[:1]]
    new_size = sum(map(len, parts))
    padding = bytes(new_size % 2)
    return [_FRAME + new_size.to_bytes(4, "little"), *parts, padding]


def _assemble(
    reader: ImageReader, chunks: list[Part], flags: int, removed: int, metadata: dict[bytes, bytes]
) -> list[Part]:
    """Return the chunks with an orientation if there was one, and with matching flags and size."""
    parts: list[Part] = [*chunks]
    new_flags = flags & ~removed & ~sum(_FLAGS.values())
    value = orientation.read(
        metadata.get(_EXIF, b"").removeprefix(b"Exif\0\0"),  # some programs put it there
        metadata.get(_XMP, b""),
    )
    if value != 1:
        exif = orientation.tiff(value)
        parts.append(_EXIF + len(exif).to_bytes(4, "little") + exif)
        new_flags |= _FLAGS[_EXIF]
    if new_flags != flags and isinstance(first := chunks[0], range):
        parts[:1] = [
            range(first.start, _FLAGS_OFFSET), bytes([new_flags]), range(_FLAGS_OFFSET + 1, first.stop)
        ]  # fmt: skip
    header = b"RIFF" + (sum(map(len, parts)) + 4).to_bytes(4, "little") + b"WEBP"
    return [range(_RIFF_HEADER) if header == reader.read(0, _RIFF_HEADER) else header, *parts]
