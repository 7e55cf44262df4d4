"""The segments of a JPEG that decoders need although they hold no picture: those of JFIF and of Adobe."""

from __future__ import annotations

from astria_nb.images.metadata._file_parts import Part

APP0, APP14 = 0xE0, 0xEE
JFIF, _ADOBE = b"JFIF\0", b"Adobe"
_JFIF_BYTES, _ADOBE_BYTES = 12, 12  # without the thumbnail of a JFIF segment
_JFIF_VERSIONS, _UNITS = (b"\1\1", b"\1\2", b"\1\0"), (b"\0", b"\1", b"\2")
_ADOBE_START = b"Adobe\0\x64\0\0\0\0"
# The version is 100 or 101, and only a few flags have a meaning.
_ADOBE_BYTES_ALLOWED = {
    5: (0,), 6: (100, 101), 7: (0, 0x40, 0x80, 0xC0), 8: (0,), 9: (0, 0x40, 0x80, 0xC0), 10: (0,)
}  # fmt: skip


def segment(marker: int, content: bytes) -> bytes:
    """Return a segment with its marker and length."""
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2) + content


def cleaned_segment(marker: int, head: bytes, place: range) -> Part:
    """Return what to keep of an APPn or COM segment; empty for most."""
    if marker == APP0 and head.startswith(JFIF) and len(head) >= _JFIF_BYTES:
        version, unit = head[5:7], head[7:8]
        version = version if version in _JFIF_VERSIONS else _JFIF_VERSIONS[0]
        unit = unit if unit in _UNITS else _UNITS[0]
        # A thumbnail of 0 by 0 pixels.
        cleaned = segment(marker, JFIF + version + unit + head[8:_JFIF_BYTES] + b"\0\0")
    elif marker == APP14 and head.startswith(_ADOBE) and len(head) >= _ADOBE_BYTES:
        has_words = any(head[place] not in allowed for place, allowed in _ADOBE_BYTES_ALLOWED.items())
        start = _ADOBE_START if has_words else head[: _ADOBE_BYTES - 1]
        cleaned = segment(marker, start + head[_ADOBE_BYTES - 1 : _ADOBE_BYTES])  # the colour transform
    else:
        return b""
    return place if len(cleaned) == len(place) and cleaned[4:] == head else cleaned
