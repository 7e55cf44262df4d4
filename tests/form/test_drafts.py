"""What a draft keeps of a form between two kernels, also when its file or its disk is in trouble."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb

FOLDER = ".astria_drafts"
Open = Callable[..., anb.TuneForm]


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


@pytest.fixture
def open_draft(sandbox: anb.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Return a function that opens the draft of a folder's log, as another kernel does each time."""
    forms = []

    def open_form(folder: Path = tmp_path, **fields: Any) -> anb.TuneForm:
        monkeypatch.setattr("astria_nb.form._draft_photos._shown", set())
        log = anb.ExperimentLog(folder / "log.sqlite")
        forms.append(anb.TuneForm(sandbox.client(), log=log, draft="cats", **fields))
        return forms[-1]

    yield open_form
    for form in forms:
        form._panel.training.stop()


def drop(form: anb.TuneForm, *photos: Path) -> None:
    """Put photos into a form as its upload does."""
    field = form._draft.fields["images"]
    for photo in photos:
        path = field._zone._spool.create(photo.name)
        path.write_bytes(photo.read_bytes())
        field._add([path])


def let_two_days_pass(folder: Path) -> None:
    for photo_folder in (folder / FOLDER / "cats.photos").iterdir():
        os.utime(photo_folder, (time.time() - 2 * 86400,) * 2)


def images(form: anb.TuneForm) -> list[Path]:
    return [Path(path) for path in form.to_dict().get("images", [])]


# Photos from the reader's computer


@pytest.mark.parametrize("how", ["renamed", "copied", "linked"])
def test_the_photos_of_a_draft_outlive_another_name_of_its_folder(
    open_draft: Open, photos: list[Path], tmp_path: Path, how: str
) -> None:
    first, second = tmp_path / "project", tmp_path / "project-2026"
    first.mkdir()
    drop(open_draft(first), *photos[:3])
    let_two_days_pass(first)
    if how == "renamed":
        first.rename(second)
    elif how == "copied":
        shutil.copytree(first, second)
    else:
        second.symlink_to(first)
    for _ in range(2):
        form = open_draft(second)
        assert [path.read_bytes() for path in images(form)] == [path.read_bytes() for path in photos[:3]]
        assert all(path.is_relative_to(second) for path in images(form))
        let_two_days_pass(second)


def test_a_draft_of_an_earlier_release_finds_its_photos_in_a_renamed_folder(
    open_draft: Open, photos: list[Path], tmp_path: Path
) -> None:
    first, second = tmp_path / "project", tmp_path / "project-2026"
    first.mkdir()
    form = open_draft(first, pack=797)
    drop(form, *photos[:2])
    file = first / FOLDER / "cats.json"
    earlier = {"pack": 797, "images": [str(path) for path in images(form)]}  # which had absolute paths
    form.close()
    file.write_text(json.dumps(earlier | {"list": [earlier]}))
    let_two_days_pass(first)
    first.rename(second)
    form = open_draft(second)
    assert [path.read_bytes() for path in images(form)] == [path.read_bytes() for path in photos[:2]]
    (listed,) = form._list.tunes
    assert listed.values["images"] == form.to_dict()["images"]


def test_a_photo_that_only_a_listed_tune_has_is_kept(
    open_draft: Open, photos: list[Path], tmp_path: Path
) -> None:
    form = open_draft(pack=797, name="cat")
    drop(form, *photos[:2])
    form._on_add()
    assert form._draft.is_blank
    let_two_days_pass(tmp_path)
    for _ in range(2):
        form = open_draft()
        let_two_days_pass(tmp_path)
    assert all(Path(path).is_file() for path in form._list.tunes[0].values["images"])


def test_a_relative_path_that_was_typed_is_kept_as_it_was(open_draft: Open) -> None:
    open_draft(images=["photos/1.jpg"])
    assert open_draft().to_dict()["images"] == ["photos/1.jpg"]
