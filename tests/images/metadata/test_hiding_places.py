"""What a format has room for beside the picture: nothing of it is sent, and the picture stays as it is."""

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from astria_nb.images.metadata import MalformedImageError
from helpers import photos_with_metadata as samples
from helpers.photos_with_metadata import ORIENTATION, PARTS, PLACE, chunk

Stripped = Callable[[bytes], bytes]
TIFF = samples.exif(6).tobytes().removeprefix(b"Exif\0\0")


def png(*chunks: bytes, before: bytes = b"IDAT", mode: str = "RGB") -> bytes:
    """Return a PNG of one IDAT with chunks before another one."""
    out = io.BytesIO()
    samples.picture(mode=mode).save(out, "PNG")
    content = out.getvalue()
    place = content.index(before) - 4
    return content[:place] + b"".join(chunks) + content[place:]


def has_nothing(content: bytes) -> bool:
    return not any(part in content for part in (*PARTS, zlib.compress(PLACE)[2:-4]))


def pixels(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        return image.tobytes()


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
TURNED = {
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


@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("turned", TURNED.values(), ids=TURNED)
def test_a_png_stays_the_right_way_up(stripped: Stripped, turned: bytes, before: bytes) -> None:
    photo = png(turned, before=before)
    plain = stripped(photo)
    with Image.open(io.BytesIO(plain)) as image:
        assert image.getexif()[ORIENTATION] == 6
    assert plain.index(b"eXIf") < plain.index(b"IDAT")
    assert has_nothing(plain)
    assert pixels(plain) == pixels(photo)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\nexif\n", b"\nexif\n 9\nzz", b"\nexif\n 9\n4d4d00", b"x" * 99]
)
def test_what_is_no_exif_is_upright(stripped: Stripped, content: bytes) -> None:
    for texts in (
        text(EXIF, content),
        chunk(b"zTXt", EXIF + b"\0\0" + content),
        chunk(b"iTXt", EXIF + b"\0\1"),
    ):
        assert stripped(png(texts)) == stripped(png())


LONGER = {
    b"pHYs": struct.pack(">IIB", 2835, 2835, 1), b"gAMA": struct.pack(">I", 45455), b"sRGB": b"\0",
    b"cHRM": struct.pack(">8I", *range(8)), b"cICP": bytes((12, 13, 0, 1)), b"sBIT": b"\10\10\10",
    b"bKGD": bytes(6), b"mDCV": bytes(24), b"cLLI": bytes(8),
}  # fmt: skip


@pytest.mark.parametrize("kind", LONGER)
def test_a_chunk_that_is_too_long_is_removed(stripped: Stripped, kind: bytes) -> None:
    assert kind in stripped(png(chunk(kind, LONGER[kind])))
    assert stripped(png(chunk(kind, LONGER[kind] + PLACE))) == stripped(png())


@pytest.mark.parametrize("kind", LONGER)
def test_a_chunk_that_is_repeated_is_sent_once(stripped: Stripped, kind: bytes) -> None:
    first = chunk(kind, LONGER[kind])
    words = chunk(kind, (PLACE * 2)[: len(LONGER[kind])])
    assert stripped(png(first, words, words)) == stripped(png(first))


@pytest.mark.parametrize(
    "hidden",
    [
        chunk(b"sPLT", PLACE + b"\0\10"),
        chunk(b"hIST", PLACE),
        chunk(b"PLTE", (PLACE * 3)[:72]),  # in a picture without a palette
        chunk(b"cHRM", (PLACE * 2)[:32]),
        chunk(b"iCCP", b"icc\0\0" + zlib.compress(PLACE * 20)),
        chunk(b"iCCP", PLACE + b"\0\0" + zlib.compress(PLACE)),
    ],
    ids=["palette name", "histogram", "palette", "colours", "profile", "profile name"],
)
def test_other_chunks_with_words_are_removed(stripped: Stripped, hidden: bytes) -> None:
    assert stripped(png(hidden)) == stripped(png())


def split(content: bytes, *sizes: int, kind: bytes = b"IDAT") -> bytes:
    """Return the content of a PNG's pixels in several chunks."""
    pieces, start = [], 0
    for size in (*sizes, len(content)):
        pieces.append(chunk(kind, content[start : start + size]))
        start += size
    return b"".join(pieces)


@pytest.mark.parametrize("sizes", [(), (10,), (1, 1, 0, 5), (400,)])
@pytest.mark.parametrize("behind", [PLACE, bytes(3), PLACE * 30])
def test_what_follows_the_pixels_of_a_png_is_removed(
    stripped: Stripped, sizes: tuple[int, ...], behind: bytes
) -> None:
    whole = png()
    start, end = whole.index(b"IDAT") - 4, whole.index(b"IEND") - 4
    data = whole[start + 8 : end - 4]
    photo = whole[:start] + split(data + behind, *sizes, len(data), 3) + whole[end:]
    plain = stripped(photo)
    assert has_nothing(plain)
    assert pixels(plain) == pixels(whole)
    assert len(plain) <= len(photo) - len(behind)
    assert stripped(plain) == plain


def test_what_follows_the_pixels_of_a_frame_is_removed(stripped: Stripped) -> None:
    animation = samples.animated("PNG")
    place = animation.index(b"fdAT") - 4
    size = int.from_bytes(animation[place : place + 4])
    content = animation[place + 8 : place + 8 + size]
    longer = animation[:place] + chunk(b"fdAT", content + PLACE) + animation[place + 12 + size :]
    assert stripped(longer) == stripped(animation)
    with Image.open(io.BytesIO(stripped(longer))) as image:
        assert image.n_frames == 3


def riff(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def webp(*chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + sum(map(len, chunks))) + b"WEBP" + b"".join(chunks)


def test_chunks_in_a_frame_of_a_webp_are_removed(stripped: Stripped) -> None:
    animation = samples.animated("WEBP")
    place = animation.index(b"ANMF")
    size = int.from_bytes(animation[place + 4 : place + 8], "little")
    content = animation[place + 8 : place + 8 + size]
    for hidden in (riff(b"XMP ", PLACE), riff(b"sofi", PLACE), riff(b"VP8 ", PLACE + b"\0")):
        chunks = animation[12:place], riff(b"ANMF", content + hidden), animation[place + 8 + size :]
        plain = stripped(webp(*chunks))
        assert plain == stripped(animation)
        with Image.open(io.BytesIO(plain)) as image:
            assert image.n_frames == 3


def test_a_second_picture_in_a_webp_is_removed(stripped: Stripped) -> None:
    out = io.BytesIO()
    samples.picture().save(out, "WEBP")
    photo = out.getvalue()
    assert stripped(webp(photo[12:], riff(b"VP8L", PLACE))) == stripped(photo)


@pytest.mark.parametrize(("kind", "size"), [(b"VP8X", 12), (b"ANIM", 30)])
def test_a_webp_with_a_longer_header_is_refused(stripped: Stripped, kind: bytes, size: int) -> None:
    animation = samples.animated("WEBP")
    place = animation.index(kind)
    shorter = int.from_bytes(animation[place + 4 : place + 8], "little")
    content = animation[place + 8 : place + 8 + shorter]
    rest = animation[12:place], riff(kind, content.ljust(size, b"x")), animation[place + 8 + shorter :]
    with pytest.raises(MalformedImageError, match="damaged"):
        stripped(webp(*rest))
