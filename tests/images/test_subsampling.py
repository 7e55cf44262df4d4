"""A JPEG of any subsampling is checked, or refused because it cannot be."""

import io
from pathlib import Path

import pytest
from PIL import Image

import astria_nb as anb
from astria_nb.errors import TuneError
from astria_nb.images import Image as Photo
from astria_nb.images import Preprocessing, SentImage
from astria_nb.images._advice import advise
from helpers.jpegs_by_hand import sampled_jpeg
from helpers.photos_with_metadata import PLACE

CHECKED = {(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (1, 4)}
OF_BRIGHTNESS = [(across, down) for across in range(1, 5) for down in range(1, 5)]
UNCHECKED = [
    *([factors, (1, 1), (1, 1)] for factors in OF_BRIGHTNESS if factors not in CHECKED),
    [(2, 2), (1, 1), (2, 2)],
    [(2, 1), (1, 1), (2, 1)],
    [(2, 2), (1, 2), (2, 1)],
    [(2, 2), (2, 2), (2, 2)],
    [(4, 2), (1, 1), (1, 1), (4, 2)],
]
UNUSUAL = "'photo.jpg' has an unusual colour subsampling, so it cannot be checked that it is complete"


def sent(folder: Path, content: bytes, **options: object) -> bytes:
    path = folder / "photo.jpg"
    path.write_bytes(content)
    opened = SentImage.open(Photo.open(path), Preprocessing(**options))  # type: ignore[arg-type]
    try:
        return b"".join(map(bytes, opened.blocks(memoryview(bytearray(opened.size)))))
    finally:
        opened.close()


def damaged(whole: bytes) -> list[bytes]:
    third = len(whole) // 3
    return [whole[:third] + b"\xff\xd9", whole[:-2] + PLACE * 5 + whole[-2:], whole[:-third]]


@pytest.mark.parametrize("factors", sorted(CHECKED), ids=str)
@pytest.mark.parametrize("keep_metadata", [False, True])
def test_a_jpeg_of_a_common_subsampling_is_checked(
    factors: tuple[int, int], keep_metadata: bool, tmp_path: Path
) -> None:
    """Also 4:4:1, which is a photo of 4:1:1 that was turned."""
    whole = sampled_jpeg([factors, (1, 1), (1, 1)])
    assert sent(tmp_path, whole, keep_metadata=keep_metadata) == whole
    for content in damaged(whole):
        with pytest.raises(TuneError, match=r"'photo\.jpg' is (damaged|incomplete).*keep_damaged=True"):
            sent(tmp_path, content, keep_metadata=keep_metadata)


@pytest.mark.parametrize("factors", UNCHECKED, ids=str)
def test_a_jpeg_that_cannot_be_checked_is_refused_and_sent_on_request(
    factors: list[tuple[int, int]], tmp_path: Path
) -> None:
    whole = sampled_jpeg(factors)
    for content in (whole, *damaged(whole)):
        for keep_metadata in (False, True):
            with pytest.raises(TuneError) as caught:
                sent(tmp_path, content, keep_metadata=keep_metadata)
        (problem,) = caught.value.problems
        assert problem.what == UNUSUAL
        assert problem.hint == "re-save it, remove it, or send it as it is with keep_damaged=True"
        assert sent(tmp_path, content, keep_damaged=True) == content
    out = io.BytesIO()
    Image.open(io.BytesIO(whole)).save(out, "JPEG")
    assert sent(tmp_path, out.getvalue())  # re-saved


@pytest.mark.slow
@pytest.mark.parametrize(
    "factors", [*([factors, (1, 1), (1, 1)] for factors in sorted(CHECKED)), *UNCHECKED], ids=str
)
def test_each_is_made_smaller_and_measured(factors: list[tuple[int, int]], tmp_path: Path) -> None:
    whole = sampled_jpeg(factors, 1000, 700)
    smaller = Image.open(io.BytesIO(sent(tmp_path, whole, max_side=512)))
    assert smaller.size == (512, 358)
    (measured,) = advise([tmp_path / "photo.jpg"])
    assert measured.thumbnail is not None
    assert not [advice for advice in measured.advice if advice.kind in ("damaged", "unusable")]


def test_a_tune_of_all_is_refused_for_those_that_cannot_be_checked(tmp_path: Path) -> None:
    photos = [tmp_path / f"{across}x{down}.jpg" for across, down in OF_BRIGHTNESS]
    for path, factors in zip(photos, OF_BRIGHTNESS, strict=True):
        path.write_bytes(sampled_jpeg([factors, (1, 1), (1, 1)]))
    refused = [f"'{across}x{down}.jpg'" for across, down in OF_BRIGHTNESS if (across, down) not in CHECKED]
    with anb.Sandbox() as sandbox:
        client = sandbox.client()
        tune = anb.Tune(pack=43, title="t", name="cat", images=photos)
        with pytest.raises(TuneError) as caught:
            anb.submit(tune, client)
        assert [problem.what.split()[0] for problem in caught.value.problems] == refused
        form = anb.TuneForm(client, pack=43, title="t", name="cat", images=photos)
        with pytest.raises(TuneError) as caught:
            form.submit()
        assert [problem.what.split()[0] for problem in caught.value.problems] == refused
        assert not [request for request in sandbox.ledger if request.method == "POST"]
        common = [path for path in photos if f"{path.name!r}" not in refused]
        assert anb.submit(anb.Tune(pack=43, title="a", name="cat", images=common), client)["id"].item()
        assert anb.submit(tune, client, keep_damaged=True)["id"].item()


def test_the_damage_of_a_cmyk_photo_is_told(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.effect_noise((1000, 700), 60).convert("CMYK").save(out, "JPEG")
    whole = out.getvalue()
    behind = damaged(whole)[1]
    assert Image.open(io.BytesIO(sent(tmp_path, whole, max_side=512))).size == (512, 358)
    for options in ({}, {"max_side": 512}):
        with pytest.raises(TuneError, match=r"'photo\.jpg' is damaged"):
            sent(tmp_path, behind, **options)
    (measured,) = advise([tmp_path / "photo.jpg"])
    assert [advice.kind for advice in measured.advice] == ["damaged"]
    assert sent(tmp_path, behind, max_side=512, keep_damaged=True)
