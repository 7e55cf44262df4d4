"""The compressed pixels of a PNG: whether they are complete, and where they end."""

from __future__ import annotations

import zlib

from astria_nb.images.metadata._file_parts import DamagedImageError, ImageReader, MalformedImageError

_BLOCK = 2**18  # bytes
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
# First column and row, and steps, of each pass of an interlaced picture.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def unpacked_size(header: bytes, width: int, height: int) -> int:
    """Return the uncompressed size of a picture's pixels in bytes.

    Parameters
    ----------
    header : bytes
        The content of the IHDR chunk.
    width, height : int
        Size of the picture, which may be a frame of an animation.
    """
    depth, colour_type, is_interlaced = header[8], header[9], header[12]
    bits = depth * _CHANNELS.get(colour_type, 1)
    if not is_interlaced:
        return height * (1 + (width * bits + 7) // 8)
    size = 0
    for left, top, step, down in _PASSES:
        columns, rows = (width - left + step - 1) // step, (height - top + down - 1) // down
        size += max(rows, 0) * (1 + (columns * bits + 7) // 8) if columns > 0 else 0
    return size


def end_of_stream(reader: ImageReader, places: list[range], size: int) -> tuple[int, int]:
    """Return the end of a zlib stream that is spread over several places.

    Parameters
    ----------
    reader : ImageReader
    places : list of range
    size : int
        Uncompressed bytes in the stream.

    Returns
    -------
    tuple of (int, int)
        The number of the place, and the offset after the stream's last byte.

    Raises
    ------
    DamagedImageError
        The stream does not end, or its checksum is wrong.
    MalformedImageError
        The stream holds more data, which no decoder shows.
    """
    stream = zlib.decompressobj()
    for number, place in enumerate(places):
        for start in range(place.start, place.stop, _BLOCK):
            pending = reader.read(start, min(_BLOCK, place.stop - start))
            end = start + len(pending)
            try:
                while pending and not stream.eof:
                    size -= len(stream.decompress(pending, _BLOCK))  # in bounded memory
                    pending = stream.unconsumed_tail
            except zlib.error:
                raise DamagedImageError("is damaged") from None
            if size < 0:
                raise MalformedImageError("holds more than its pixels")
            if stream.eof:
                if size > 0:
                    raise DamagedImageError("is incomplete")
                return number, end - len(stream.unused_data)
    raise DamagedImageError("is incomplete")
