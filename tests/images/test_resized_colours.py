"""A photo that is made smaller shows the colours that it had, however its file tells them."""

import io
import struct
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from astria_nb.errors import TuneError
from astria_nb.images import Image as Photo
from astria_nb.images import Preprocessing, SentImage
from astria_nb.images._advice import advise
from helpers.photos_with_metadata import chunk
from helpers.profiles import KINDS_BY_NAME, profile, table

SRGB = ImageCms.createProfile("sRGB")
SIDE = 512


def patches(mode: str = "RGB") -> Image.Image:
    """Return even patches, which no JPEG changes much, and no change of size at all."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    colours = np.random.default_rng(3).integers(0, 256, (8, 8, bands), dtype=np.uint8)
    if mode == "RGBA":
        colours[..., 3] = 255 - colours[..., 3] % 100
    pixels = np.repeat(np.repeat(colours, 128, 0), 128, 1)
    return (
        Image.fromarray(pixels.squeeze(), mode)
        if mode != "CMYK"
        else Image.frombytes("CMYK", (1024, 1024), pixels.tobytes())
    )


def sent(path: Path, preprocessing: Preprocessing) -> bytes:
    opened = SentImage.open(Photo.open(str(path)), preprocessing)
    try:
        return b"".join(map(bytes, opened.blocks(memoryview(bytearray(opened.size)))))
    finally:
        opened.close()


def smaller(path: Path) -> Image.Image:
    image = Image.open(io.BytesIO(sent(path, Preprocessing(max_side=SIDE))))
    image.load()
    assert max(image.size) == SIDE
    return image


def in_srgb(image: Image.Image, profile: bytes | None) -> np.ndarray:
    """Return the colours of the patches, as Little CMS shows them."""
    image = image.convert("RGB") if image.mode in ("RGBA", "P") else image
    if profile is not None:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        image = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
    step = image.width // 8
    pixels = np.asarray(image.convert("RGB")).astype(int)
    return pixels[step // 2 :: step, step // 2 :: step]


def difference(path: Path, expected: np.ndarray) -> float:
    image = smaller(path)
    return float(abs(in_srgb(image, image.info.get("icc_profile")) - expected).mean())


WIDE = KINDS_BY_NAME["v4 matrix, para 3"][1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "name", "file_format"),
    [
        ("CMYK", "v2 CMYK mft1", "JPEG"),
        ("CMYK", "v2 CMYK mft2", "JPEG"),
        ("CMYK", "v4 CMYK mAB 2", "JPEG"),
        ("RGB", "v4 matrix, para 3", "JPEG"),
        ("RGB", "v2 RGB mft2", "PNG"),
        ("RGB", "v4 matrix, para 4", "WEBP"),
        ("P", "v4 matrix, para 3", "PNG"),
        ("RGBA", "v2 matrix, table", "PNG"),
        ("L", "v2 grey to XYZ, table", "PNG"),
        ("LA", "v4 grey to XYZ, table", "PNG"),
    ],
)
def test_a_profile_counts(mode: str, name: str, file_format: str, tmp_path: Path) -> None:
    profile, path = KINDS_BY_NAME[name][1], tmp_path / "photo"
    image = patches("RGB").quantize(64) if mode == "P" else patches("L" if mode == "LA" else mode)
    if mode == "LA":
        image.putalpha(200)
    options = {"quality": 98} if file_format != "PNG" else {}
    image.save(path, file_format, icc_profile=profile, **options)
    with Image.open(path) as saved:
        source = saved.convert("L") if mode == "LA" else saved
        expected = in_srgb(source, profile)
    assert difference(path, expected) <= 1
    assert mode == "L" or abs(expected - in_srgb(source.convert("RGB"), None)).mean() > 4  # it does matter


def test_what_heic_tells_by_numbers_counts(tmp_path: Path) -> None:
    path = tmp_path / "photo.heic"
    pillow_heif.from_pillow(patches()).save(
        path, quality=95, color_primaries=12, transfer_characteristics=13, matrix_coefficients=6
    )
    stored = pillow_heif.open_heif(path).to_pillow()
    image = smaller(path)
    assert abs(in_srgb(image, None) - in_srgb(stored, None)).mean() < 1
    with_profile = in_srgb(image, image.info["icc_profile"])
    assert abs(with_profile - in_srgb(stored, WIDE)).mean() <= 1  # P3


@pytest.mark.slow
@pytest.mark.parametrize("transfer", [16, 18])
def test_a_photo_for_bright_screens_is_converted(transfer: int, tmp_path: Path) -> None:
    """Grey of a quarter of white, and white, of 203 nits (BT.2408), are what they are in sRGB."""
    values = {16: (113, 148), 18: (127, 191)}[transfer]
    levels = np.repeat(np.array([0, *values, 255], np.uint8), 256)
    path = tmp_path / "photo.heic"
    pillow_heif.from_pillow(Image.fromarray(np.tile(levels, (1024, 1))).convert("RGB")).save(
        path,
        quality=-1,
        chroma=444,
        color_primaries=9,
        transfer_characteristics=transfer,
        matrix_coefficients=9,
    )
    image = smaller(path)
    assert "icc_profile" not in image.info
    black, quarter, white, brightest = (image.getpixel((x, 256))[1] for x in (64, 192, 320, 448))
    assert black < 4
    assert 132 < quarter < 142
    assert 225 < white < 255
    assert brightest >= 250


def with_chunk(image: Image.Image, *chunks: bytes) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=PngInfo())
    content = out.getvalue()
    return content[:33] + b"".join(chunks) + content[33:]


def test_what_a_png_tells_by_numbers_counts(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(with_chunk(patches(), chunk(b"cICP", bytes((12, 13, 0, 1)))))
    assert difference(path, in_srgb(patches(), WIDE)) <= 1
    p3 = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    gamma = chunk(b"gAMA", struct.pack(">I", 45455))
    path.write_bytes(with_chunk(patches(), chunk(b"cHRM", p3), gamma))
    expected = in_srgb(patches(), KINDS_BY_NAME["v4 matrix, gamma"][1])
    assert difference(path, expected) <= 1
    path.write_bytes(with_chunk(patches(), chunk(b"sRGB", b"\0"), gamma))
    assert "icc_profile" not in smaller(path).info


def test_adobe_rgb_that_only_exif_tells_counts(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 65535, 0xA005: {1: "R03"}}
    patches().save(tmp_path / "photo.jpg", exif=exif, quality=98)
    image = smaller(tmp_path / "photo.jpg")
    assert abs(in_srgb(image, image.info["icc_profile"]) - in_srgb(image, None)).mean() > 4
    x, y, luminance = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"])).profile.green_primary[1]
    assert (round(x, 2), round(y, 2), round(luminance, 2)) == (0.23, 0.7, 0.63)


def test_adobe_rgb_that_only_exif_tells_is_a_profile_in_a_photo_of_its_size(tmp_path: Path) -> None:
    path, exif = tmp_path / "photo.jpg", Image.Exif()
    exif[0x8769] = {0xA001: 65535, 0xA005: {1: "R03"}}
    exif[0x0112] = 6
    for jfif in ({}, {"dpi": (72, 72)}):
        patches().save(path, exif=exif, **jfif)
        content = sent(path, Preprocessing())
        with Image.open(io.BytesIO(content)) as image, Image.open(path) as original:
            assert image.info["icc_profile"] == smaller(path).info["icc_profile"]
            assert (image.tobytes(), image.getexif()[0x0112]) == (original.tobytes(), 6)
        path.write_bytes(content)
        assert sent(path, Preprocessing()) == content
    patches().save(path, exif=exif, icc_profile=WIDE)  # a profile counts more
    assert len(sent(path, Preprocessing())) < path.stat().st_size
    with Image.open(io.BytesIO(sent(path, Preprocessing()))) as image:
        assert (in_srgb(image, image.info["icc_profile"]) == in_srgb(Image.open(path), WIDE)).all()
    for mode in ("L", "CMYK"):
        patches(mode).save(path, exif=exif)
        with Image.open(io.BytesIO(sent(path, Preprocessing()))) as image:
            assert "icc_profile" not in image.info


@pytest.mark.parametrize(("transparent", "share"), [(0, 1 / 1024), (300, 0), (64 * 200, 1 / 1024)])
def test_of_16_bit_grey_only_the_transparent_one_is(tmp_path: Path, transparent: int, share: float) -> None:
    path = tmp_path / "photo.png"
    ramp = np.tile(np.arange(1024, dtype=np.uint16) * 64, (1024, 1))
    Image.fromarray(ramp).save(path, transparency=transparent)
    image = smaller(path)
    alpha = np.asarray(image.getchannel("A")) if image.mode == "RGBA" else np.full(1, 255)
    assert (255 - alpha.astype(int)).mean() / 255 == pytest.approx(share, abs=0.0005)
    grey = np.asarray(image.convert("L")).astype(int)
    assert abs(grey[200, 1:-1] - np.arange(1, 511) / 2).max() <= 3  # beside what is transparent


def test_a_profile_of_more_than_a_megabyte_is_no_damage(tmp_path: Path) -> None:
    path, large = tmp_path / "photo.png", profile(4, "RGB ", "Lab ", {"A2B0": table("mft1", 3, 72)}, "scnr")
    patches().save(path, icc_profile=large)
    assert len(large) > 2**20
    content = sent(path, Preprocessing())
    start = content.index(b"IDAT")
    assert content[start:] == path.read_bytes()[path.read_bytes().index(b"IDAT") :]
    assert b"Anna" not in content[:start]
    assert len(smaller(path).info["icc_profile"]) > 2**20


@pytest.mark.slow
def test_a_photo_of_108_megapixels_goes_if_it_is_made_smaller(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.linear_gradient("L").resize((12000, 9000)).save(path, quality=30)
    photo = Photo.open(str(path))
    with pytest.raises(TuneError, match=r"108 megapixels.*max_side=2048"):
        SentImage.open(photo, Preprocessing())
    assert smaller(path).size == (512, 384)


def test_a_damaged_heic_is_named(tmp_path: Path) -> None:
    path = tmp_path / "photo.heic"
    pillow_heif.from_pillow(patches()).save(path, quality=80)
    content = bytearray(path.read_bytes())
    place = content.index(b"mdat") + 4
    content[place : place + 4] = b"\x7f\xff\xff\xff"
    path.write_bytes(content)
    patches().save(tmp_path / "fine.jpg")
    damaged, fine = advise([path, tmp_path / "fine.jpg"])
    assert [advice.kind for advice in damaged.advice] in (["damaged"], ["unusable"])
    assert fine.thumbnail is not None
    with pytest.raises(TuneError, match="damaged"):
        SentImage.open(Photo.open(str(path)), Preprocessing(max_side=SIDE))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0MM\0*\0\0", b"Exif\0\0MM\0*\0\0\0\x08\0\x09\x01\x12", b"Exif\0\0xx"]
)
def test_exif_that_is_cut_off_is_no_damage(exif: bytes, tmp_path: Path) -> None:
    patches().save(tmp_path / "cut.jpg", exif=exif)
    patches().rotate(90).save(tmp_path / "fine.jpg")
    cut, fine = advise([tmp_path / "cut.jpg", tmp_path / "fine.jpg"])
    assert cut.thumbnail is not None
    assert fine.thumbnail is not None
    assert "damaged" not in [advice.kind for advice in cut.advice]
    assert smaller(tmp_path / "cut.jpg").size == (512, 512)
