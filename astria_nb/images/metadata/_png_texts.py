"""EXIF and XMP data that programs put in the text chunks of a PNG."""

from __future__ import annotations

import zlib

from astria_nb.images.media_type import PNG_SIGNATURE

TYPES = (b"tEXt", b"zTXt", b"iTXt")
MAX_BYTES = 2**20
"""Longer texts are cut off."""
_XMP = b"XML:com.adobe.xmp"
_RAW_EXIF = (b"Raw profile type exif", b"Raw profile type APP1")  # written by ImageMagick, exiv2 and others
_RAW_XMP = b"Raw profile type xmp"
_EXIF_HEAD = b"Exif\0\0"


def without_texts(content: bytes) -> bytes | None:
    """Return a PNG without its text chunks; None if it is not a PNG, or has none."""
    if not content.startswith(PNG_SIGNATURE):
        return None
    parts, offset = [PNG_SIGNATURE], len(PNG_SIGNATURE)
    while offset < len(content):
        end = offset + 12 + int.from_bytes(content[offset : offset + 4])
        if content[offset + 4 : offset + 8] not in TYPES:
            parts.append(content[offset:end])
        offset = end
    without = b"".join(parts)
    return without if len(without) < len(content) else None


def exif_and_xmp(chunk_type: bytes, content: bytes) -> tuple[bytes, bytes]:
    """Return the EXIF data and the XMP packet that a text chunk contains; empty if it has none.

    Parameters
    ----------
    chunk_type : bytes
        ``tEXt``, ``zTXt`` or ``iTXt``.
    content : bytes
    """
    keyword, _, rest = content.partition(b"\0")
    if keyword == _XMP and chunk_type == b"iTXt":
        return b"", _international(rest)
    if keyword not in (*_RAW_EXIF, _RAW_XMP):
        return b"", b""
    text = _inflated(rest[1:]) if chunk_type == b"zTXt" else rest
    return of_raw_profile(keyword, _international(rest) if chunk_type == b"iTXt" else text)


def of_raw_profile(keyword: bytes, text: bytes) -> tuple[bytes, bytes]:
    r"""Return the EXIF data and the XMP packet in a text of a PNG; empty if it is not a raw profile.

    Parameters
    ----------
    keyword, text : bytes

    Examples
    --------
    >>> of_raw_profile(b"Raw profile type exif", b"\nexif\n    4\n4d4d002a\n")
    (b'MM\x00*', b'')
    """
    if keyword not in (*_RAW_EXIF, _RAW_XMP):
        return b"", b""
    raw = _raw(text)
    if keyword == _RAW_XMP:
        return b"", raw
    return (raw.removeprefix(_EXIF_HEAD), b"") if raw.startswith((_EXIF_HEAD, b"II", b"MM")) else (b"", raw)


def _international(content: bytes) -> bytes:
    """Return the text of an iTXt chunk from its content after the keyword."""
    is_compressed = content[:1] == b"\1"
    text = content[2:].split(b"\0", 2)[-1]  # after the language and the translated keyword
    return _inflated(text) if is_compressed else text


def _inflated(content: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, MAX_BYTES)
    except zlib.error:
        return b""


def _raw(text: bytes) -> bytes:
    """Return the bytes encoded as a name, a length and hexadecimal digits, as far as they are present."""
    lines = text.split(maxsplit=2)
    digits = b"".join(lines[2].split()) if len(lines) == 3 else b""
    end = next((place for place, digit in enumerate(digits) if digit not in b"0123456789abcdefABCDEF"), None)
    digits = digits[:end]
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode())
