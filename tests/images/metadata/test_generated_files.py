"""Files with secrets in whatever a format has room for: none of them is sent, and no pixel is changed."""

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers import photos_with_metadata as samples
from helpers.photos_with_metadata import PARTS, PLACE, chunk, segment
from helpers.profiles import KINDS_BY_NAME, WORDS
from helpers.soak import sizes

Stripped = Callable[[bytes], bytes]
SECRETS = (*PARTS, b"DELL P23", b"7F3KQ42", b"7F3K", zlib.compress(PLACE)[2:-4], PLACE.hex().encode())
TIFF = samples.exif(6).tobytes().removeprefix(b"Exif\0\0")
PROFILES = [profile for mode, profile in KINDS_BY_NAME.values() if mode == "RGB"][::5]
EXTENDED = b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + struct.pack(">2I", len(PLACE), 0)
OF_SEGMENTS = [
    b"", b"Exif\0\0" + TIFF, b"http://ns.adobe.com/xap/1.0/\0", EXTENDED, b"Photoshop 3.0\x008BIM\4\4\0\0",
    b"JFIF\0", b"JFXX\0\x10", b"ICC_PROFILE\0\1\1", b"ICC_PROFILE\0\2\3", b"MPF\0", b"FPXR\0", b"Ducky\0",
    b"Adobe\0", b"JP\0\0", b"GoPro\0", b"urn:iso:std:iso:ts:21496:-1\0",
]  # fmt: skip
MARKERS = [*range(0xE1, 0xEE), 0xEF, 0xFE]
KEYWORDS = [b"Comment", b"XML:com.adobe.xmp", b"Raw profile type exif", b"Raw profile type iptc", b"Author"]
OTHER_CHUNKS = [b"tIME", b"prVt", b"zzZz", b"hIST", b"sPLT", b"caBX", b"iDOT", b"vpAg", b"orNT", b"dSIG"]


def jpegs() -> list[bytes]:
    out = []
    for mode, options in (
        ("RGB", {}),
        ("L", {}),
        ("CMYK", {}),
        ("RGB", {"progressive": True, "subsampling": 0}),
    ):
        file = io.BytesIO()
        samples.picture((40, 30)).convert(mode).save(file, "JPEG", **options)
        out.append(file.getvalue())
    return out


def pictures(kind: str) -> list[bytes]:
    files = [io.BytesIO() for _ in range(3)]
    for file, mode in zip(files, ("RGB", "RGBA", "L"), strict=True):
        samples.picture((40, 30)).convert(mode).save(file, kind, lossless=True)
    return [file.getvalue() for file in files]


JPEGS, PNGS, WEBPS = jpegs(), pictures("PNG"), pictures("WEBP")
UNUSED_TABLES = [
    segment(0xDB, b"\3" + (PLACE * 3)[:64]),
    segment(0xC4, b"\x13" + bytes(7) + bytes([72]) + bytes(8) + PLACE * 3),
]
segments = (
    st.builds(
        lambda marker, head, secret: segment(marker, head + secret),
        *(
            st.sampled_from(MARKERS),
            st.sampled_from(OF_SEGMENTS),
            st.sampled_from([PLACE, WORDS, PLACE * 30]),
        ),
    )
    | st.sampled_from(UNUSED_TABLES)
    | st.builds(
        lambda profile: segment(0xE2, b"ICC_PROFILE\0\1\1" + profile),
        st.sampled_from([profile for profile in PROFILES if len(profile) < 60000]),
    )
)


def as_text(keyword: bytes, kind: bytes) -> bytes:
    if kind == b"zTXt":
        return chunk(kind, keyword + b"\0\0" + zlib.compress(PLACE))
    if kind == b"iTXt":
        return chunk(kind, keyword + b"\0\1\0de\0" + PLACE + b"\0" + zlib.compress(PLACE))
    return chunk(kind, keyword + b"\0\nexif\n%8d\n" % len(PLACE) + PLACE.hex().encode() + b"\n" + PLACE)


chunks = (
    st.builds(as_text, st.sampled_from(KEYWORDS), st.sampled_from([b"tEXt", b"zTXt", b"iTXt"]))
    | st.builds(lambda kind: chunk(kind, PLACE), st.sampled_from(OTHER_CHUNKS))
    | st.builds(
        lambda kind, count: chunk(kind, bytes(count) + WORDS),
        *(
            st.sampled_from([b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"tRNS", b"bKGD"]),
            st.integers(0, 40),
        ),
    )
    | st.builds(
        lambda kind, size: chunk(kind, (PLACE * 2)[:size]),
        *(
            st.sampled_from([b"cHRM", b"mDCV", b"cLLI", b"bKGD", b"sBIT", b"pHYs"]),
            st.sampled_from([6, 8, 9, 24, 32]),
        ),
    )
    | st.just(chunk(b"eXIf", TIFF))
    | st.builds(
        lambda profile: chunk(b"iCCP", b"DELL P2319H\0\0" + zlib.compress(profile)), st.sampled_from(PROFILES)
    )
)


def riff(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


riff_chunks = st.builds(
    riff,
    st.sampled_from([b"EXIF", b"XMP ", b"ICCP", b"XYZ ", b"junk", b"META"]),
    st.sampled_from([PLACE, TIFF, samples.xmp(), WORDS, *PROFILES]),
)


def check(stripped: Stripped, photo: bytes, original: bytes) -> None:
    sent = stripped(photo)
    assert [secret for secret in SECRETS if secret in sent] == []
    with Image.open(io.BytesIO(sent)) as after, Image.open(io.BytesIO(original)) as before:
        assert (after.mode, after.tobytes()) == (before.mode, before.tobytes())
        with Image.open(io.BytesIO(sent)) as again:
            profile = again.info.get("icc_profile") or b""
    assert [secret for secret in SECRETS if secret in profile] == []


@pytest.mark.slow
@sizes(100, 1000)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP"])
def test_no_secret_is_sent_and_no_pixel_changed(stripped: Stripped, kind: str, size: int) -> None:
    after = st.sampled_from([b"", PLACE, WORDS * 9, b"\0" * 5 + PLACE])

    @settings(max_examples=size, deadline=None, database=None)
    @given(st.sampled_from(JPEGS), st.lists(segments, max_size=4), st.lists(segments, max_size=2), after)
    def jpeg(original: bytes, first: list[bytes], later: list[bytes], end: bytes) -> None:
        photo = samples.with_segments(original, *first)
        check(stripped, samples.with_segments(photo, *later, at=b"\xff\xda") + end, original)

    @settings(max_examples=size, deadline=None, database=None)
    @given(st.sampled_from(PNGS), st.lists(chunks, max_size=4), st.lists(chunks, max_size=2), after)
    def png(original: bytes, first: list[bytes], later: list[bytes], end: bytes) -> None:
        places = original.index(b"IDAT") - 4, original.index(b"IEND") - 4
        photo = original[: places[0]] + b"".join(first) + original[places[0] : places[1]]
        check(stripped, photo + b"".join(later) + original[places[1] :] + end, original)

    @settings(max_examples=size, deadline=None, database=None)
    @given(st.sampled_from(WEBPS), st.lists(riff_chunks, max_size=4), after)
    def webp(original: bytes, more: list[bytes], end: bytes) -> None:
        content = original[8:] + b"".join(more)
        check(stripped, b"RIFF" + struct.pack("<I", len(content)) + content + end, original)

    {"JPEG": jpeg, "PNG": png, "WebP": webp}[kind]()
