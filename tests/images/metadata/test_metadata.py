"""Metadata is removed from photos before upload, and the image data stays the same byte for byte."""

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngImageFile

import helpers.photos_with_metadata as samples
from astria_nb.images.metadata import MalformedImageError, without_metadata
from helpers.photos_with_metadata import GPS, ORIENTATION, PARTS, PLACE, PROFILE
from helpers.profiles import profile, table

Stripped = Callable[[bytes], bytes]
FRAME = samples.jpeg()[samples.jpeg().index(b"\xff\xc0") :][:19]
LARGE_PROFILE = profile(2, "RGB ", "Lab ", {"A2B0": table("mft2", 3, points=33)})


def opened(photo: bytes) -> Any:
    """Return a photo as Pillow reads it, complaining of nothing."""
    image = Image.open(io.BytesIO(photo))
    image.load()
    return image


def pixels(photo: bytes) -> list[tuple[tuple[int, int], bytes]]:
    """Return every picture of an animation."""
    image = opened(photo)
    frames = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        frames.append((image.size, image.convert("RGBA").tobytes()))
    return frames


PHOTOS: dict[str, bytes] = {
    "JPEG": samples.jpeg(),
    "upright JPEG": samples.jpeg(orientation=1),
    "progressive JPEG": samples.jpeg(progressive=True, quality=95),
    "JPEG with restarts": samples.jpeg(restart_marker_blocks=1, quality=95),
    "turned JPEG": samples.jpeg(orientation=8, quality=30),
    "motion photo": samples.motion_photo(),
    "PNG": samples.png(),
    "upright PNG": samples.png(orientation=None),
    "PNG with a palette": samples.png(mode="P", icc_profile=None),
    "transparent PNG": samples.png(mode="RGBA"),
    "animated PNG": samples.animated("PNG"),
    "WebP": samples.webp(),
    "upright WebP": samples.webp(orientation=1),
    "lossless WebP": samples.webp(lossless=True),
    "transparent WebP": samples.webp(mode="RGBA", quality=90),
    "animated WebP": samples.animated("WEBP"),
}
every_photo = pytest.mark.parametrize("photo", PHOTOS.values(), ids=PHOTOS.keys())


@every_photo
def test_the_location_is_removed(stripped: Stripped, photo: bytes) -> None:
    assert opened(photo).getexif().get_ifd(GPS)
    assert all(part in photo for part in PARTS)
    plain = stripped(photo)
    assert not any(part in plain for part in PARTS)
    assert dict(opened(plain).getexif().get_ifd(GPS)) == {}


@every_photo
def test_only_the_orientation_is_kept_of_exif(stripped: Stripped, photo: bytes) -> None:
    turned = opened(photo).getexif().get(ORIENTATION, 1)
    exif = dict(opened(stripped(photo)).getexif())
    assert exif == ({} if turned == 1 else {ORIENTATION: turned})


@every_photo
def test_the_pixels_are_unchanged_and_upright(stripped: Stripped, photo: bytes) -> None:
    plain = stripped(photo)
    assert pixels(plain) == pixels(photo)
    upright = ImageOps.exif_transpose(opened(plain))
    assert upright.tobytes() == ImageOps.exif_transpose(opened(photo)).tobytes()


@every_photo
def test_colours_and_resolution_are_kept_and_texts_are_removed(stripped: Stripped, photo: bytes) -> None:
    before, after = opened(photo).info, opened(stripped(photo)).info
    assert ("icc_profile" in after) == ("icc_profile" in before)  # see test_colour_profile.py
    preserved = (
        "dpi",
        "jfif",
        "jfif_density",
        "adobe",
        "gamma",
        "transparency",
        "loop",
        "duration",
    )
    for key in preserved:
        assert after.get(key) == before.get(key), key
    remaining = set(after) - {
        *preserved,
        "icc_profile",
        "exif",
        "jfif_version",
        "jfif_unit",
        "adobe_transform",
        "background",
        "blend",
    }
    assert remaining <= {"disposal", "timestamp", "bbox", "default_image", "progressive", "progression"}


@every_photo
def test_removing_metadata_twice_changes_nothing(stripped: Stripped, photo: bytes) -> None:
    plain = stripped(photo)
    assert stripped(plain) == plain


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_photo_without_metadata_is_one_part(path: Path, kind: str) -> None:
    samples.picture().save(path, kind)
    with path.open("rb", buffering=0) as file:
        if kind == "GIF":
            with pytest.raises(MalformedImageError, match="no longer"):
                without_metadata(file)
        else:
            assert without_metadata(file) == [range(path.stat().st_size)]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("photo", [samples.jpeg, samples.png, samples.webp])
def test_every_orientation_is_kept(
    stripped: Stripped, photo: Callable[[int], bytes], orientation: int
) -> None:
    assert opened(stripped(photo(orientation))).getexif().get(ORIENTATION, 1) == orientation


def test_the_second_image_of_an_mpo_is_removed(stripped: Stripped) -> None:
    photo = samples.mpo()
    plain = stripped(photo)
    assert PLACE in photo
    assert not any(part in plain for part in PARTS)
    image = opened(plain)
    assert (image.format, image.getexif()[ORIENTATION]) == ("JPEG", 8)
    first = opened(photo)
    assert (image.size, image.tobytes()) == (first.size, first.tobytes())
    assert plain.count(b"\xff\xd8\xff") == 1


def test_the_orientation_is_read_from_xmp_too(stripped: Stripped) -> None:
    photo = samples.jpeg(orientation=None, xmp=samples.xmp(orientation=3))
    assert opened(stripped(photo)).getexif()[ORIENTATION] == 3


def test_every_metadata_segment_of_a_jpeg_is_removed(stripped: Stripped) -> None:
    places = [samples.segment(0xE0 + number, b"Photoshop 3.0\0" + PLACE) for number in range(16)]
    places += [samples.segment(0xFE, PLACE), samples.segment(0xE0, b"JFXX\0\x10" + PLACE)]
    places += [samples.segment(0xE2, b"MPF\0" + PLACE), samples.segment(0xE2, b"FPXR\0" + PLACE)]
    places += [samples.segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\x02\x04" + PLACE + b"\0")]
    places += [samples.segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01" + PLACE)]
    photo = samples.with_segments(samples.jpeg(), *places)
    photo = samples.with_segments(photo, *places, at=b"\xff\xda")
    plain = stripped(photo)
    assert not any(part in plain for part in PARTS)
    assert pixels(plain) == pixels(samples.jpeg())


def test_comments_between_the_scans_of_a_progressive_jpeg_are_removed(stripped: Stripped) -> None:
    photo = samples.jpeg(progressive=True)
    second = photo.index(b"\xff\xda", photo.index(b"\xff\xda") + 2)
    photo = photo[:second] + samples.segment(0xFE, PLACE) + photo[second:]
    plain = stripped(photo)
    assert not any(part in plain for part in PARTS)
    assert pixels(plain) == pixels(photo)


@pytest.mark.parametrize("model", ["CMYK", "L"])
def test_other_colour_models_look_the_same(stripped: Stripped, model: str) -> None:
    out = io.BytesIO()
    samples.picture(mode=model).save(out, "JPEG", exif=samples.exif(), comment=PLACE)
    plain = stripped(out.getvalue())
    assert not any(part in plain for part in PARTS)
    assert opened(plain).mode == model
    assert opened(plain).tobytes() == opened(out.getvalue()).tobytes()
    assert opened(plain).info.get("adobe_transform") == opened(out.getvalue()).info.get("adobe_transform")


def test_a_large_profile_in_several_parts_is_kept(stripped: Stripped) -> None:
    kept = opened(stripped(samples.jpeg(icc_profile=LARGE_PROFILE))).info["icc_profile"]
    assert 2**17 < len(kept) < len(LARGE_PROFILE)
    assert opened(stripped(samples.jpeg(icc_profile=kept))).info["icc_profile"] == kept


@pytest.mark.parametrize("photo", [samples.jpeg, samples.png, samples.webp])
@pytest.mark.parametrize(
    "content",
    [
        PLACE * 30,
        PROFILE + PLACE,
        PROFILE[:-23] + PLACE,
        PROFILE[:36] + PLACE + PROFILE[59:],
        PROFILE[:128] + (2**31).to_bytes(4) + PLACE + PROFILE[155:],
        PROFILE[:136] + (2**31).to_bytes(4) + PROFILE[140:-23] + PLACE,
        PROFILE.replace(b"chrm", b"curv")[:-23] + PLACE,
        PROFILE.replace(b"chrm", b"para")[:-23] + PLACE,
        PROFILE.replace(b"chrm", b"text")[:-23] + PLACE,
    ],
)
def test_what_is_no_colour_profile_is_removed(
    stripped: Stripped, photo: Callable[..., bytes], content: bytes
) -> None:
    plain = stripped(photo(icc_profile=content))
    assert not any(part in plain for part in PARTS)
    assert "icc_profile" not in opened(plain).info
    assert opened(plain).getexif()[ORIENTATION] == 6
    assert pixels(plain) == pixels(photo(icc_profile=None))
    assert stripped(plain) == plain


@pytest.mark.parametrize(
    "segments",
    [
        [(1, 2, PROFILE[:300])],
        [(1, 2, PROFILE[:300]), (1, 2, PROFILE[300:])],
        [(1, 1, PROFILE), (1, 1, PLACE)],
        [(1, 2, PROFILE), (3, 2, PLACE)],
        [(0, 1, PROFILE)],
        [(1, 1, PROFILE[:-4] + b"\xff\xfe\0\2")],
    ],
    ids=["one is missing", "one twice", "one too many", "a gap", "zero", "a comment at the end"],
)
def test_an_incomplete_profile_of_a_jpeg_is_removed(
    stripped: Stripped, segments: list[tuple[int, int, bytes]]
) -> None:
    contents = [b"ICC_PROFILE\0" + bytes([number, count]) + part for number, count, part in segments]
    photo = samples.jpeg(icc_profile=None)
    with_profile = samples.with_segments(photo, *(samples.segment(0xE2, content) for content in contents))
    assert stripped(with_profile) == stripped(photo)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([samples.jpeg(), samples.jpeg(progressive=True), samples.motion_photo()]),
    st.integers(0, 700),
    st.integers(1, 40) | st.just(28),  # the length of the comment behind the profile
)
def test_a_profile_that_lost_bytes_does_not_bring_what_followed_it(
    stripped: Stripped, photo: bytes, place: int, count: int
) -> None:
    first = photo.index(b"ICC_PROFILE") - 4 + place
    try:
        plain = stripped(photo[:first] + photo[first + count :])
    except MalformedImageError:
        return
    assert not any(part in plain for part in PARTS)


def test_a_photo_larger_than_a_block_is_read_to_its_end(stripped: Stripped) -> None:
    out = io.BytesIO()
    Image.effect_noise((1500, 1200), 90).convert("RGB").save(out, "JPEG", quality=97, exif=samples.exif())
    photo = out.getvalue() + PLACE
    assert len(photo) > 2**20
    plain = stripped(photo)
    assert plain.endswith(b"\xff\xd9")
    assert not any(part in plain for part in PARTS)
    assert pixels(plain) == pixels(photo)


@pytest.mark.parametrize("before", [2**19 - 2, 2**19 - 1, 2**19, 2**19 + 1, 2**20 - 2, 2**20 - 1])
def test_the_end_of_image_is_found_at_every_offset_of_a_block(stripped: Stripped, before: int) -> None:
    photo = samples.jpeg()
    scan = photo.index(b"\xff\xda") + 14
    filled = photo[:-2] + bytes(before - (len(photo) - 2 - scan)) + b"\xff\xd9"
    assert stripped(filled + PLACE).endswith(bytes(9) + b"\xff\xd9")


def test_the_size_and_flags_of_a_webp_match_its_chunks(stripped: Stripped) -> None:
    for photo, flag in ((samples.webp(6), 0x08), (samples.webp(1), 0)):
        plain = stripped(photo)
        assert struct.unpack("<I", plain[4:8])[0] == len(plain) - 8
        assert plain[20] & 0x0C == flag
        assert (b"EXIF" in plain, b"XMP " in plain) == (flag > 0, False)


def test_a_png_without_metadata_is_valid(stripped: Stripped) -> None:
    plain = stripped(samples.png())
    Image.open(io.BytesIO(plain)).verify()
    image = opened(plain)
    assert isinstance(image, PngImageFile)
    assert image.text == {}


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "animated WebP", "transparent PNG"])
@pytest.mark.parametrize("step", [29, pytest.param(1, marks=pytest.mark.soak)])
def test_a_truncated_file_is_refused_or_truncated_within_the_image_data(
    stripped: Stripped, name: str, step: int
) -> None:
    photo = PHOTOS[name]
    whole = stripped(photo)
    outcomes = set()
    for size in range(12, len(photo) - len(PLACE) - 1, step):
        try:
            plain = stripped(photo[:size])
        except MalformedImageError as error:
            outcomes.add(str(error))
        else:
            outcomes.add("sent")
            assert not any(part in plain for part in PARTS)
            assert whole.startswith(plain) or name == "PNG"
    assert outcomes <= {"is incomplete", "is damaged", "sent", "is no longer a JPEG, PNG or WebP image"}
    assert "is incomplete" in outcomes
    assert ("sent" in outcomes) == (name == "JPEG")


STRAY = [PLACE, b"\0\0", b"\xff\0", PLACE * 40, b"\xff\xff\xff", b"\0" * 256, b"\0" * 255]


@pytest.mark.parametrize("at", [b"\xff\xe1", b"\xff\xdb", b"\xff\xc0", b"\xff\xc4", b"\xff\xda"])
@pytest.mark.parametrize("stray", STRAY, ids=range(len(STRAY)))
def test_stray_bytes_between_segments_are_removed(stripped: Stripped, stray: bytes, at: bytes) -> None:
    plain = stripped(samples.with_segments(samples.jpeg(), stray, at=at))
    assert plain == stripped(samples.jpeg())


@pytest.mark.parametrize(
    ("photo", "why"),
    [
        (b"\xff\xd8\xff\xd9", "contains no image data"),
        (b"\xff\xd8\xff\xe1\0\1", "is damaged"),
        (samples.with_segments(samples.jpeg(), PLACE, samples.jpeg()), "is damaged"),
        (samples.with_segments(samples.jpeg(), PLACE, FRAME), "is damaged"),
        (samples.with_segments(samples.jpeg(), samples.segment(0xDB, PLACE)), "is damaged"),
        (samples.with_segments(samples.jpeg(), samples.segment(0xC4, PLACE)), "is damaged"),
        (samples.with_segments(samples.jpeg(), samples.segment(0xC8, PLACE)), "is damaged"),
        (samples.with_segments(samples.jpeg(), samples.segment(0xF7, PLACE)), "is damaged"),
        (samples.with_segments(samples.jpeg(), samples.segment(0xDA, PLACE)), "is damaged"),
        (samples.png().replace(b"IDAT", b"IDAT" + PLACE, 1), "is damaged"),
        (b"RIFF\x0c\0\0\0WEBPEXIF\0\0\0\0", "contains no image data"),
        (b"RIFF\x04\0\0\0WEBP", "contains no image data"),
    ],
)
def test_a_malformed_file_is_refused(stripped: Stripped, photo: bytes, why: str) -> None:
    with pytest.raises(MalformedImageError, match=why):
        stripped(photo)


@pytest.mark.parametrize(("name", "start", "end"), [("WebP", b"VP8 ", b"XMP "), ("PNG", b"IDAT", b"IEND")])
def test_a_wrong_chunk_length_that_hides_metadata_is_refused(
    stripped: Stripped, name: str, start: bytes, end: bytes
) -> None:
    photo = PHOTOS[name]
    first, last = photo.index(start), photo.index(end)
    assert PLACE in photo[first:last]
    # Of a chunk, the length comes before its kind in a PNG and after it in a WebP.
    place, length = (first - 4, last - first - 12) if name == "PNG" else (first + 4, last - first - 8)
    hiding = photo[:place] + length.to_bytes(4, "big" if name == "PNG" else "little") + photo[place + 4 :]
    with pytest.raises(MalformedImageError, match="is damaged"):
        stripped(hiding)


MUTABLE = [samples.jpeg(), samples.jpeg(progressive=True), samples.mpo(), samples.png(), samples.webp()]
MUTABLE += [samples.webp(mode="RGBA"), samples.motion_photo()]
PLACES = st.integers(0, 900) | st.integers(0, 5000)
LIKELY = st.sampled_from([0, 1, 2, 4, 8, 0x20, 0x7F, 0x80, 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xFE, 0xFF])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(MUTABLE),
    st.lists(st.tuples(PLACES, st.integers(0, 255) | LIKELY), max_size=3),
    st.none() | st.tuples(PLACES, PLACES),
    st.none() | PLACES,
)
@example(MUTABLE[4], [(MUTABLE[4].index(b"VP8 ") + 5, 255)], None, None)
@example(MUTABLE[6], [(MUTABLE[6].rindex(b"\xff\xd9"), 0)], None, None)  # a video behind a lost end
@example(MUTABLE[0], [], (376, 404), None)  # a comment in the place of a colour profile's end
@example(MUTABLE[0], [], (961, 989), None)  # most of it in the place of what was deleted
def test_a_damaged_file_is_refused_or_sent_without_its_location(
    stripped: Stripped,
    photo: bytes,
    changed: list[tuple[int, int]],
    removed: tuple[int, int] | None,
    cut: int | None,
) -> None:
    damaged = bytearray(photo)
    for place, value in changed:
        damaged[place % len(damaged)] = value
    if removed is not None:
        first, last = sorted(removed)
        del damaged[first : min(last, first + 40)]
    del damaged[cut if cut is not None else len(damaged) :]
    assume(damaged[:2] == photo[:2])
    try:
        plain = stripped(bytes(damaged))
    except MalformedImageError as error:
        assert str(error).startswith(("is ", "contains "))  # noqa: PT017  what it says is read by people
    else:
        assert not any(part in plain for part in PARTS)
