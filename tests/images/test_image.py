"""One image: which files are accepted, which are refused and why, and their thumbnails."""

import io
import os
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from astria_nb.errors import TuneError
from astria_nb.images import Image, thumbnail
from helpers.photos_with_metadata import heic
from helpers.waiting import PATIENCE


def encoded(kind: str, size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", size, "teal").save(out, kind, **options)
    return out.getvalue()


def refusal(path: Path | str) -> str:
    """Return why a file is refused."""
    with pytest.raises(TuneError) as caught:
        Image.open(path)
    (problem,) = caught.value.problems
    assert problem.field == "images"
    assert problem.hint
    return problem.what


def png_of(width: int, height: int) -> bytes:
    """Return a PNG whose header claims that many pixels, with almost no data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_the_type_is_determined_by_the_content_not_by_the_name(
    tmp_path: Path, kind: str, media_type: str
) -> None:
    path = tmp_path / "photo.gif"
    path.write_bytes(encoded(kind))
    image = Image.open(path)
    assert (image.media_type, image.width, image.height) == (media_type, 64, 48)
    assert (image.filename, image.size) == ("photo.gif", path.stat().st_size)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("GIF", "a GIF image"),
        ("BMP", "a BMP image"),
        ("TIFF", "a TIFF image or a camera's raw file"),
        ("PDF", "a PDF"),
    ],
)
def test_other_types_are_refused_even_under_a_good_name(tmp_path: Path, kind: str, what: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(kind))
    assert refusal(path) == f"'photo.jpg' is {what}"


@pytest.mark.parametrize(
    "content", [b"<html>\xff\xd8\xff", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\0" * 100, b"RIFF\0\0\0\0WEBP"]
)
def test_what_only_resembles_an_image_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    assert "image" in refusal(path)


def test_an_empty_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert refusal(tmp_path / "a.jpg") == "'a.jpg' is empty"


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "dangling.jpg").symlink_to("nowhere")
    assert refusal(tmp_path / "a.jpg") == "'a.jpg' does not exist"
    assert refusal(tmp_path / "dangling.jpg") == "'dangling.jpg' does not exist"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path).endswith("is a folder")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    refusals: list[str] = []
    thread = threading.Thread(target=lambda: refusals.append(refusal(path)), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert refusals == ["'pipe.jpg' is not a regular file"]


def test_a_loop_of_links_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to("a.jpg")
    assert refusal(tmp_path / "a.jpg").startswith("'a.jpg' cannot be read (")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no such permissions")
def test_a_file_without_permission_cannot_be_read() -> None:
    # Permissions do not bind root, so then somebody else looks at the file.
    code = "import os; from PIL import JpegImagePlugin; from astria_nb.images._image import Image; "
    code += "os.geteuid() or os.setuid(65534); Image.open('a.jpg')"
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.jpg")
        path.write_bytes(encoded("JPEG"))
        path.chmod(0)
        path.parent.chmod(0o755)
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert "'a.jpg' cannot be read (Permission denied); fix its permissions" in done.stderr


@pytest.mark.parametrize(("size", "megapixels"), [((60_000, 60_000), 3600), ((20_000, 9_000), 180)])
def test_a_bomb_is_refused_by_its_header(tmp_path: Path, size: tuple[int, int], megapixels: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of(*size))
    assert refusal(path) == f"'bomb.png' has {megapixels} megapixels, more than 89"


def test_an_image_cut_in_its_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    for content, size in ((encoded("JPEG"), 22), (encoded("PNG"), 20), (encoded("WEBP"), 20), (heic(), 90)):
        path.write_bytes(content[:size])
        assert refusal(path) == "'a.jpg' is a damaged image"


@pytest.mark.parametrize(
    "name", ["Zoë 🐈.jpg", 'a"b;c=d.jpg', "a\r\nb.jpg", "-rf.jpg", "a\\b.jpg", "名前.jpeg", "x" * 200]
)
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(encoded("JPEG"))
    assert Image.open(path).filename == name


def test_a_name_that_is_not_utf_8_is_sent_as_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))
    try:
        path.write_bytes(encoded("JPEG"))
    except OSError:
        pytest.skip("this file system takes only names that are UTF-8")
    assert Image.open(path).filename == "caf?.jpg"


def test_a_relative_path_is_stored_as_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded("JPEG"))
    monkeypatch.chdir(tmp_path)
    image = Image.open("a.jpg")
    monkeypatch.chdir("/")
    assert image.path.read_bytes() == encoded("JPEG")


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded("JPEG"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Image.open("~/a.jpg").path == tmp_path / "a.jpg"


def shown(thumb: bytes) -> Pillow.Image:
    with Pillow.open(io.BytesIO(thumb), formats=["JPEG"]) as image:
        image.load()
        return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(900, 300), (300, 900), (10, 8), (4000, 1)])
def test_a_thumbnail_is_a_jpeg_no_larger_than_its_side(kind: str, size: tuple[int, int]) -> None:
    assert max(shown(thumbnail(encoded(kind, size), 64)).size) <= 64


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (1, 1)), (6, (1, 0)), (8, (0, 1))])
def test_a_thumbnail_stands_upright(tmp_path: Path, orientation: int, corner: tuple[int, int]) -> None:
    # The stored picture has a white quarter at its top left; EXIF says where that belongs.
    stored = Pillow.new("RGB", (400, 200), "black")
    stored.paste("white", (0, 0, 200, 100))
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.jpg", exif=exif)
    upright = shown(thumbnail(tmp_path / "a.jpg", 80))
    assert upright.size == ((80, 40) if orientation in (1, 3) else (40, 80))
    quarter = upright.convert("L").resize((2, 2))
    white = [(x, y) for x in (0, 1) for y in (0, 1) if quarter.getpixel((x, y)) > 150]
    assert white == [corner]


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1"])
def test_a_thumbnail_is_made_of_any_kind_of_pixels(mode: str) -> None:
    out = io.BytesIO()
    Pillow.new(mode, (200, 100)).save(out, "PNG")
    assert shown(thumbnail(out.getvalue(), 50)).size == (50, 25)


@pytest.mark.parametrize(
    "content",
    [b"", b"no image", encoded("JPEG")[:300], encoded("PNG")[:60], png_of(60_000, 60_000), png_of(64, 64)],
    ids=["empty", "text", "cut JPEG", "cut PNG", "bomb", "no pixels"],
)
def test_a_thumbnail_of_what_cannot_be_decoded_is_an_os_error(content: bytes) -> None:
    with pytest.raises(OSError, match=r"\w"):
        thumbnail(content)


GOOD = [encoded("JPEG"), encoded("PNG"), encoded("WEBP")]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "a.jpg"


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(GOOD), st.dictionaries(st.integers(0, 120), st.integers(0, 255), max_size=4), st.data()
)
def test_a_damaged_file_is_an_image_or_a_refusal_never_a_crash(
    scratch: Path, good: bytes, damage: dict[int, int], data: st.DataObject
) -> None:
    content = bytearray(good)
    for place, value in damage.items():
        content[min(place, len(content) - 1)] = value
    scratch.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    refused = ""
    try:
        image = Image.open(scratch)
    except TuneError as error:
        refused = str(error)
    assert refused.startswith("images: 'a.jpg' ") or (image.width > 0 and image.height > 0)
