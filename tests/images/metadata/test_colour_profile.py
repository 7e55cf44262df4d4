"""A colour profile goes along with its colours and with nothing that tells of the reader's screen."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from astria_nb.images import Image as Photo
from astria_nb.images import SentImage
from astria_nb.images._preprocessing import Preprocessing
from helpers.profiles import WORDS, kinds

KINDS = {name: (mode, profile) for name, mode, profile in kinds()}
every_kind = pytest.mark.parametrize(("mode", "profile"), KINDS.values(), ids=KINDS)
PIECES = [WORDS[start : start + 6] for start in range(len(WORDS) - 5)]
FORMATS = {"RGB": ("JPEG", "PNG", "WEBP"), "L": ("JPEG", "PNG"), "CMYK": ("JPEG",)}


def picture(mode: str) -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    noise = np.random.default_rng(1).integers(0, 256, 48 * 48 * bands, dtype=np.uint8)
    return Image.frombytes(mode, (48, 48), noise.tobytes())


def in_srgb(image: Image.Image, profile: bytes, intent: int) -> np.ndarray:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    # Without a table of all colours, which takes longer than the few that are converted.
    as_it_is = ImageCms.Flags.NOOPTIMIZE
    transform = ImageCms.buildTransform(source, target, image.mode, "RGB", intent, as_it_is)
    return np.asarray(ImageCms.applyTransform(image, transform))


def sent(path: Path, preprocessing: Preprocessing = Preprocessing()) -> bytes:  # noqa: B008
    opened = SentImage.open(Photo.open(str(path)), preprocessing)
    try:
        buffer = memoryview(bytearray(opened.size))
        return b"".join(bytes(block) for block in opened.blocks(buffer))
    finally:
        opened.close()


def plain(content: bytes) -> bytes:
    """Return a file's content with the profile of a PNG unpacked as well."""
    place = content.find(b"iCCP")
    if not content.startswith(b"\x89PNG") or place < 0:
        return content
    return content + zlib.decompress(content[content.index(b"\0", place) + 2 :][:-4], 15)


@every_kind
def test_colours_stay_and_words_go(mode: str, profile: bytes, tmp_path: Path) -> None:
    image = picture(mode)
    cleaned = set()
    for file_format in FORMATS[mode]:
        path = tmp_path / f"photo.{file_format.lower()}"
        image.save(path, file_format, icc_profile=profile)
        content = sent(path)
        with Image.open(io.BytesIO(content)) as opened, Image.open(path) as before:
            assert opened.tobytes() == before.tobytes()
            cleaned.add(opened.info["icc_profile"])
        assert not any(piece in plain(content) for piece in PIECES)
        path.write_bytes(content)
        assert sent(path) == content  # there is nothing left to remove
    (kept,) = cleaned
    for intent in range(4):
        assert (in_srgb(image, kept, intent) == in_srgb(image, profile, intent)).all()


def test_what_programs_require_of_a_profile_is_there(tmp_path: Path) -> None:
    for name in ("v2 matrix, gamma", "v4 matrix, para 3"):
        picture("RGB").save(tmp_path / "photo.jpg", icc_profile=KINDS[name][1])
        with Image.open(io.BytesIO(sent(tmp_path / "photo.jpg"))) as opened:
            content = opened.info["icc_profile"]
        kept = ImageCms.ImageCmsProfile(io.BytesIO(content))
        assert ImageCms.getProfileDescription(kept).strip() == "profile"
        assert struct.unpack(">6H", content[24:36]) == (2000, 1, 1, 0, 0, 0)  # Pillow 11.1 misreads January
        assert kept.profile.copyright == "-"
        assert not kept.profile.manufacturer
        assert not kept.profile.model
        assert not kept.profile.target


def altered(place: int, content: bytes) -> Callable[[bytes], bytes]:
    return lambda profile: profile[:place] + content + profile[place + len(content) :]


@pytest.mark.parametrize(
    "change",
    [
        lambda profile: WORDS * 30,
        altered(12, b"link"),
        altered(16, b"6CLR"),
        altered(64, struct.pack(">I", 9)),
        lambda profile: profile.replace(b"rTRC", b"tech"),
        lambda profile: profile.replace(b"curv", b"cur?"),
        lambda profile: profile.replace(struct.pack(">4sI", b"curv", 0), struct.pack(">4sI", b"curv", 1)),
        lambda profile: profile[:-40],
    ],
    ids=["text", "a link", "six colours", "an intent", "a curve less", "no curve", "not zero", "cut off"],
)
def test_what_tells_no_colours_goes_entirely(change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    profile = change(KINDS["v4 matrix, table"][1])
    for file_format in FORMATS["RGB"]:
        path = tmp_path / f"photo.{file_format.lower()}"
        picture("RGB").save(path, file_format, icc_profile=profile)
        content = sent(path)
        assert "icc_profile" not in Image.open(io.BytesIO(content)).info
        assert not any(piece in plain(content) for piece in PIECES)


@pytest.mark.parametrize("name", ["v4 matrix, para 3", "v2 matrix, table", "v2 grey to XYZ, gamma"])
def test_a_smaller_copy_tells_no_more(name: str, tmp_path: Path) -> None:
    mode, profile = KINDS[name]
    picture(mode).resize((600, 600)).save(tmp_path / "photo.png", icc_profile=profile)
    content = sent(tmp_path / "photo.png", Preprocessing(max_side=512))
    with Image.open(io.BytesIO(content)) as opened:
        assert opened.size == (512, 512)
        kept = opened.info["icc_profile"]
    assert not any(piece in content for piece in PIECES)
    assert (in_srgb(picture(mode), kept, 0) == in_srgb(picture(mode), profile, 0)).all()
