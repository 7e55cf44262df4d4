"""A JPEG is given to decoders only if its frame is baseline or progressive; what other ones are is told."""

import io
from pathlib import Path
from typing import Any, NoReturn

import pytest
import simplejpeg
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

import astria_nb as anb
from astria_nb.errors import TuneError
from astria_nb.images import Image as Photo
from astria_nb.images import Preprocessing, SentImage, small_thumbnail
from astria_nb.images._advice import advise
from astria_nb.images.metadata import read_frame
from helpers import photos_with_metadata as samples
from helpers.jpegs_by_hand import with_frame
from helpers.photos_with_metadata import segment

BASELINE = samples.jpeg()
UNUSUAL = {
    "C3": (with_frame(BASELINE, 0xC3), "is a lossless JPEG"),
    "C3 of 16 bits": (with_frame(BASELINE, 0xC3, precision=16), "is a lossless JPEG"),
    **{f"{n:X}": (with_frame(BASELINE, n), "is a hierarchical JPEG") for n in (0xC5, 0xC6, 0xC7)},
    "CB": (with_frame(BASELINE, 0xCB), "is a lossless JPEG"),
    **{f"{n:X}": (with_frame(BASELINE, n), "is a hierarchical JPEG") for n in (0xCD, 0xCE, 0xCF, 0xDE)},
    "12 bits": (with_frame(BASELINE, 0xC1, precision=12), "is a 12-bit JPEG"),
    "without a height": (with_frame(BASELINE, height=0), "is a JPEG whose height follows its pixels"),
    "with stray bytes": (
        samples.with_segments(with_frame(BASELINE, 0xC3), b"\0" * 500 + b"\xff\0\xff\xff"),
        "is a lossless JPEG",
    ),
}


@pytest.fixture
def no_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("it was given to a decoder")

    for function in ("decode_jpeg", "decode_jpeg_header"):
        monkeypatch.setattr(simplejpeg, function, called)
    for method in ("draft", "load"):
        monkeypatch.setattr(JpegImageFile, method, called)


@pytest.mark.usefixtures("no_decoder")
@pytest.mark.parametrize(("content", "what"), UNUSUAL.values(), ids=UNUSUAL)
def test_an_unusual_jpeg_is_named_and_never_decoded(content: bytes, what: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    for source in (path, content, io.BytesIO(content)):
        with pytest.raises(TuneError) as caught:
            Photo.open(source)
        (problem,) = caught.value.problems
        assert f"{what}, which few programs read" in problem.what
        assert problem.hint == "save it as an ordinary JPEG of 8 bits, or remove it"
    with pytest.raises(OSError, match=what):
        small_thumbnail(content)
    (measured,) = advise([path])
    assert what in str(measured.advice[0])


@pytest.mark.usefixtures("no_decoder")
def test_it_is_refused_by_submit_the_form_and_the_inspection_and_nothing_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_frame(BASELINE, 0xC3))
    with anb.Sandbox() as sandbox:
        client = sandbox.client()
        for options in ({}, {"max_side": 512}, {"keep_damaged": True}, {"keep_metadata": True}):
            with pytest.raises(TuneError, match="is a lossless JPEG"):
                anb.submit(anb.Tune(pack=43, title="t", name="cat", images=[path]), client, **options)
        form = anb.TuneForm(client, pack=43, title="t", name="cat", images=[path])
        with pytest.raises(TuneError, match="is a lossless JPEG"):
            form.submit()
        with pytest.raises(TuneError, match="is a lossless JPEG"):
            client.inspect(path, name="cat")
        assert not [request for request in sandbox.ledger if request.method == "POST"]


@pytest.mark.usefixtures("no_decoder")
@pytest.mark.parametrize("options", [{}, {"keep_metadata": True}, {"max_side": 512}])
def test_a_photo_that_is_replaced_by_one_is_not_decoded_either(
    options: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (640, 480)).save(path)
    opened = Photo.open(path)
    path.write_bytes(with_frame(BASELINE, 0xC3))
    with pytest.raises(TuneError):
        SentImage.open(opened, Preprocessing(**options))


def frame_at_the_end_of(head: bytes) -> tuple[int, int, int] | None:
    frame = read_frame(io.BytesIO(b"\xff\xd8" + head + segment(0xC3, b"\x08\0\x11\0\x12\1\1\x11\0")))
    return None if frame is None else (frame.marker, frame.height, frame.width)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff" * 1000,  # fill bytes
        b"\0" * 63,  # a marker is cut in two where the next bytes are read
        b"\xff\0" * 100,
        b"\xff\x01\xff\xd0\xff\xd7",  # markers without a length
        segment(0xE1, with_frame(BASELINE, 0xC0)),  # a preview
        segment(0xE1, bytes(65000)) * 3,
        b"\xff\xfe\0\0",  # a length that is too small
    ],
)
def test_the_frame_is_found_that_decoders_find(head: bytes) -> None:
    assert frame_at_the_end_of(head) == (0xC3, 17, 18)


@pytest.mark.parametrize("end", [b"\xff\xd8", b"\xff\xd9", b"\xff\xda\0\x08\1\1\0\0\x3f\0"])
def test_what_follows_the_headers_is_no_frame(end: bytes) -> None:
    assert frame_at_the_end_of(end) is None


def test_the_frames_of_ordinary_photos_are_ordinary(tmp_path: Path) -> None:
    for content in (BASELINE, samples.jpeg(progressive=True), samples.mpo(), samples.motion_photo()):
        frame = read_frame(io.BytesIO(content))
        assert frame is not None
        assert (frame.width, frame.height, frame.is_ordinary) == (80, 60, True)
        assert Photo.open(content).width == 80
