"""Captions beside photos: sent where the API's documents allow them, and never without being asked for."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image as Pillow

import astria_nb as anb
from astria_nb.submission import remarks_on
from astria_nb.submission.batch import read_tunes
from astria_nb.tune import check

TRAIN: dict[str, Any] = {"pack": 43, "title": "t", "name": "cat"}
FLUX = {**TRAIN, "preset": "flux-lora-fast"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("IMG_2.jpg", "IMG_10.JPG", "c.png")):
        Pillow.new("RGB", (64, 64 + number), "teal").save(name)
    Path("IMG_2.txt").write_text("a cat on a mat", "utf-8")
    Path("IMG_10.txt").write_text("\ufeffa cat, Graz", "utf-8")
    Path("notes.txt").write_text("buy milk")
    Path("c.txt").touch()
    return tmp_path


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as sandbox:
        yield sandbox


def names(tune: Any) -> list[str]:
    return [image.filename for image in tune.images]


ALL = ["IMG_2.jpg", "IMG_2.txt", "IMG_10.JPG", "IMG_10.txt", "c.png"]


@pytest.mark.parametrize("images", [".", Path(), "*.*", "file://{}"], ids=repr)
def test_captions_go_with_a_folder_for_flux(folder: Path, sandbox: anb.Sandbox, images: Any) -> None:
    images = images.format(folder) if isinstance(images, str) else images
    tune = anb.Tune(**FLUX, images=images)
    assert names(tune) == ALL
    (deferred,) = read_tunes([{**FLUX, "images": images}]).tunes
    assert names(deferred) == ALL
    assert names(anb.Tune(**TRAIN, images=images)) == ALL[::2]


def test_the_service_gets_what_is_in_them(folder: Path, sandbox: anb.Sandbox) -> None:
    client, log = sandbox.client(), anb.ExperimentLog()
    row = anb.submit(anb.Tune(**FLUX, images="."), client, log=log, max_side=512)
    (received,) = sandbox.received()
    sent = str(received.params)
    names = ["1.jpg", "1.txt", "2.jpg", "2.txt", "3.png"]
    assert [name for name in names if name in sent] == names
    assert not [name for name in ALL if name in sent]
    assert [image.filename for image in log.get(1).request.images] == ALL
    assert len(row["image_sha256"].iloc[0]) == 5
    assert len(row["orig_images"].iloc[0]) == 3
    assert log.replay(1, client)["id"].iloc[0] != row["id"].iloc[0]
    Path("IMG_2.txt").write_text("another")
    with pytest.raises(anb.errors.TuneError, match=r"'IMG_2\.txt' has changed since it was sent"):
        log.replay(1, client)


def test_captions_that_are_listed_are_sent_whatever_the_pack(folder: Path) -> None:
    tune = anb.Tune(**TRAIN, images=["IMG_2.jpg", Path("IMG_2.txt")])
    assert [image.media_type for image in tune.images] == ["image/jpeg", "text/plain"]
    assert "IMG_2.txt;type=text/plain" in anb.as_curl(tune)


def test_captions_that_are_not_sent_are_remarked_on(folder: Path, sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    with pytest.warns(
        UserWarning, match=r"captions beside the photos, 'IMG_2\.txt' and 1 more, are not sent"
    ):
        anb.submit(anb.Tune(**TRAIN, images="."), client)
    for fields in ({**FLUX, "images": "."}, {**TRAIN, "images": ["IMG_2.jpg", "IMG_2.txt"]}):
        assert remarks_on(vars(anb.Tune(**fields)), client) == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"x" * 70_000, "is too long for a caption"),
        (b"\xff\xfe", "is not text"),
        (b"a\0b", "is not text"),
        (b" \n", "is empty"),
    ],
)
def test_what_is_no_caption_is_refused(folder: Path, content: bytes, what: str) -> None:
    Path("IMG_2.txt").write_bytes(content)
    for images in (["IMG_2.jpg", "IMG_2.txt"], "."):
        (problem,) = check({**FLUX, "images": images})[1]
        assert problem.what == f"'IMG_2.txt' {what}"


def test_a_text_beside_no_photo_is_refused_in_a_list_and_left_out_of_a_folder(folder: Path) -> None:
    (problem,) = check({**TRAIN, "images": ["c.png", "notes.txt"]})[1]
    assert problem.what == "'notes.txt' is a caption with no matching photo in the list"
    (problem,) = check({**TRAIN, "images": ["IMG_2.txt"]})[1]
    assert problem.what == "'IMG_2.txt' is a caption with no matching photo in the list"
    assert "notes.txt" not in names(anb.Tune(**FLUX, images="."))


def test_a_form_counts_and_shows_captions_as_what_they_are(folder: Path, sandbox: anb.Sandbox) -> None:
    form = anb.TuneForm(sandbox.client(), **FLUX, images=".")
    field = form._draft._images
    assert field.summary.startswith("3 images · 2 captions · ")
    assert [tile["detail"].partition(" · ")[0] for tile in field._list.items][:2] == ["64 x 64", "caption"]
    assert [image.path.name for image in form._draft._inspectable()[0]] == ALL[::2]  # type: ignore[union-attr]
    assert anb.submit(form)["title"].tolist() == ["t"]


def test_a_frame_through_csv_keeps_its_captions(folder: Path) -> None:
    frame = pd.DataFrame([{**FLUX, "images": ALL}])
    back = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    assert [names(tune) for tune in read_tunes(back).tunes] == [ALL]
