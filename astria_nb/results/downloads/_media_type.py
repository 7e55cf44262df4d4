"""The file type of a picture, by its content type and its first bytes."""

from __future__ import annotations

from mmap import ACCESS_READ, mmap
from typing import IO

from astria_nb.images import media_type as signatures

HEAD_BYTES = signatures.HEAD_BYTES
"""How many bytes of a file `suffix` needs."""
_END_OF_JPEG, _END_OF_PNG = b"\xff\xd9", b"IEND\xaeB`\x82"  # with its checksum
_MARKER, _START_OF_SCAN = 0xFF, 0xDA

_SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "image/heic": ".heic",
    "image/heif": ".heic",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
}
SUFFIXES = tuple(sorted(set(_SUFFIXES.values())))
"""All file suffixes of downloaded pictures."""


def suffix(content_type: str, head: bytes) -> str | None:
    """Return the suffix for a picture's file; None if its bytes are not those of a picture.

    Parameters
    ----------
    content_type : str
        Without parameters. If it is not known, the bytes decide.
    head : bytes
        The first `HEAD_BYTES`.

    Examples
    --------
    >>> suffix("binary/octet-stream", b"GIF89a"), suffix("image/jpeg", b"<!doctype html>")
    ('.gif', None)
    """
    by_bytes = _SUFFIXES.get(signatures.media_type(head) or "")
    return by_bytes and _SUFFIXES.get(content_type, by_bytes)


def is_truncated(file: IO[bytes], size: int) -> bool:
    """Return whether a JPEG, PNG or WebP lacks its end: a complete answer may hold what was cut before.

    Parameters
    ----------
    file : file
        With a descriptor; it may be read anywhere.
    size : int
        The size of the file in bytes.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    match signatures.media_type(head):
        case "image/jpeg":
            return not _has(file, size, _END_OF_JPEG)
        case "image/png":
            return not _has(file, size, _END_OF_PNG)
        case "image/webp":
            return size < int.from_bytes(head[4:8], "little") + 8
    return False


def _has(file: IO[bytes], size: int, end: bytes) -> bool:
    """Return whether a picture has its end, as a rule in its last bytes: some write more after it."""
    file.seek(max(0, size - len(end)))
    if file.read() == end:
        return True
    with mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        return content.find(end, _start_of_pixels(content) if end == _END_OF_JPEG else 0) >= 0


def _start_of_pixels(jpeg: mmap) -> int:
    """Return where the segments before the pixels end: a thumbnail in one of them has an end of its own."""
    position = 2
    while position + 4 <= len(jpeg) and jpeg[position] == _MARKER:
        length = int.from_bytes(jpeg[position + 2 : position + 4], "big")
        is_last = jpeg[position + 1] == _START_OF_SCAN
        position += 1 if jpeg[position + 1] == _MARKER else 2 + length  # a marker may be filled up
        if is_last:
            break
    return position
