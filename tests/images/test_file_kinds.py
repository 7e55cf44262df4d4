"""What is said of a file that is not a JPEG, PNG or WebP."""

import io

import pytest
from PIL import Image

from astria_nb.images import refusal


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("GIF", "is a GIF image"),
        ("TIFF", "is a TIFF image or a camera's raw file"),
        ("BMP", "is a BMP image"),
        ("JPEG2000", "is a JPEG 2000 image"),
        ("PDF", "is a PDF"),
        ("TGA", "is not a JPEG, PNG or WebP image"),
    ],
)
def test_another_format_is_named_with_what_to_do(kind: str, what: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (20, 10)).save(out, kind)
    assert refusal(out.getvalue()[:256]) == (what, "convert it to JPEG, or remove it")


@pytest.mark.parametrize("head", [b"\xff\x0a\xfa\x1f", b"\0\0\0\x0cJXL \r\n\x87\n"])
def test_jpeg_xl_is_named(head: bytes) -> None:
    assert refusal(head)[0] == "is a JPEG XL image"
