"""The compressed pixels of a PNG: what follows the end of their zlib stream is not shown by anything."""

from __future__ import annotations

import zlib

from astria_nb.images.metadata._file_parts import ImageReader

_BLOCK = 2**18  # bytes


def end_of_stream(reader: ImageReader, places: list[range]) -> tuple[int, int] | None:
    """Return where a zlib stream ends that is spread over several places.

    Parameters
    ----------
    reader : ImageReader
    places : list of range

    Returns
    -------
    tuple of (int, int) or None
        The number of the place, and the offset behind the stream's last byte. None if it does not end: the
        picture is damaged.
    """
    stream = zlib.decompressobj()
    for number, place in enumerate(places):
        for start in range(place.start, place.stop, _BLOCK):
            pending = reader.read(start, min(_BLOCK, place.stop - start))
            end = start + len(pending)
            try:
                while pending and not stream.eof:
                    stream.decompress(pending, _BLOCK)  # in bounded memory
                    pending = stream.unconsumed_tail
            except zlib.error:
                return None
            if stream.eof:
                return number, end - len(stream.unused_data)
    return None
