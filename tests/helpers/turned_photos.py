"""Photos that note in each way that programs use that they are to be turned by a quarter."""

import io
import zlib
from functools import cache

from helpers import photos_with_metadata as samples
from helpers.photos_with_metadata import chunk

TIFF = samples.exif(6).tobytes().removeprefix(b"Exif\0\0")


def png(
    *chunks: bytes, before: bytes = b"IDAT", mode: str = "RGB", size: tuple[int, int] = (80, 60)
) -> bytes:
    """Return a PNG of one IDAT with chunks before another one."""
    content = _png(mode, size)
    place = content.index(before) - 4
    return content[:place] + b"".join(chunks) + content[place:]


@cache
def _png(mode: str, size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    samples.picture(size, mode).save(out, "PNG")
    return out.getvalue()


def raw_profile(kind: str, content: bytes, *, end: bytes = b"") -> bytes:
    digits = content.hex().encode()
    lines = b"\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    return b"\n%s\n%8d\n" % (kind.encode(), len(content)) + lines + b"\n" + end


def text(keyword: bytes, content: bytes) -> bytes:
    return chunk(b"tEXt", keyword + b"\0" + content)


def compressed(keyword: bytes, content: bytes) -> bytes:
    return chunk(b"zTXt", keyword + b"\0\0" + zlib.compress(content))


def international(keyword: bytes, content: bytes, *, is_compressed: bool = False) -> bytes:
    content = zlib.compress(content) if is_compressed else content
    return chunk(b"iTXt", keyword + bytes((0, is_compressed, 0)) + b"de\0Titel\0" + content)


EXIF, XMP = b"Raw profile type exif", b"XML:com.adobe.xmp"
TURNED_PNGS = {
    "exif as text": text(EXIF, raw_profile("exif", b"Exif\0\0" + TIFF)),
    "exif without its head": text(EXIF, raw_profile("exif", TIFF)),
    "exif, compressed": compressed(EXIF, raw_profile("exif", b"Exif\0\0" + TIFF)),
    "exif in APP1": compressed(b"Raw profile type APP1", raw_profile("APP1", b"Exif\0\0" + TIFF)),
    "exif with an odd end": text(EXIF, raw_profile("exif", TIFF, end=b"zz")),
    "exif as international text": international(EXIF, raw_profile("exif", TIFF), is_compressed=True),
    "xmp": international(XMP, samples.xmp(6)),
    "xmp, compressed": international(XMP, samples.xmp(6), is_compressed=True),
    "xmp in APP1": compressed(b"Raw profile type APP1", raw_profile("APP1", samples.xmp(6))),
    "xmp as a raw profile": compressed(b"Raw profile type xmp", raw_profile("xmp", samples.xmp(6))),
    "xmp in single quotes": international(XMP, samples.xmp(6).replace(b'"', b"'")),
    "eXIf": chunk(b"eXIf", TIFF),
    "eXIf and text": chunk(b"eXIf", TIFF) + text(EXIF, raw_profile("exif", samples.exif(3).tobytes())),
    "text and eXIf": text(EXIF, raw_profile("exif", samples.exif(3).tobytes())) + chunk(b"eXIf", TIFF),
}
"""Chunks, by what is in them."""
