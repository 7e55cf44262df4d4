"""The type of a file by its first bytes, whatever its name says."""

import io

import pytest
from PIL import Image

from astria_nb.images.media_type import HEAD_BYTES, media_type


def encoded(file_format: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), "teal").save(out, file_format)
    return out.getvalue()


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_file_that_pillow_writes_is_of_its_type(file_format: str) -> None:
    assert media_type(encoded(file_format)[:HEAD_BYTES]) == f"image/{file_format.lower()}"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftypmif1", "image/heic"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "image/avif"),
        (b"\0\0\0\x20ftypavif", "image/avif"),
        (b"\0\0\0\x20ftypavis", "image/avif"),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\0\0\0\x14ftypqt  ", "video/mp4"),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0", "video/webm"),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"RIFF\0\0\0\0", None),
        (b"<!doctype html>", None),
        (b"\xff\xd8", None),
        (b"", None),
    ],
)
def test_other_first_bytes(head: bytes, expected: str | None) -> None:
    assert media_type(head) == expected
