"""Images that are not files: bytes, open files, PIL images, arrays, and addresses."""

import gc
import hashlib
import io
import pickle
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import numpy as np
import pytest
from PIL import Image as Pillow

from astria_nb.errors import TuneError
from astria_nb.images import DeferredImage, Image, ImageContent, Preprocessing, SentImage, _temporary_copy


def photo(side: int = 640, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    Pillow.effect_noise((side, side + 10), 80).convert("RGB").save(out, kind, **options)
    return out.getvalue()


JPEG = photo()


def sent(image: Image, preprocessing: Preprocessing | None = None) -> bytes:
    """Return what is sent of an image."""
    opened = SentImage.open(image, preprocessing or Preprocessing(keep_metadata=True))
    buffer = memoryview(bytearray(2**16))
    content = b"".join(bytes(block) for block in opened.blocks(buffer))
    opened.close()
    return content


def pixels(content: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Pillow.open(io.BytesIO(content)).convert("RGB"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "IMG_1.jpg"
    path.write_bytes(JPEG)
    return path


class Unseekable(io.RawIOBase):
    """A pipe, or an answer of a server: read once, in small pieces."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._file.readinto(memoryview(buffer)[:7])


@pytest.mark.parametrize(
    "make",
    [
        lambda path: JPEG,
        lambda path: bytearray(JPEG),
        lambda path: memoryview(JPEG),
        lambda path: memoryview(b"".join(bytes([byte, 0]) for byte in JPEG))[::2],
        lambda path: np.frombuffer(JPEG, "uint8"),  # as of OpenCV's imencode
        lambda path: io.BytesIO(JPEG),
        lambda path: path.open("rb"),
        lambda path: Unseekable(JPEG),
        lambda path: SimpleNamespace(read=io.BytesIO(JPEG).read),
        lambda path: Pillow.open(path),
        lambda path: Pillow.open(io.BytesIO(JPEG)),
        lambda path: fsspec.open(f"local://{path}"),
        lambda path: fsspec.open(f"local://{path}").open(),
        lambda path: ImageContent(JPEG, "x.jpg"),
    ],
)
def test_a_file_in_any_form_is_sent_as_it_is(path: Path, make: Callable[[Path], Any]) -> None:
    content = make(path)
    image = Image.open(content)
    if isinstance(content, io.IOBase | Pillow.Image):
        content.close()
    assert (image.media_type, image.width, image.height, image.size) == ("image/jpeg", 640, 650, len(JPEG))
    assert sent(image) == sent(image) == JPEG  # as on a retry


def test_an_open_file_is_read_from_where_it_is_and_left_so(path: Path) -> None:
    path.write_bytes(b"head" + JPEG)
    with path.open("rb") as file:
        file.seek(4)
        for _ in range(2):  # the same cell again
            assert sent(Image.open(file)) == JPEG
            assert (file.tell(), file.closed) == (4, False)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "1", "I;16", "YCbCr", "PA", "RGBX"])
def test_the_pixels_of_a_pil_image_are_sent_as_png(mode: str) -> None:
    source = Pillow.open(io.BytesIO(photo(64))).convert("RGBA" if mode == "PA" else "RGB")
    source = Pillow.new(mode, (64, 74), 5) if mode == "I;16" else source.convert(mode)
    content = sent(Image.open(source))
    copy = Pillow.open(io.BytesIO(content))
    assert (copy.format, copy.size) == ("PNG", (64, 74))
    if mode in ("RGB", "L", "P", "RGBX"):
        assert (pixels(content) == np.asarray(source.convert("RGB"))).all()


def another(value: Any) -> Any:
    """Return another pixel: of a palette, or of three channels."""
    return (value + 1) % 9 if isinstance(value, int) else tuple(255 - channel for channel in value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF to PNG"])
def test_a_pil_image_is_its_file_until_it_is_changed(tmp_path: Path, kind: str) -> None:
    """It does not matter whether it was shown, since that is not what is trained on."""
    path = tmp_path / "IMG_1.jpg"
    source = Pillow.open(io.BytesIO(photo(64)))
    if kind == "JPEG":
        path.write_bytes(photo(64))
    else:
        (source.quantize(9) if kind == "GIF to PNG" else source).save(path, "PNG")
    changes: dict[str, Callable[[Any], Any]] = {
        "shown": lambda image: image.load(),
        "a pixel": lambda image: image.putpixel((0, 0), another(image.getpixel((0, 0)))),
        "an alpha channel": lambda image: image.putalpha(9),
    }
    if kind == "GIF to PNG":
        changes["a palette"] = lambda image: image.putpalette(bytes(range(27)))
    for name, change in changes.items():
        with Pillow.open(path) as image:
            change(image)
            opened = Image.open(image)
        assert (opened.path == path) == (name == "shown"), name
        assert name == "shown" or sent(opened) != path.read_bytes()


def test_a_pil_image_that_was_changed_is_sent_upright_without_what_it_was_told(path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010E] = 6, "my house"
    Pillow.open(io.BytesIO(photo(64))).save(path, exif=exif, comment=b"secret words")
    with Pillow.open(path) as image:
        image.putpixel((0, 0), (1, 2, 3))
        opened = Image.open(image)
    content = sent(opened)
    assert Pillow.open(io.BytesIO(content)).size == (74, 64)
    assert b"my house" not in content
    assert b"secret words" not in content
    assert (opened.filename, opened.origin) == ("IMG_1.png", None)
    assert (image.size, image.info["comment"]) == ((64, 74), b"secret words")  # the caller's own is unchanged


def test_metadata_of_content_is_removed_as_that_of_a_file() -> None:
    content = photo(64, comment=b"my house")
    for source in (content, io.BytesIO(content), Pillow.open(io.BytesIO(content))):
        assert b"my house" not in sent(Image.open(source), Preprocessing())


@pytest.mark.parametrize("shape", [(64, 74), (64, 74, 1), (64, 74, 3), (64, 74, 4)])
def test_an_array_of_8_bit_pixels_is_sent_as_png(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).integers(0, 255, shape, "uint8")
    copy = np.asarray(Pillow.open(io.BytesIO(sent(Image.open(array[::-1])))))
    assert (copy == array[::-1].reshape(copy.shape)).all()


@pytest.mark.parametrize(
    ("content", "what", "hint"),
    [
        (b"", "is empty", "copy it again"),
        (b"GIF89a" + bytes(50), "is a GIF image", "convert it"),
        (b"<!doctype html><p>Sign in", "is a web page", "download the image itself"),
        (JPEG[:100], "is a damaged image", "convert it"),
        (io.StringIO("text"), "was opened as text", "open(path, 'rb')"),
        (SimpleNamespace(read=lambda size: 5), "cannot be read as a file", "give its bytes"),
        (np.zeros((9, 9, 3)), "is an array of float64", "(array * 255).astype('uint8')"),
        (np.zeros((9, 9), "int64"), "is an array of int64", "array.astype('uint8')"),
        (np.zeros((9, 9), "uint16"), "is an array of uint16", "(array // 256).astype('uint8')"),
        (np.zeros((9, 9), bool), "is an array of bool", "(array * 255).astype('uint8')"),
        (np.zeros((3, 9, 9), "uint8"), "is an array of 3 x 9 x 9 numbers", "array.transpose(1, 2, 0)"),
        (np.zeros((9, 9, 2), "uint8"), "is an array of 9 x 9 x 2 numbers", "height x width x 3 or 4"),
        (np.zeros((0, 9), "uint8"), "is an array of 0 x 9 numbers", "give height x width"),
        (np.zeros(9, "float32"), "is an array of float32", "give uint8"),
        (Pillow.new("F", (9, 9)), "has pixels of the mode 'F'", "image.convert('RGB')"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_next_step(content: Any, what: str, hint: str) -> None:
    with pytest.raises(TuneError) as caught:
        Image.open(content)
    (problem,) = caught.value.problems
    assert what in problem.what
    assert hint in problem.hint


def test_an_open_file_at_its_end_is_told_to_be_rewound() -> None:
    file = io.BytesIO()
    file.write(JPEG)
    with pytest.raises(TuneError, match=r"at its end; rewind it: file\.seek\(0\)"):
        Image.open(file)
    file.seek(0)
    assert sent(Image.open(file)) == JPEG


def test_what_is_no_image_is_read_no_further_than_its_beginning() -> None:
    class Endless(io.RawIOBase):
        count = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            self.count += len(buffer)
            assert self.count < 2**23
            buffer[:] = bytes(len(buffer))  # as allocated, it may have the beginning of an earlier photo
            return len(buffer)

    with pytest.raises(TuneError, match="is not a JPEG"):
        Image.open(Endless())


def test_a_full_disk_for_temporary_files_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("astria_nb.images._temporary_copy._store", type(_temporary_copy._store)())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(TuneError, match=r"content in bytes cannot be copied .*; free some space, or set"):
        Image.open(JPEG)


def closed() -> io.BytesIO:
    file = io.BytesIO(JPEG)
    file.close()
    return file


def failing(size: int) -> bytes:
    raise OSError(5, "Input/output error")


def of_closed_file() -> Pillow.Image:
    image = Pillow.open(io.BytesIO(JPEG))
    image.fp.close()
    return image


@pytest.mark.parametrize("content", [closed(), SimpleNamespace(read=failing), of_closed_file()])
def test_a_file_that_cannot_be_read_is_refused_in_words(content: Any) -> None:
    with pytest.raises(TuneError, match=r"images: .*(closed|Input/output error).*; (open it again|give its)"):
        Image.open(content)


def test_equal_content_is_one_image_with_a_name_of_its_hash() -> None:
    first, second = Image.open(JPEG), Image.open(io.BytesIO(JPEG))
    assert first == second
    assert first.copy is not None
    assert first.copy.sha256 == hashlib.sha256(JPEG).hexdigest()
    assert first.filename == f"{first.copy.sha256[:12]}.jpg"
    assert first.origin is None


@pytest.mark.parametrize(
    ("name", "filename"),
    [("a.jpg", "a.jpg"), ("../../x/a.jpg", "a.jpg"), ("C:\\me\\a.jpg", "a.jpg"), ("..", None),
     ("a\0b.jpg", "a_b.jpg"), ("x" * 300 + ".jpg", "x" * 110 + ".jpg"), ("日" * 200 + ".jpg", None),
     ("", None)],
)  # fmt: skip
def test_the_name_of_an_upload_stays_in_its_folder(name: str, filename: str | None) -> None:
    image = Image.open(ImageContent(JPEG, name))
    assert image.copy is not None
    assert image.filename == (filename or f"{image.copy.sha256[:12]}.jpg")


def test_a_copy_is_private_and_goes_with_its_image() -> None:
    image = Image.open(JPEG)
    path = image.path
    assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0
    same = Image.open(JPEG)
    del image
    gc.collect()
    assert path.is_file()
    del same
    gc.collect()
    assert not path.parent.exists()


def test_an_image_in_memory_reaches_another_process() -> None:
    image = pickle.loads(pickle.dumps(Image.open(ImageContent(JPEG, "a.jpg"))))
    assert (sent(image), image.filename) == (JPEG, "a.jpg")
    later = pickle.loads(pickle.dumps(DeferredImage(ImageContent(JPEG))))
    assert sent(later.opened()) == JPEG


def test_a_deferred_image_is_opened_when_it_is_asked(path: Path) -> None:
    image = DeferredImage(str(path))
    path.unlink()
    with pytest.raises(TuneError, match="does not exist"):
        _ = image.size
    path.write_bytes(JPEG)
    assert (image.size, image.media_type, image.filename) == (len(JPEG), "image/jpeg", "IMG_1.jpg")
    assert image.opened() == Image.open(path)


@pytest.fixture
def memory() -> Iterator[Any]:
    """Return fsspec's file system in memory, with photos."""
    system = fsspec.filesystem("memory")
    for name in ("p/IMG_10.jpg", "p/IMG_2.jpg", "p/.hidden.jpg", "p/notes.txt", "p/deep/3.jpg"):
        system.pipe(f"/{name}", JPEG)
    system.pipe("/p/empty.jpg", b"")
    yield system
    system.rm("/p", recursive=True)


def test_an_address_is_read_and_can_be_read_again(memory: Any) -> None:
    image = Image.open("memory://p/IMG_2.jpg")
    assert (sent(image), image.filename, image.origin) == (JPEG, "IMG_2.jpg", "memory://p/IMG_2.jpg")


def test_a_path_of_another_file_system_is_an_address(memory: Any) -> None:
    file = fsspec.open("memory://p/IMG_2.jpg")
    image = Image.open(file)
    assert (sent(image), image.filename, image.origin) == (JPEG, "IMG_2.jpg", "memory:///p/IMG_2.jpg")
    with file as opened:
        assert Image.open(opened).origin is None


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("memory://gone.jpg", "does not exist"),
        ("memory://p/notes.txt", None),
        ("memory://p/deep", "is a folder"),
        ("nosuch://x/1.jpg", "Protocol not known"),
        ("zip://1.jpg::memory://p/IMG_2.jpg", "cannot be read"),
        ("s3://bucket/1.jpg", "s3fs"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_in_words(
    memory: Any, address: str, what: str | None
) -> None:
    if what is None:
        assert Image.open(address).media_type == "image/jpeg"  # by its content
        return
    with pytest.raises(TuneError) as caught:
        Image.open(address)
    (problem,) = caught.value.problems
    assert what in problem.what
    hints = {"s3fs": "install", "is a folder": "end the address with /"}
    assert hints.get(what, "check the address") in problem.hint


def test_without_fsspec_an_address_is_answered_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    with pytest.raises(TuneError, match=r"pip install 'astria-nb\[fsspec\]'"):
        Image.open("s3://bucket/1.jpg")


class Zeros(fsspec.AbstractFileSystem):  # type: ignore[misc]
    """A photo with 64 megabytes behind it, which are nowhere."""

    protocol = "zeros"
    size = 64 * 2**20

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        return _ZeroFile(self.size)


class _ZeroFile(io.RawIOBase):
    def __init__(self, size: int) -> None:
        self._head, self._left = photo(64), size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._left)
        piece = self._head[:count] or bytes(count)
        self._head, self._left = self._head[len(piece) :], self._left - len(piece)
        buffer[: len(piece)] = piece
        return len(piece)


def test_a_huge_file_at_an_address_is_never_in_memory() -> None:
    fsspec.register_implementation("zeros", Zeros, clobber=True)
    tracemalloc.start()
    try:
        image = Image.open("zeros://x/1.jpg")
        opened = SentImage.open(image, Preprocessing(keep_metadata=True, keep_damaged=True))
        assert opened.size == Zeros.size
        assert opened.sha256() is not None
        opened.close()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2**20
