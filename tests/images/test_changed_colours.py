"""A PIL image that was changed is sent with the colours that it shows, however its file told them."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

import helpers.photos_with_metadata as samples
from astria_nb.images import Image as Photo
from astria_nb.images import Preprocessing, SentImage
from helpers.profiles import KINDS_BY_NAME

SRGB = ImageCms.createProfile("sRGB")
P3 = KINDS_BY_NAME["v4 matrix, para 3"][1]


def noise(mode: str) -> Image.Image:
    size, bands = (64, 48), len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, size, np.random.default_rng(4).bytes(bands * size[0] * size[1]))


def cropped(image: Image.Image, kind: str, **options: object) -> Image.Image:
    """Return a part of an image that was opened from a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return Image.open(io.BytesIO(out.getvalue())).crop((8, 8, 56, 40))


def sent(image: Image.Image) -> Image.Image:
    opened = SentImage.open(Photo.open(image), Preprocessing())
    content = b"".join(map(bytes, opened.blocks(memoryview(bytearray(opened.size)))))
    opened.close()
    return Image.open(io.BytesIO(content))


def shown(image: Image.Image, profile: bytes | None) -> np.ndarray:
    """Return the pixels as a reader with Little CMS shows them."""
    if profile is not None:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        image = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
    return np.asarray(image.convert("RGB")).astype(int)


def difference(arrived: Image.Image, expected: np.ndarray) -> float:
    return float(abs(shown(arrived, arrived.info.get("icc_profile")) - expected).mean())


@pytest.mark.parametrize("name", ["v2 CMYK mft1", "v2 CMYK mft2", "v4 CMYK mAB 2"])
def test_colours_of_cmyk_are_converted_by_their_profile(name: str) -> None:
    profile = KINDS_BY_NAME[name][1]
    image = cropped(noise("CMYK"), "JPEG", icc_profile=profile, quality=98)
    assert difference(sent(image), shown(image, profile)) <= 1
    assert abs(shown(image, None) - shown(image, profile)).mean() > 4  # it does matter


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_the_gamma_of_a_png_counts(mode: str) -> None:
    out = io.BytesIO()
    noise(mode).save(out, "PNG")
    whole = out.getvalue()
    place = whole.index(b"IDAT") - 4
    with_gamma = whole[:place] + samples.chunk(b"gAMA", struct.pack(">I", 100_000)) + whole[place:]
    part = Image.open(io.BytesIO(with_gamma)).crop((8, 8, 56, 40))
    arrived = sent(part)
    assert arrived.mode == mode
    assert arrived.tobytes() == part.tobytes()
    linear = np.asarray(part.convert("RGB")) / 255
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
    grey = arrived.convert("L") if mode == "L" else arrived.convert("RGB")
    grey.info["icc_profile"] = arrived.info["icc_profile"]
    assert difference(grey, encoded) <= 1


def test_a_profile_stays_if_it_fits_the_pixels() -> None:
    image = cropped(noise("RGB"), "PNG", icc_profile=P3)
    assert difference(sent(image), shown(image, P3)) <= 1
    assert "icc_profile" not in sent(image.convert("L")).info
    cmyk = cropped(noise("CMYK"), "JPEG", icc_profile=KINDS_BY_NAME["v2 CMYK mft1"][1])
    assert "icc_profile" not in sent(cmyk.convert("RGB")).info


def test_adobe_rgb_that_only_exif_tells_counts() -> None:
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 65535, 0xA005: {1: "R03"}}
    arrived = sent(cropped(noise("RGB"), "JPEG", exif=exif))
    assert difference(arrived, shown(arrived, None)) > 1
    assert "icc_profile" not in sent(cropped(noise("RGB"), "JPEG")).info
