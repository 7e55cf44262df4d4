"""The frame header of a JPEG: how its picture was compressed, and its size (ITU T.81, B.2.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import SEEK_CUR
from typing import IO

FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""The markers of frame headers."""
_DHP = 0xDE  # begins a hierarchical JPEG, in the form of a frame header
_ORDINARY = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}  # baseline, extended, progressive; the last two arithmetic
_LOSSLESS = {0xC3, 0xCB}
_END_OF_HEADERS = {0xD8, 0xD9, 0xDA}  # SOI, EOI, SOS
_WITHOUT_LENGTH = {1, *range(0xD0, 0xD8)}  # TEM, RSTn
_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_STRAY = 64  # bytes that are searched for a marker at once


@dataclass(frozen=True, slots=True)
class JpegFrame:
    """The content of the first frame header of a JPEG.

    Attributes
    ----------
    marker : int
        Its second byte.
    precision : int
        Bits of a colour.
    height, width : int
        Pixels; the height is 0 if it follows the first scan.
    """

    marker: int
    precision: int
    height: int
    width: int

    @property
    def is_ordinary(self) -> bool:
        """Whether it is baseline or progressive with 8 bits: no other is passed to a decoder."""
        return self.marker in _ORDINARY and self.precision == 8 and 0 not in (self.height, self.width)

    @property
    def unusual_kind(self) -> str | None:
        """The kind of an unusual JPEG: a noun with its article. None if it is ordinary or damaged."""
        if self.marker in _LOSSLESS:
            return "a lossless JPEG"
        if self.marker not in _ORDINARY:
            return "a hierarchical JPEG"
        if self.precision == 12:
            return "a 12-bit JPEG"
        return None if self.height else "a JPEG whose height follows its pixels"


def read_frame(file: IO[bytes]) -> JpegFrame | None:
    """Return the frame that decoders find in a JPEG; None if there is none before the first scan.

    Segments are read as libjpeg does, which skips stray bytes between them.

    Parameters
    ----------
    file : IO
        Its position is moved.
    """
    file.seek(2)
    while (marker := _next_marker(file)) is not None and marker not in _END_OF_HEADERS:
        if marker in _WITHOUT_LENGTH:
            continue
        size = int.from_bytes(file.read(2))
        if marker in FRAMES or marker == _DHP:
            header = file.read(5)
            height, width = int.from_bytes(header[1:3]), int.from_bytes(header[3:5])
            return JpegFrame(marker, header[0], height, width) if len(header) == 5 else None
        file.seek(max(size - 2, 0), SEEK_CUR)
    return None


def _next_marker(file: IO[bytes]) -> int | None:
    while len(head := file.read(_STRAY)) >= 2:
        if found := _MARKER.search(head):
            file.seek(found.end() - len(head), SEEK_CUR)
            return found[0][1]
        file.seek(-1, SEEK_CUR)  # the marker continues
    return None
