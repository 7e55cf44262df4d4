"""A picture that cannot be decoded to its end is refused before it is paid for; a sound one never is."""

import io
import os
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import astria_nb as anb
from astria_nb.errors import BatchError, TuneError
from astria_nb.images import Image as Photo
from astria_nb.images import Preprocessing, SentImage, _damage, _file_memory, _upload
from astria_nb.images._advice import advise
from helpers import photos_with_metadata as samples
from helpers.interlaced_png import interlaced_png
from helpers.photos_with_metadata import PLACE

NOISE = Image.effect_noise((320, 240), 60).convert("RGB")


def saved(
    file_format: str, mode: str = "RGB", size: tuple[int, int] = NOISE.size, **options: object
) -> bytes:
    out = io.BytesIO()
    NOISE.resize(size).convert(mode).save(out, file_format, **options)
    return out.getvalue()


def send(folder: Path, content: bytes, preprocessing: Preprocessing = Preprocessing()) -> bytes:  # noqa: B008
    path = folder / "photo"
    path.write_bytes(content)
    opened = SentImage.open(Photo.open(str(path)), preprocessing)
    try:
        return b"".join(map(bytes, opened.blocks(memoryview(bytearray(opened.size)))))
    finally:
        opened.close()


SOUND = {
    "JPEG": saved("JPEG"),
    "grey JPEG": saved("JPEG", "L"),
    "CMYK JPEG": saved("JPEG", "CMYK"),
    "progressive JPEG": saved("JPEG", progressive=True),
    "JPEG with restarts": saved("JPEG", restart_marker_blocks=3),
    "JPEG 4:4:4": saved("JPEG", subsampling=0),
    "JPEG of the best quality": saved("JPEG", optimize=True, quality=100),
    "JPEG with stray bytes": samples.with_segments(saved("JPEG"), PLACE, at=b"\xff\xc4"),
    "JPEG with a video behind": samples.motion_photo(),
    "JPEG with a second picture": samples.mpo(),
    "PNG": saved("PNG"),
    "PNG with a palette": saved("PNG", "P"),
    "black and white PNG": saved("PNG", "1"),
    "grey PNG of 16 bits": saved("PNG", "I;16"),
    "transparent PNG": saved("PNG", "RGBA"),
    "animated PNG": samples.animated("PNG"),
    "WebP": saved("WEBP"),
    "lossless WebP": saved("WEBP", lossless=True),
    "animated WebP": samples.animated("WEBP"),
}


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND)
@pytest.mark.parametrize("keep_metadata", [False, True])
def test_a_sound_picture_is_sent(content: bytes, keep_metadata: bool, tmp_path: Path) -> None:
    unchecked = Preprocessing(keep_metadata, keep_damaged=True)
    assert send(tmp_path, content, Preprocessing(keep_metadata)) == send(tmp_path, content, unchecked)


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def overwritten(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(60) + content[middle + 60 :]


JPEG = saved("JPEG")
DAMAGED: dict[str, tuple[bytes, str]] = {
    "cut off": (cut(JPEG), "is incomplete"),
    "cut off, progressive": (cut(SOUND["progressive JPEG"]), "is incomplete"),
    "without its last bytes": (JPEG[:-2], "is incomplete"),
    "words before the end": (JPEG[:-2] + PLACE * 5 + JPEG[-2:], "is damaged"),
    "overwritten": (overwritten(JPEG), "is damaged"),
    "WebP, cut off": (cut(SOUND["lossless WebP"])[:-1] + b"\0", ""),
}


@pytest.mark.parametrize(("content", "why"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_picture_is_refused_and_sent_on_request(content: bytes, why: str, tmp_path: Path) -> None:
    with pytest.raises(TuneError) as caught:
        send(tmp_path, content)
    (problem,) = caught.value.problems
    assert problem.field == "images"
    assert problem.what.startswith(f"'photo' {why}")
    if "incomplete" in why or "damaged" in why:
        assert "keep_damaged=True" in problem.hint
        assert send(tmp_path, content, Preprocessing(keep_damaged=True))
    assert send(tmp_path, JPEG)  # what replaces it is looked at anew


def test_a_damaged_picture_is_not_made_smaller_either(tmp_path: Path) -> None:
    out = io.BytesIO()
    NOISE.resize((1000, 800)).save(out, "JPEG")
    whole = out.getvalue()
    for content in (cut(whole), whole[:-2] + PLACE + whole[-2:]):
        with pytest.raises(TuneError, match="damaged"):
            send(tmp_path, content, Preprocessing(max_side=512))
    behind = whole[:-2] + PLACE + whole[-2:]
    assert send(tmp_path, behind, Preprocessing(max_side=512, keep_damaged=True))
    with pytest.raises(TuneError, match="damaged"):  # also after that
        send(tmp_path, behind, Preprocessing(max_side=512))
    assert send(tmp_path, whole, Preprocessing(max_side=512))


@pytest.mark.slow
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_a_long_compressed_text_is_no_damage(before: bytes, kind: bytes, tmp_path: Path) -> None:
    whole = saved("PNG")
    head = b"\0\0" if kind == b"zTXt" else b"\0\1\0\0\0"
    text = samples.chunk(kind, b"Comment" + head + zlib.compress(PLACE * 200_000))
    place = whole.index(before) - 4
    photo = whole[:place] + text + whole[place:]
    assert send(tmp_path, photo) == send(tmp_path, whole)
    assert send(tmp_path, photo, Preprocessing(max_side=512)) == send(tmp_path, whole)
    large = saved("PNG", size=(900, 700))
    photo = large[: large.index(before) - 4] + text + large[large.index(before) - 4 :]
    smaller = Preprocessing(max_side=512)
    assert send(tmp_path, photo, smaller) == send(tmp_path, large, smaller)
    (measured,) = advise([tmp_path / "photo"])
    assert measured.thumbnail is not None


def test_long_preparations_show_how_far_they_are_and_can_be_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_upload, "_SILENT_SECONDS", -1)
    for number in range(6):
        (tmp_path / f"{number}.jpg").write_bytes(JPEG)
    with anb.Sandbox() as sandbox:
        tune = anb.Tune(pack=43, title="t", name="cat", images=str(tmp_path))
        texts: list[str] = []
        anb.submit(tune, sandbox.client(), say=lambda _, text: texts.append(text))
        assert [text for text in texts if "photo" in text] == [
            f"preparing photo {n} of 6" for n in range(1, 7)
        ]

        def interrupt(_: float, text: str) -> None:
            if text == "preparing photo 3 of 6":
                raise KeyboardInterrupt

        other = anb.Tune(pack=43, title="other", name="cat", images=str(tmp_path))
        with pytest.raises(KeyboardInterrupt):
            anb.submit(other, sandbox.client(), say=interrupt)
        assert len([request for request in sandbox.ledger if request.method == "POST"]) == 1


def png_with(data: Callable[[bytes], bytes]) -> bytes:
    """Return a PNG of one IDAT whose compressed pixels were changed; its checksum is right."""
    whole = SOUND["transparent PNG"]
    start, end = whole.index(b"IDAT") - 4, whole.index(b"IEND") - 4
    content = b"".join(part[8:-4] for part in _chunks(whole[start:end]))
    return whole[:start] + samples.chunk(b"IDAT", data(content)) + whole[end:]


def _chunks(content: bytes) -> list[bytes]:
    chunks = []
    while content:
        size = 12 + int.from_bytes(content[:4])
        chunks.append(content[:size])
        content = content[size:]
    return chunks


def test_what_follows_the_pixels_of_a_png_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of one that has no metadata, and of one that was sent with its metadata before."""
    monkeypatch.setattr(_file_memory, "_SETTLED_NS", 0)
    photo = tmp_path / "photo.png"
    photo.write_bytes(png_with(lambda data: data + PLACE))
    for keep_metadata in (False, True, False):
        opened = SentImage.open(Photo.open(str(photo)), Preprocessing(keep_metadata))
        content = b"".join(map(bytes, opened.blocks(memoryview(bytearray(opened.size)))))
        opened.close()
        assert (PLACE in content) == keep_metadata


@pytest.mark.parametrize("data", [lambda data: data[:-4], lambda data: data[: len(data) // 2], overwritten])
def test_pixels_of_a_png_that_are_not_complete_are_refused(
    data: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    with pytest.raises(TuneError, match=r"is (incomplete|damaged).*keep_damaged=True"):
        send(tmp_path, png_with(data))
    assert send(tmp_path, png_with(data), Preprocessing(keep_damaged=True))


def test_a_png_with_fewer_rows_than_it_says_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TuneError, match="is incomplete"):
        send(tmp_path, png_with(lambda data: zlib.compress(zlib.decompress(data)[: -320 * 4])))


@pytest.mark.parametrize("surplus", [PLACE, PLACE * 100_000, b"\0"])
def test_what_is_compressed_behind_the_pixels_of_a_png_is_not_sent(surplus: bytes, tmp_path: Path) -> None:
    photo = png_with(lambda data: zlib.compress(zlib.decompress(data) + surplus))
    words = r"'photo' holds more than its pixels.*keep_metadata=True"
    with pytest.raises(TuneError, match=words):
        send(tmp_path, photo)
    assert send(tmp_path, photo, Preprocessing(keep_metadata=True)) == photo
    with pytest.raises(TuneError, match=words):
        send(tmp_path, photo)
    assert send(tmp_path, photo, Preprocessing(keep_damaged=True)) == photo


@pytest.mark.parametrize("side", range(1, 18))
@pytest.mark.parametrize("mode", ["1", "P", "L", "LA", "RGB", "RGBA", "I;16"])
def test_an_interlaced_png_is_sent_whatever_its_size(mode: str, side: int, tmp_path: Path) -> None:
    for size in ((side, 9), (9, side), (side, side)):
        image = NOISE.convert("L").crop((0, 0, *size)).convert(mode)
        photo = interlaced_png(image)
        assert Image.open(io.BytesIO(photo)).tobytes() == image.tobytes()
        assert send(tmp_path, photo) == photo


def test_a_file_is_decoded_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    original = _damage.check_jpeg
    monkeypatch.setattr(_damage, "check_jpeg", lambda content: (decoded.append(1), original(content)))
    monkeypatch.setattr(_file_memory, "_SETTLED_NS", 0)
    path = tmp_path / "photo.jpg"
    path.write_bytes(JPEG)
    for _ in range(3):
        SentImage.open(Photo.open(str(path)), Preprocessing()).close()
    assert len(decoded) == 1
    time = path.stat().st_mtime_ns
    path.write_bytes(overwritten(JPEG))
    os.utime(path, ns=(time, time))  # a copy that keeps the times
    with pytest.raises(TuneError):
        SentImage.open(Photo.open(str(path)), Preprocessing())


def test_a_file_is_searched_for_metadata_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = []
    original = _upload.without_metadata
    monkeypatch.setattr(
        _upload,
        "without_metadata",
        lambda *args, **options: (searched.append(1), original(*args, **options))[1],
    )
    monkeypatch.setattr(_file_memory, "_SETTLED_NS", 0)
    path = tmp_path / "photo.jpg"
    comment = b"\xff\xfe" + (len(PLACE) + 2).to_bytes(2) + PLACE
    after_first = 4 + int.from_bytes(JPEG[4:6])
    times: list[int] = []
    for start in (2, after_first):  # of the same size, in another place
        path.write_bytes(JPEG[:start] + comment + JPEG[start:])
        if times:
            os.utime(path, ns=(times[0], times[0]))  # a copy that keeps the times
        times.append(path.stat().st_mtime_ns)
        for _ in range(3):
            opened = SentImage.open(Photo.open(str(path)), Preprocessing(keep_damaged=True))
            assert PLACE not in b"".join(map(bytes, opened.blocks(memoryview(bytearray(opened.size)))))
            opened.close()
    assert len(searched) == 2


def test_random_changes_are_refused_or_leave_the_picture_whole(tmp_path: Path) -> None:
    chance = random.Random(5)
    refusals = list[str]()
    for _ in range(60):
        content = bytearray(JPEG)
        for _ in range(20):
            content[chance.randrange(700, len(content) - 2)] ^= 1 << chance.randrange(8)
        try:
            send(tmp_path, bytes(content))
        except TuneError as error:
            refusals.append(str(error))
    assert len(refusals) > 50
    assert all("keep_damaged=True" in text or "keep_metadata=True" in text for text in refusals)


def test_each_damaged_photo_of_a_tune_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    for number, content in enumerate([JPEG, cut(JPEG), JPEG, JPEG[:-2]]):
        (tmp_path / f"{number}.jpg").write_bytes(content)
    with anb.Sandbox() as sandbox:
        tune = anb.Tune(pack=43, title="t", name="cat", images=str(tmp_path))
        with pytest.raises(TuneError) as caught:
            anb.submit(tune, sandbox.client())
        assert [problem.what.split()[0] for problem in caught.value.problems] == ["'1.jpg'", "'3.jpg'"]
        assert not [request for request in sandbox.ledger if request.method == "POST"]
        row = {"key": "a", "pack": 43, "name": "cat", "images": [str(tmp_path / "1.jpg")]}
        with pytest.raises(BatchError, match="keep_damaged"):
            anb.submit_many([row], sandbox.client())
        assert not [request for request in sandbox.ledger if request.method == "POST"]
        form = anb.TuneForm(sandbox.client(), keep_damaged=True)
        assert form.to_dict()["keep_damaged"] is True
