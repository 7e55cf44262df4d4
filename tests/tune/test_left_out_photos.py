"""Photos of a folder that cannot be sent are told of before the rest of it is paid."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

import astria_nb as anb
from astria_nb.submission import remarks_on
from astria_nb.tune import check

TRAIN: dict[str, Any] = {"pack": 43, "title": "t", "name": "cat"}
CLOUD = (
    "images: 2 photos in the folder, such as 'IMG_2.HEIC', are in iCloud only, and not on this disk; "
    "choose Download Now in Finder, and give the folder again"
)
RAW = (
    "images: 1 file in the folder, 'IMG_4.DNG', is in a camera's raw format, which cannot be sent; "
    "export a JPEG into the folder, and give it again"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("anna").mkdir()
    for name in ("IMG_1.jpg", "IMG_5.jpg"):
        Pillow.new("RGB", (64, 64), "teal").save(f"anna/{name}")
    for name in (".IMG_2.HEIC.icloud", ".IMG_3.jpg.icloud", ".notes.txt.icloud", ".IMG_1.jpg.icloud"):
        Path("anna", name).write_bytes(b"bplist00")
    for name in ("IMG_4.DNG", "IMG_5.CR2", "img_1.cr2"):  # two beside their JPEGs
        Path("anna", name).write_bytes(b"II*\0")
    Path("anna", "exported.dng").mkdir()
    return tmp_path / "anna"


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as sandbox:
        yield sandbox


@pytest.mark.parametrize("images", ["anna", "anna/*.jpg", ["anna/IMG_1.jpg", "anna/IMG_5.jpg"]], ids=repr)
def test_photos_that_are_not_there_are_told_once_before_the_rest_is_sent(
    folder: Path, sandbox: anb.Sandbox, images: Any
) -> None:
    tune = anb.Tune(**TRAIN, images=images)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="in iCloud only"):
            anb.submit(tune, sandbox.client())
    assert not list(sandbox.client().tunes())
    with pytest.warns(UserWarning, match="in the folder") as caught:
        anb.submit(tune, sandbox.client())
    assert [str(one.message) for one in caught] == [CLOUD, RAW]


def test_a_batch_and_a_form_tell_it_too(folder: Path, sandbox: anb.Sandbox) -> None:
    with pytest.warns(UserWarning, match="in the folder") as caught:
        anb.submit_many([{**TRAIN, "title": title, "images": "anna"} for title in "ab"], sandbox.client())
    assert [str(one.message) for one in caught] == [f"{CLOUD} (in 2 rows)", f"{RAW} (in 2 rows)"]
    values, _ = check({**TRAIN, "images": "anna"})  # as the form does
    assert [str(remark) for remark in remarks_on(values, sandbox.client())] == [CLOUD, RAW]


def test_who_chose_some_photos_of_a_folder_misses_none(folder: Path, sandbox: anb.Sandbox) -> None:
    values, _ = check({**TRAIN, "images": ["anna/IMG_1.jpg"]})
    assert remarks_on(values, sandbox.client()) == []


def test_what_came_to_the_disk_is_not_missing(folder: Path, sandbox: anb.Sandbox) -> None:
    def remarks() -> list[str]:
        values, _ = check({**TRAIN, "images": "anna"})
        return [str(remark) for remark in remarks_on(values, sandbox.client())]

    assert remarks() == [CLOUD, RAW]
    for path in (folder / ".IMG_2.HEIC.icloud", folder / ".IMG_3.jpg.icloud", folder / "IMG_4.DNG"):
        path.unlink()
    os.utime(folder, ns=(1, 1))  # whatever the disk's clock
    assert remarks() == []


def test_a_folder_of_nothing_else_says_where_its_photos_are(folder: Path) -> None:
    for path in folder.glob("*.jpg"):
        path.unlink()
    _, (problem,) = check({**TRAIN, "images": "anna"})
    assert problem.what.startswith(
        "'anna' has no picture: 3 photos in the folder, such as 'IMG_1.jpg', are in"
    )
    assert "Download Now" in problem.hint
