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
from helpers.turned_photos import EXIF, TURNED_PNGS, png, text

Stripped = Callable[[bytes], bytes]


def has_nothing(content: bytes) -> bool:
    return not any(part in content for part in (*PARTS, zlib.compress(PLACE)[2:-4]))


def pixels(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        return image.tobytes()


@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("turned", TURNED_PNGS.values(), ids=TURNED_PNGS)
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
    b"bKGD": bytes(6), b"tRNS": bytes(6),
}  # fmt: skip
WORDS = PLACE.replace(b" ", b"") * 2


@pytest.mark.parametrize("kind", LONGER)
def test_a_chunk_that_is_too_long_is_removed(stripped: Stripped, kind: bytes) -> None:
    assert kind in stripped(png(chunk(kind, LONGER[kind])))
    assert stripped(png(chunk(kind, LONGER[kind] + PLACE))) == stripped(png())


@pytest.mark.parametrize("kind", LONGER)
def test_a_chunk_that_is_repeated_is_sent_once(stripped: Stripped, kind: bytes) -> None:
    first = chunk(kind, LONGER[kind])
    assert stripped(png(first, *[chunk(kind, WORDS[: len(LONGER[kind])])] * 2)) == stripped(png(first))


@pytest.mark.parametrize(
    "hidden",
    [
        chunk(b"sPLT", PLACE + b"\0\10"),
        chunk(b"hIST", PLACE),
        chunk(b"PLTE", (PLACE * 3)[:72]),  # in a picture without a palette
        chunk(b"iCCP", b"icc\0\0" + zlib.compress(PLACE * 20)),
        chunk(b"iCCP", PLACE + b"\0\0" + zlib.compress(PLACE)),
        chunk(b"mDCV", WORDS[:24]),  # of the screen on which it was made
        chunk(b"cLLI", WORDS[:8]),
        *(chunk(kind, WORDS[: len(content)]) for kind, content in LONGER.items() if kind != b"tRNS"),
    ],
    ids=["palette name", "histogram", "palette", "profile", "profile name", "screen", "light", *LONGER][:-1],
)
def test_other_chunks_with_words_are_removed(stripped: Stripped, hidden: bytes) -> None:
    assert stripped(png(hidden)) == stripped(png())


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_transparency_is_as_long_as_the_colours_have_it(stripped: Stripped, mode: str) -> None:
    for size in (1, 6, 24):
        assert stripped(png(chunk(b"tRNS", WORDS[:size]), mode=mode)) == stripped(png(mode=mode))


def test_a_palette_has_only_colours_that_pixels_can_name(stripped: Stripped) -> None:
    out = io.BytesIO()
    samples.picture().quantize(4).save(out, "PNG", bits=2)
    photo = out.getvalue()
    start = photo.index(b"PLTE") - 4
    end = start + 12 + int.from_bytes(photo[start : start + 4])
    colours, alpha = photo[start + 8 : end - 4], chunk(b"tRNS", b"\x80\xff")
    longer = photo[:start] + chunk(b"PLTE", colours + PLACE) + alpha + photo[end:]
    assert stripped(longer) == photo[:end] + alpha + photo[end:]
    with_words = photo[:end] + chunk(b"tRNS", PLACE) + photo[end:]
    assert stripped(with_words) == photo


@pytest.mark.parametrize(
    "hidden", [chunk(b"fdAT", PLACE), chunk(b"acTL", PLACE[:8]), chunk(b"fcTL", WORDS[:26])]
)
def test_parts_of_an_animation_that_is_none_are_refused(stripped: Stripped, hidden: bytes) -> None:
    with pytest.raises(MalformedImageError, match="damaged"):
        stripped(png(hidden))


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


WORDS_OF_64 = (WORDS * 3)[:64]
VALUES = bytes(7) + bytes([100]) + bytes(8) + (PLACE * 5)[:100]  # of a Huffman table


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True, "optimize": True}], ids=["baseline", "progressive"]
)
def test_tables_that_no_scan_uses_are_removed(
    stripped: Stripped, mode: str, options: dict[str, bool]
) -> None:
    out = io.BytesIO()
    samples.picture(mode=mode).save(out, "JPEG", **options)
    photo = out.getvalue()
    assert stripped(photo) == photo
    unused = [
        samples.segment(0xDB, b"\3" + WORDS_OF_64),
        samples.segment(0xDB, b"\x13" + WORDS_OF_64 * 2 + b"\2" + WORDS_OF_64),
        samples.segment(0xDB, b"\0" + WORDS_OF_64),  # another one of its number follows
        samples.segment(0xC4, b"\3" + VALUES),
        samples.segment(0xC4, b"\2" + VALUES + b"\x13" + VALUES),
    ]
    for segment in unused:
        assert stripped(samples.with_segments(photo, segment)) == photo
        assert stripped(photo[:-2] + segment + photo[-2:]) == photo
    used = photo.index(b"\xff\xdb") + 4
    together = photo[:used] + b"\3" + WORDS_OF_64 + photo[used:]
    size = int.from_bytes(photo[used - 2 : used]) + 65
    assert stripped(together[: used - 2] + size.to_bytes(2) + together[used:]) == photo


def test_what_decoders_do_not_use_of_a_segment_that_they_need_is_neutral(stripped: Stripped) -> None:
    out = io.BytesIO()
    samples.picture().save(out, "JPEG")
    photo = out.getvalue()
    jfif = photo.index(b"JFIF\0") + 5
    words = photo[:jfif] + b"Sof" + photo[jfif + 3 :]  # in the place of its version and unit
    assert stripped(words) == photo
    plain = b"Adobe\0\x64\0\0\0\0\1"
    for adobe in (plain, b"Adobe\0\x64\x80\0\0\0\1", b"Adobe\0\x65\xc0\0\0\0\1"):
        with_segment = samples.with_segments(photo, samples.segment(0xEE, adobe))
        assert stripped(with_segment) == with_segment
    hidden = samples.with_segments(photo, samples.segment(0xEE, b"AdobeSofien\1"))
    assert stripped(hidden) == samples.with_segments(photo, samples.segment(0xEE, plain))
