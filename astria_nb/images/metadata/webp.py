"""What stays of a WebP file (RFC 9649)."""

from __future__ import annotations

from astria_nb.images.metadata import orientation as turned
from astria_nb.images.metadata.pieces import Piece, Source, UncertainError

_HEAD = 12  # bytes of RIFF, size, WEBP
_FLAGS_AT = 20  # of VP8X, which comes first where there is one
_PICTURE, _AROUND = (b"VP8 ", b"VP8L", b"ANMF"), (b"VP8X", b"ALPH", b"ANIM", b"ICCP")
_EXIF, _XMP = b"EXIF", b"XMP "
_FLAGS = {_EXIF: 0x08, _XMP: 0x04}  # by which a file promises them
_LARGEST_TEXT = 2**20


def kept(source: Source) -> list[Piece]:
    """Return the pieces of a WebP that make the picture."""
    stop = 8 + int.from_bytes(source.exactly(4, 4), "little")
    if stop > source.size:
        raise UncertainError("is cut off")
    picture: list[range] = []
    kinds: set[bytes] = set()
    texts: dict[bytes, bytes] = {}
    at = _HEAD
    while at < stop:
        kind, size = source.exactly(at, 4), int.from_bytes(source.exactly(at + 4, 4), "little")
        end = at + 8 + size
        if end > stop or not kind.isascii() or (kind == b"VP8X" and size != 10):
            raise UncertainError("is damaged")
        end += size % 2 and end < stop  # the last one may lack its filler
        if kind in _PICTURE or kind in _AROUND:
            picture.append(range(at, end))
        elif kind in _FLAGS:
            texts.setdefault(kind, source.some(at + 8, min(size, _LARGEST_TEXT)))
        kinds.add(kind)
        at = end
    if kinds.isdisjoint(_PICTURE):
        raise UncertainError("holds no picture")
    flags = source.exactly(_FLAGS_AT, 1)[0] if source.exactly(_HEAD, 4) == b"VP8X" else 0
    promised = [kind for kind, flag in _FLAGS.items() if flags & flag]
    if not kinds.issuperset(promised):
        # A chunk with a wrong length would let what comes behind it slip through.
        raise UncertainError("is damaged")
    return _put_together(source, picture, flags, {kind: texts[kind] for kind in promised})


def _put_together(source: Source, picture: list[range], flags: int, texts: dict[bytes, bytes]) -> list[Piece]:
    pieces: list[Piece] = [*picture]
    plain = flags & ~sum(_FLAGS.values())
    orientation = turned.orientation(
        texts.get(_EXIF, b"").removeprefix(b"Exif\0\0"),  # which some writers put before
        texts.get(_XMP, b""),
    )
    if orientation != 1:
        exif = turned.only(orientation)
        pieces.append(_EXIF + len(exif).to_bytes(4, "little") + exif)
        plain |= _FLAGS[_EXIF]
    if plain != flags:
        start, stop = picture[0].start, picture[0].stop
        pieces[:1] = [range(start, _FLAGS_AT), bytes([plain]), range(_FLAGS_AT + 1, stop)]
    head = b"RIFF" + (sum(map(len, pieces)) + 4).to_bytes(4, "little") + b"WEBP"
    return [range(_HEAD) if head == source.some(0, _HEAD) else head, *pieces]
