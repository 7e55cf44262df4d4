"""Which files are images to train with."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from astria_nb.sandbox.uploads import Spool
from astria_nb.sandbox.uploads.image_check import image_problem
from sandbox.helpers.api import Api


@pytest.fixture(scope="module")
def drawing() -> Image.Image:
    """Something that does not compress to nothing."""
    image = Image.effect_noise((200, 150), 60).convert("RGB")
    ImageDraw.Draw(image).ellipse((40, 20, 160, 130), fill="teal")
    return image


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def problem(data: bytes) -> str | None:
    spool = Spool()
    try:
        return image_problem(spool.save("1.jpg", [data]))
    finally:
        spool.close()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(*chunks: bytes, size: tuple[int, int] = (8, 8)) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(9 * 8)))
    return b"".join((b"\x89PNG\r\n\x1a\n", header, *chunks, rows, chunk(b"IEND", b"")))


def kinds(image: Image.Image) -> dict[str, bytes]:
    rotated = image.rotate(20)
    return {
        "jpeg": encoded(image, "JPEG"),
        "progressive": encoded(image, "JPEG", progressive=True),
        "grey": encoded(image.convert("L"), "JPEG"),
        "cmyk": encoded(image.convert("CMYK"), "JPEG"),
        "of a phone": encoded(image, "MPO", save_all=True, append_images=[rotated]),
        "with a film behind it": encoded(image, "JPEG") + b"\0\0\0\x18ftypmp42" * 99,
        "png": encoded(image, "PNG"),
        "16 bits": encoded(image.convert("L").convert("I;16"), "PNG"),
        "palette": encoded(image.convert("P"), "PNG", transparency=b"\0\x80"),
        "animated png": encoded(image, "PNG", save_all=True, append_images=[rotated]),
        "webp": encoded(image, "WEBP"),
        "lossless": encoded(image, "WEBP", lossless=True),
        "transparent": encoded(image.convert("RGBA"), "WEBP", exact=True),
        "animated webp": encoded(image, "WEBP", save_all=True, append_images=[rotated]),
    }


def test_every_kind_of_photo_is_accepted(drawing: Image.Image) -> None:
    assert {name: problem(data) for name, data in kinds(drawing).items() if problem(data)} == {}


@pytest.mark.slow
def test_a_photo_that_is_cut_short_is_refused_wherever_it_is_cut(drawing: Image.Image) -> None:
    whole = kinds(drawing)
    del whole["with a film behind it"], whole["of a phone"]  # the photo proper stays whole
    messages = ("1.jpg is cut short", "1.jpg cannot be opened as an image")
    accepted = [
        (name, length)
        for name, data in whole.items()
        for length in [*range(64, len(data), len(data) // 40), len(data) - 1]
        if problem(data[:length]) not in messages
    ]
    assert accepted == []
    assert problem(whole["jpeg"][:-500]) == "1.jpg is cut short"
    assert problem(whole["webp"][:-500]) == "1.jpg is cut short"


def test_the_end_marker_of_a_thumbnail_does_not_count(drawing: Image.Image) -> None:
    thumbnail = b"Exif\0\0" + encoded(drawing.resize((40, 30)), "JPEG")
    data = encoded(drawing, "JPEG", exif=thumbnail)
    assert problem(data) is None
    assert problem(data[:-200]) == "1.jpg is cut short"


def test_a_changed_byte_of_a_png_is_found(drawing: Image.Image) -> None:
    data = bytearray(encoded(drawing, "PNG"))
    data[len(data) // 2] ^= 1
    assert problem(bytes(data)) == "1.jpg is damaged"


HUGE = (60_000, 60_000)
BOMBS = {
    "png": png(size=HUGE),
    "jpeg": encoded(Image.new("L", (8, 8)), "JPEG").replace(
        struct.pack(">HH", 8, 8), struct.pack(">HH", *HUGE)
    ),
    "webp": b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<II", 10, 0) + b"\xff\xff\0" * 2,
    "lossless webp": b"RIFF"
    + struct.pack("<I", 18)
    + b"WEBPVP8L"
    + struct.pack("<IBI", 6, 0x2F, 0xFFFFFFF)
    + b"\0",
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_by_its_header(kind: str) -> None:
    tracemalloc.start()
    assert problem(BOMBS[kind]) == "1.jpg has too many pixels"
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5_000_000


def test_metadata_that_unpacks_to_much_is_refused() -> None:
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000)))
    assert len(text) < 100_000
    assert problem(png(text)) == "1.jpg cannot be opened as an image"


def test_much_metadata_is_refused(drawing: Image.Image) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 1_000_000)
    assert problem(encoded(drawing, "PNG", pnginfo=text)) is None
    assert problem(png(chunk(b"prVt", bytes(40_000_000)))) == "1.jpg has too much metadata"
    jpeg = encoded(drawing, "JPEG")
    comment = b"\xff\xfe\xff\xff" + bytes(65_533)
    assert problem(jpeg[:2] + comment * 10 + jpeg[2:]) is None
    assert problem(jpeg[:2] + comment * 600 + jpeg[2:]) == "1.jpg has too much metadata"


def test_a_file_of_a_thousand_scans_or_a_million_chunks_is_refused(drawing: Image.Image) -> None:
    jpeg = encoded(drawing, "JPEG", progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    assert problem(jpeg[:-2] + last * 1000 + jpeg[-2:]) == "1.jpg is made of too many scans"
    assert problem(png(chunk(b"prVt", b"") * 200_000)) == "1.jpg is damaged"


def test_a_file_of_another_kind_is_refused_whatever_its_name(drawing: Image.Image) -> None:
    for kind in ("GIF", "BMP", "TIFF"):
        assert problem(encoded(drawing, kind)) == "1.jpg is not a JPEG, PNG or WebP image"


def test_the_pack_route_says_which_photo_is_cut_short(api: Api, photos: Path, drawing: Image.Image) -> None:
    (photos / "3.jpg").write_bytes(encoded(drawing, "JPEG")[:-300])
    files = [("tune[images][]", path.open("rb")) for path in sorted(photos.glob("*.jpg"))]
    reply = api.post("/p/43/tunes", data={"tune[title]": "t", "tune[name]": "man"}, files=files)
    for _, file in files:
        file.close()
    assert (reply.status_code, reply.json()) == (422, {"images": ["3.jpg is cut short"]})
