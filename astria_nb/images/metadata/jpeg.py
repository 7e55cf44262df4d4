"""What stays of a JPEG file (ITU T.81; JFIF; Exif; Adobe's and ICC's segments)."""

from __future__ import annotations

from collections.abc import Callable

from astria_nb.images.metadata import orientation as turned
from astria_nb.images.metadata.pieces import Piece, Source, UncertainError

_EOI, _SOS = 0xD9, 0xDA
_JFIF, _EXIF, _ADOBE = b"JFIF\0", b"Exif\0\0", b"Adobe"
_XMP, _ICC = b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_JFIF_HEAD, _ADOBE_ALL = 12, 12  # bytes: what comes after is a thumbnail, or nothing
_COMMENT, _TEXTS = 0xFE, range(0xE0, 0xF0)
_BLOCK = 2**19  # measured: 5.6 GB a second; half of it 5.1, a quarter 4.6


def kept(source: Source) -> list[Piece]:
    """Return the pieces of a JPEG that make the picture."""
    pieces: list[Piece] = [range(2)]
    exif = xmp = b""
    at, place, in_scan = 2, 1, False
    while True:
        at, marker = _marker(source, at)
        if marker == _EOI:
            break
        end = at + 2 + int.from_bytes(source.exactly(at + 2, 2))
        if end < at + 4 or end > source.size:
            raise UncertainError("is cut off" if end > source.size else "is damaged")
        head = source.some(at + 4, min(end - at - 4, 32))
        if marker in _TEXTS or marker == _COMMENT:
            if marker == 0xE1 and head.startswith(_EXIF) and not exif:
                exif = source.some(at + 10, end - at - 10)
            elif marker == 0xE1 and head.startswith(_XMP) and not xmp:
                xmp = source.some(at + 4, end - at - 4)
            pieces.append(_text(marker, head, range(at, end)))
            place += at == 2 and head.startswith(_JFIF)  # which has to be the first
        elif not _is_sound(marker, source.some(at + 4, end - at - 4)):
            raise UncertainError("is damaged")
        else:
            pieces.append(range(at, end))
        at = end
        if marker == _SOS:
            in_scan = True
            at = _end_of_scan(source, end)
            pieces.append(range(end, at))
            if at == source.size:  # cut off, but in the picture: decoders show what there is of it
                break
    if not in_scan:
        raise UncertainError("holds no picture")
    pieces.append(range(at, min(at + 2, source.size)))
    orientation = turned.orientation(exif, xmp)
    if orientation != 1:
        pieces.insert(place, _segment(0xE1, _EXIF + turned.only(orientation)))
    return pieces


def _marker(source: Source, at: int) -> tuple[int, int]:
    """Return where the next marker is, and which; any number of 0xFF may come before."""
    while True:
        lead, marker = source.exactly(at, 2)
        if lead != 0xFF or marker == 0:
            raise UncertainError("is damaged")
        if marker != 0xFF:
            return at, marker
        at += 1


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2) + content


def _text(marker: int, head: bytes, place: range) -> Piece:
    """Return what stays of a segment that programs write for each other; most often nothing."""
    if marker == 0xE0 and head.startswith(_JFIF) and len(head) >= _JFIF_HEAD:
        plain = _segment(marker, head[:_JFIF_HEAD] + b"\0\0")  # no thumbnail
    elif marker == 0xEE and head.startswith(_ADOBE) and len(head) >= _ADOBE_ALL:
        plain = _segment(marker, head[:_ADOBE_ALL])  # tells how colours are meant
    elif marker == 0xE2 and head.startswith(_ICC):
        return place
    else:
        return b""
    return place if len(plain) == len(place) and plain[4:] == head else plain


def _end_of_scan(source: Source, at: int) -> int:
    """Return where the next marker is that ends coded data, or the file's end."""
    import numpy as np  # here, so that `astria_nb.client` does not pay for it

    block = bytearray(min(_BLOCK, source.size - at))
    values = np.frombuffer(block, np.uint8)
    found, follows = np.empty(len(values), bool), np.empty(len(values), bool)
    # An 0xFF in the data is followed by a zero; so only 0xFF before something else is looked at.
    while (count := source.fill(at, memoryview(block)) - 1) > 0:
        these, those = found[:count], follows[:count]
        np.equal(values[:count], 0xFF, out=these)
        np.not_equal(values[1 : count + 1], 0, out=those)
        np.logical_and(these, those, out=these)
        places = np.flatnonzero(these) if these.any() else ()
        for place in places:
            marker = values[place + 1]
            if marker != 0xFF and not 0xD0 <= marker <= 0xD7:  # a filler, or a mark to restart at
                return at + int(place)
        at += count
    return source.size


def _is_sound(marker: int, content: bytes) -> bool:
    """Tell whether a segment that decoders need is what its marker says, to the last byte."""
    check = _CHECKS.get(marker, _is_frame if 0xC0 <= marker <= 0xCF else None)
    return check is not None and check(content)


def _is_frame(content: bytes) -> bool:
    return len(content) > 5 and 1 <= content[5] <= 4 and len(content) == 6 + 3 * content[5]


def _is_scan(content: bytes) -> bool:
    return len(content) > 1 and 1 <= content[0] <= 4 and len(content) == 4 + 2 * content[0]


def _are_quantisers(content: bytes) -> bool:
    while content:
        if content[0] & 0xEF > 3:
            return False
        size = 129 if content[0] >> 4 else 65
        if len(content) < size:
            return False
        content = content[size:]
    return True


def _are_codes(content: bytes) -> bool:
    while content:
        size = 17 + sum(content[1:17])
        if content[0] & 0xEF > 3 or len(content) < size or size > 17 + 256:
            return False
        content = content[size:]
    return True


def _are_conditions(content: bytes) -> bool:
    return len(content) <= 16 and len(content) % 2 == 0 and all(each & 0xEF <= 3 for each in content[::2])


_CHECKS: dict[int, Callable[[bytes], bool]] = {
    0xC4: _are_codes,
    0xC8: lambda _: False,  # kept for extensions that nobody made
    0xCC: _are_conditions,  # of arithmetic coding
    _SOS: _is_scan,
    0xDB: _are_quantisers,
    0xDC: lambda content: len(content) == 2,  # the number of lines
    0xDD: lambda content: len(content) == 2,  # how often to restart
}
