"""Data after a compressed picture inside its WebP chunk; the format does not say where the picture ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from astria_nb.images._decoding import open_image

_Chunk = tuple[bytes, bytes]
"""Its type and its content."""
_RIFF_HEADER, _FRAME_HEADER = 12, 16  # bytes
_FRAME, _HEADER = b"ANMF", b"VP8X"
_COMPRESSED = (b"VP8 ", b"VP8L", b"ALPH")
_HAS_ALPHA = b"\x10\0\0\0"  # the flags of a VP8X chunk
# Measured with libwebp 1.2 to 1.6: its encoders write up to three bytes more than its decoder needs.
_SPARE = 3


def is_animated(content: bytes) -> bool:
    """Return whether a WebP has frames."""
    return any(kind == _FRAME for kind, _ in _chunks(content[_RIFF_HEADER:]))


def without_surplus(content: bytes) -> bytes:
    """Return a WebP with the same pixels and no data after them; the same one if there was none.

    It is decoded once completely, and once without the last bytes of each picture, which has to fail. The
    positions of an animation's frames are not checked.

    Parameters
    ----------
    content : bytes
        A WebP with all its chunks.

    Raises
    ------
    OSError
        It cannot be decoded.
    """
    chunks = list(_chunks(content[_RIFF_HEADER:]))
    if is_animated(content):
        shorter = [(kind, _frame(data) if kind == _FRAME else data) for kind, data in chunks]
    else:
        shorter = _shortened(chunks)
    return content if shorter == chunks else _webp(shorter)


def _frame(frame: bytes) -> bytes:
    """Return a frame of an animation, decoded as a separate picture."""
    header, sides = frame[:_FRAME_HEADER], frame[6:12]
    _, *chunks = _shortened([(_HEADER, _HAS_ALPHA + sides), *_chunks(frame[_FRAME_HEADER:])])
    return header + _joined(chunks)


def _shortened(chunks: list[_Chunk]) -> list[_Chunk]:
    """Return the chunks of one picture without the bytes after its data."""
    shortened, pixels = [*chunks], _pixels(chunks)
    for number, (kind, data) in enumerate(chunks):
        if kind not in _COMPRESSED:
            continue

        def is_enough(data: bytes, number: int = number, kind: bytes = kind) -> bool:
            try:
                return _pixels([*shortened[:number], (kind, data), *chunks[number + 1 :]]) == pixels
            except OSError:
                return False

        shortened[number] = kind, _needed(data, is_enough)
    return shortened


def _needed(data: bytes, is_enough: Callable[[bytes], bool]) -> bytes:
    """Return the shortest sufficient beginning of data, with as many zeros as an encoder may write."""
    low, high = 0, len(data) - _SPARE - 1
    if high <= 0 or not is_enough(data[:high]):
        return data
    while low < high:
        middle = (low + high) // 2
        if is_enough(data[:middle]):
            high = middle
        else:
            low = middle + 1
    return data[:high] + bytes(_SPARE)


def _pixels(chunks: list[_Chunk]) -> bytes:
    """Return a hash of a picture's pixels.

    Raises
    ------
    OSError
        It cannot be decoded.
    """
    with open_image(_webp(chunks)) as image:
        return hashlib.sha256(image.tobytes()).digest()


def _chunks(content: bytes) -> Iterator[_Chunk]:
    offset = 0
    while offset + 8 <= len(content):
        end = offset + 8 + int.from_bytes(content[offset + 4 : offset + 8], "little")
        yield content[offset : offset + 4], content[offset + 8 : end]
        offset = end + end % 2


def _joined(chunks: list[_Chunk]) -> bytes:
    return b"".join(
        kind + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2) for kind, data in chunks
    )


def _webp(chunks: list[_Chunk]) -> bytes:
    content = b"WEBP" + _joined(chunks)
    return b"RIFF" + len(content).to_bytes(4, "little") + content
