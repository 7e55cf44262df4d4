"""The chunks of a PNG that are kept, and what each can hold: anything longer, or text, is not kept."""

from __future__ import annotations

from collections.abc import Collection

DATA, REQUIRED, OF_ANIMATION = (b"IDAT", b"fdAT"), (b"IHDR", b"PLTE", b"IEND"), (b"acTL", b"fcTL")
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6  # colour types
_SIZES: dict[bytes, Collection[int]] = {
    b"IHDR": (13,), b"PLTE": range(3, 769, 3), b"IEND": (0,),
    b"acTL": (8,), b"fcTL": (26,), b"pHYs": (9,), b"cHRM": (32,), b"gAMA": (4,), b"sRGB": (1,), b"cICP": (4,),
}  # fmt: skip
_BY_COLOUR_TYPE: dict[bytes, dict[int, Collection[int]]] = {
    b"tRNS": {_GREY: (2,), _RGB: (6,), _PALETTE: range(1, 257)},
    b"sBIT": {_GREY: (1,), _RGB: (3,), _PALETTE: (3,), _GREY_ALPHA: (2,), _RGBA: (4,)},
    b"bKGD": {_GREY: (2,), _RGB: (6,), _PALETTE: (1,), _GREY_ALPHA: (2,), _RGBA: (6,)},
}
# Offsets of four-byte numbers; the first byte of each is small, while that of text is at least 32.
_NUMBERS: dict[bytes, Collection[int]] = {
    b"cHRM": range(0, 32, 4), b"gAMA": (0,), b"pHYs": (0, 4), b"acTL": (0, 4), b"fcTL": range(0, 20, 4),
}  # fmt: skip
_LARGEST_START, _LARGEST_CODE = 7, 31  # limits of a number, and of a code point or a kind
_DEEPEST, _SHALLOW = 16, 8  # bits


def has_right_size(kind: bytes, size: int, header: bytes) -> bool:
    """Return whether a chunk's kind is kept, and its size is possible for that kind.

    Parameters
    ----------
    kind : bytes
    size : int
        Size of its content.
    header : bytes
        The content of the IHDR chunk; empty before that was read.
    """
    if kind in _BY_COLOUR_TYPE:
        return bool(header) and size in _BY_COLOUR_TYPE[kind].get(header[9], ())
    return kind in DATA or size in _SIZES.get(kind, ())


def is_plausible(kind: bytes, content: bytes, header: bytes, colours: int) -> bool:
    """Return whether the content of a chunk of the right size fits its kind, and is not text.

    Parameters
    ----------
    kind, content : bytes
    header : bytes
        The content of the IHDR chunk.
    colours : int
        Number of colours in the palette before it.
    """
    depth, colour_type = (header[8], header[9]) if header else (_SHALLOW, _RGB)
    if kind == b"PLTE":  # in a picture without a palette, it only suggests colours for old screens
        return colour_type == _PALETTE
    if kind == b"sBIT":
        return all(1 <= bits <= (_SHALLOW if colour_type == _PALETTE else depth) for bits in content)
    if kind == b"tRNS" and colour_type == _PALETTE:
        return len(content) <= colours
    if kind == b"bKGD" and colour_type != _PALETTE and depth < _DEEPEST:
        return not any(content[::2])  # two-byte numbers
    if kind in (b"cICP", b"sRGB"):
        return max(content) <= _LARGEST_CODE
    return all(content[start] <= _LARGEST_START for start in _NUMBERS.get(kind, ()))


def most_colours(header: bytes) -> int:
    """Return how many colours the pixels of a picture with a palette can refer to."""
    return 1 << min(header[8], _SHALLOW)
