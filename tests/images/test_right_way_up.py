"""A photo is the same way up in its thumbnail, in a smaller copy, and as its file is sent."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from astria_nb.images import BLOCK, Preprocessing, SentImage, measure
from astria_nb.images import Image as Photo
from helpers import photos_with_metadata as samples
from helpers.turned_photos import TURNED_PNGS, png

XMP = b"http://ns.adobe.com/xap/1.0/\0"
IN_SINGLE_QUOTES = samples.xmp(6).replace(b'"', b"'")


def sent(path: Path, preprocessing: Preprocessing) -> Image.Image:
    """Return the picture that is sent of a photo, as viewers show it."""
    photo = SentImage.open(Photo.open(path), preprocessing)
    content = b"".join(bytes(block) for block in photo.blocks(memoryview(bytearray(BLOCK))))
    photo.close()
    with Image.open(io.BytesIO(content)) as image:
        return ImageOps.exif_transpose(image)


def is_turned(path: Path, size: tuple[int, int] = (720, 540)) -> bool:
    """Return whether a lying photo stands, wherever it is shown."""
    measured = measure(path)
    assert measured.thumbnail is not None
    with Image.open(io.BytesIO(measured.thumbnail)) as image:
        sides = [image.size, (measured.width, measured.height)]
    sides += [sent(path, Preprocessing(max_side=side)).size for side in (512, 1024)]
    sides.append(sent(path, Preprocessing()).size)
    assert len({width < height for width, height in sides}) == 1, sides
    return sides[0][0] < sides[0][1]


@pytest.mark.slow
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
def test_a_png_is_turned_wherever_it_notes_that(tmp_path: Path, before: bytes) -> None:
    path = tmp_path / "a.png"
    for name, noted in TURNED_PNGS.items():
        path.write_bytes(png(noted, before=before, size=(720, 540)))
        assert is_turned(path), name


@pytest.mark.parametrize("xmp", [samples.xmp(6), IN_SINGLE_QUOTES], ids=["double quotes", "single quotes"])
def test_jpeg_and_webp_are_turned_by_xmp_as_well(tmp_path: Path, xmp: bytes) -> None:
    jpeg, webp = tmp_path / "a.jpg", tmp_path / "a.webp"
    samples.picture((720, 540)).save(jpeg, xmp=xmp)
    samples.picture((720, 540)).save(webp, xmp=xmp)
    assert is_turned(jpeg)
    assert is_turned(webp)


def test_an_orientation_that_does_not_exist_is_upright(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    for value in (0, 9, 65535):
        samples.picture((720, 540)).save(path, exif=samples.exif(value))
        assert not is_turned(path)
