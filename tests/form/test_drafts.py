"""What a draft keeps of a form between two kernels, also when its file or its disk is in trouble."""

import errno
import io
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pytest
from PIL import Image as Pillow

import astria_nb as anb
from astria_nb.images import Preprocessing
from helpers.form_widgets import descendants, messages
from helpers.photos_with_metadata import PLACE, jpeg
from helpers.waiting import until

FOLDER = ".astria_drafts"
Open = Callable[..., anb.TuneForm]
FIELDS: dict[str, Any] = {
    "pack": 43,
    "name": "cat",
    "title": "t",
    "images": ["photos/1.jpg"],
    "image_urls": ["https://example.com/1.jpg"],
    "callback": "https://example.com/a",
    "characteristics": {"eye_color": "blue eyes"},
    "prompt_attributes": {"num_images": 2, "callback": "https://example.com/b"},
    "prompts_callback": "https://example.com/c",
    "tune_ids": [5],
    "prompt_ids": [6],
    "preset": "flux-lora-fast",
    "brief": "warm light",
    "auto_extend": False,
    "branch": "fast",
}


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


def add_to_the_list(form: anb.TuneForm) -> None:
    until(lambda: form.status == "ready")  # once its pack was looked up
    form._list_editor.on_add()


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
    add_to_the_list(form)
    assert form._draft.is_blank
    let_two_days_pass(tmp_path)
    for _ in range(2):
        form = open_draft()
        let_two_days_pass(tmp_path)
    assert all(Path(path).is_file() for path in form._list.tunes[0].values["images"])


@pytest.mark.parametrize(
    "path", ["photos/1.jpg", "1.jpg", "../cats.json", "/1.jpg", "/", ".", "", "a\0/b", "x" * 5000]
)
def test_a_path_that_was_typed_is_kept_as_it_was(open_draft: Open, tmp_path: Path, path: str) -> None:
    (tmp_path / FOLDER / "cats.photos").mkdir(parents=True)
    open_draft(images=[path])
    assert open_draft().to_dict()["images"] == [path]


def test_photos_whose_draft_is_elsewhere_for_a_while_are_kept(
    open_draft: Open, photos: list[Path], tmp_path: Path
) -> None:
    drop(open_draft(), *photos[:2])
    file = tmp_path / FOLDER / "cats.json"
    away = file.rename(tmp_path / "cats.json")
    let_two_days_pass(tmp_path)
    open_draft()
    away.rename(file)
    assert all(path.is_file() for path in images(open_draft()))


def test_a_photo_whose_name_looks_like_a_key_is_kept(open_draft: Open, photos: list[Path]) -> None:
    photo = photos[0].rename(photos[0].with_name("sd_portrait_00001_final.jpg"))
    form = open_draft(pack=797, name="cat")
    drop(form, photo)
    assert [path.name for path in images(open_draft())] == [photo.name]


def test_a_tune_of_the_list_whose_key_was_not_saved_is_not_sent_without_it(
    open_draft: Open, tmp_path: Path
) -> None:
    callback = "https://example.com/?key=sd_CaNaRy0123456789abcdefgh"
    form = open_draft(pack=797, name="cat", image_urls=["https://example.com/1.jpg"], callback=callback)
    add_to_the_list(form)
    assert "CaNaRy" not in (tmp_path / FOLDER / "cats.json").read_text()
    for _ in range(2):
        form = open_draft()
        assert "callback: was not saved with the draft" in messages(form)
    form._submitter.start()
    until(lambda: form.status != "sending")
    assert form.rows.empty
    form._list_editor.edit(form._list.tunes[0])
    form.fill(callback=callback)
    add_to_the_list(form)
    assert form._list.tunes[0].values["callback"] == callback
    assert not form._list.tunes[0].problems


# What takes precedence: the draft, or the cell


def box(form: anb.TuneForm, start: str) -> widgets.Checkbox:
    """Return the switch whose name begins like this."""
    return next(
        widget
        for widget in descendants(form)
        if isinstance(widget, widgets.Checkbox) and widget.description.startswith(start)
    )


def test_a_location_that_the_reader_does_not_send_stays_here_when_the_cell_runs_again(
    open_draft: Open, tmp_path: Path, sandbox: anb.Sandbox
) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(jpeg())
    cell: dict[str, Any] = {"pack": 260, "name": "man", "images": [photo], "keep_metadata": True}
    box(open_draft(**cell), "Keep location").value = False
    for _ in range(2):
        form = open_draft(**cell)
        assert not box(form, "Keep location").value
    row = form.submit()
    assert PLACE not in sandbox.client().picture(row["orig_images"].iloc[0][0])


def test_what_the_reader_emptied_or_turned_off_stays_so_when_the_cell_runs_again(open_draft: Open) -> None:
    cell = {**FIELDS, "keep_metadata": True, "max_side": 1024, "keep_damaged": True}
    form = open_draft(**cell)
    assert form.to_dict() == cell
    form._draft.switches.preprocessing = Preprocessing()
    form.fill(**dict.fromkeys(FIELDS))
    for _ in range(3):
        form = open_draft(**cell)
        assert form.to_dict() == {}
    form.fill(brief="cold light")
    box(form, "Make photos smaller").value = True
    assert open_draft(**cell).to_dict() == {"brief": "cold light", "max_side": 2048}


def test_the_encoding_is_restored_and_automatic_again_if_it_was_chosen_so(open_draft: Open) -> None:
    open_draft(**FIELDS)._draft.fields["encoding"].value = "json"
    form = open_draft(**FIELDS)
    assert form._draft.encoding == "json"
    assert "encoding" not in form.to_dict()
    form._draft.fields["encoding"].value = None
    assert open_draft()._draft.encoding is None


def test_photos_that_went_into_the_list_do_not_come_back_from_the_cell(
    open_draft: Open, photos: list[Path]
) -> None:
    cell: dict[str, Any] = {"pack": 797, "name": "cat", "images": photos}
    add_to_the_list(open_draft(**cell))
    for _ in range(2):
        form = open_draft(**cell)
        assert form._draft.is_blank
        assert len(form._list.tunes) == 1


def test_a_field_that_a_cell_names_only_later_is_taken_from_it(open_draft: Open) -> None:
    open_draft(pack=797, name="cat")
    again = open_draft(pack=260, brief="warm light", keep_metadata=True).to_dict()
    assert again == {"pack": 797, "name": "cat", "brief": "warm light", "keep_metadata": True} | {
        "title": again["title"]
    }


def test_a_field_that_is_not_saved_for_its_key_is_taken_from_the_cell(open_draft: Open) -> None:
    cell = {"callback": "https://example.com/?key=sd_CaNaRy0123456789abcdefgh"}
    open_draft(**cell)
    form = open_draft(**cell)
    assert form.to_dict()["callback"] == cell["callback"]
    form.fill(callback=None)
    assert "callback" not in open_draft(**cell).to_dict()


# Photos in memory


def photo_of(number: int) -> Pillow.Image:
    return Pillow.new("RGB", (64 + number, 64), "teal")


def in_memory(number: int) -> bytes:
    file = io.BytesIO()
    photo_of(number).save(file, "JPEG")
    return file.getvalue()


def received(form: anb.TuneForm) -> list[tuple[int, int]]:
    """Return the sizes of the photos of the last tune, as the service has them."""
    urls = form.rows["orig_images"].iloc[-1]
    return [Pillow.open(io.BytesIO(form.client.picture(url))).size for url in urls]


def test_photos_in_memory_are_in_the_draft_once_and_for_their_owner(
    open_draft: Open, photos: list[Path], tmp_path: Path
) -> None:
    array = np.asarray(photo_of(2))
    memory = [in_memory(1), in_memory(1), array, photo_of(3), io.BytesIO(in_memory(4))]
    cell: dict[str, Any] = {"pack": 797, "name": "cat", "images": [photos[0], *memory]}
    open_draft(**cell)
    for _ in range(2):
        form = open_draft(**cell)
        assert len(images(form)) == 6
        until(lambda form=form: form.status == "ready")
        let_two_days_pass(tmp_path)
    form.submit()
    assert [width for width, _ in received(form)] == [64, 65, 65, 66, 67, 68]
    drafts = tmp_path / FOLDER
    kept = sorted((drafts / "cats.photos").rglob("*"))
    assert sum(path.is_file() for path in kept) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o700, 0o600}


def test_a_draft_names_its_photos_as_earlier_versions_do(open_draft: Open, tmp_path: Path) -> None:
    """They delete photos whose folders it does not name."""
    open_draft(pack=797, name="cat", images=[in_memory(1)])
    (saved,) = json.loads((tmp_path / FOLDER / "cats.json").read_text())["images"]
    assert Path(saved).is_file()


def test_photos_in_memory_are_sent_with_the_tune_of_a_restored_list(
    open_draft: Open, photos: list[Path]
) -> None:
    form = open_draft(pack=797, name="cat", images=[*photos[:2], in_memory(5), in_memory(6)])
    add_to_the_list(form)
    form = open_draft()
    form._submitter.start()
    until(lambda: len(form.rows) == 1 and form.status != "sending")
    assert [width for width, _ in received(form)] == [64, 64, 69, 70]


def test_a_tune_whose_photos_could_not_be_kept_is_not_ready(
    open_draft: Open, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    # For the whole test: a form saves its draft again when a look-up ends.
    monkeypatch.setattr("astria_nb.form._draft_photos.shutil.copyfileobj", full)
    with pytest.warns(UserWarning, match="the draft is not saved"):
        form = open_draft(pack=797, name="cat", images=[*photos[:2], in_memory(5)])
    add_to_the_list(form)
    form.fill(images=[photos[0], in_memory(5)])
    again = open_draft()
    assert again.status == "incomplete"
    assert "does not exist" in str(again.problems[0])
    assert "does not exist" in str(again._list.tunes[0].problems[0])
    again._submitter.start()
    assert again.rows.empty


# Trouble with the disk


def test_a_draft_that_could_not_be_saved_is_saved_with_the_next_change(
    open_draft: Open, tmp_path: Path
) -> None:
    drafts = tmp_path / FOLDER
    form = open_draft(pack=797)
    shutil.rmtree(drafts)
    drafts.write_text("")  # nothing can be saved in there
    with pytest.warns(UserWarning, match=r"the draft is not saved \(.+\)"):
        form.fill(brief="one")
    form.fill(brief="two")  # warned of once: the form says so
    assert re.search(r"This draft is not saved: .+ the next change here tries again", messages(form))
    assert form._saving.layout.display is None
    drafts.unlink()
    form.fill(brief="three")
    assert "not saved" not in messages(form)
    assert form._saving.layout.display == "none"
    assert open_draft().to_dict()["brief"] == "three"


def test_a_draft_that_never_could_be_saved_is_not_in_the_way(open_draft: Open, tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("")
    with pytest.warns(UserWarning, match="the draft is not saved"):
        form = open_draft(pack=797)
    assert "This draft is not saved" in messages(form)
    (tmp_path / FOLDER).unlink()
    form.fill(brief="one")
    assert open_draft().to_dict()["brief"] == "one"


# Trouble with the file


def write_draft(folder: Path, content: str) -> Path:
    (folder / FOLDER).mkdir(exist_ok=True)
    file = folder / FOLDER / "cats.json"
    file.write_text(content)
    return file


DAMAGED = ["", "[1]", "{", "[" * 9999, "null", "5", '{"pack": 797,}']


@pytest.mark.parametrize("content", DAMAGED)
def test_a_draft_that_cannot_be_read_is_kept_beside_and_the_form_says_so(
    open_draft: Open, tmp_path: Path, content: str
) -> None:
    file = write_draft(tmp_path, content)
    form = open_draft(pack=797)
    assert form.to_dict()["pack"] == 797
    assert file.with_name("cats.json.bad").read_text() == content
    assert "The saved draft could not be read in full, and is kept as cats.json.bad" in messages(form)
    form.fill(brief="one")
    assert "cats.json.bad" in messages(form)
    again = open_draft()
    assert again.to_dict()["brief"] == "one"
    assert "cats.json.bad" not in messages(again)
    file.write_text("{")  # while the form is open
    again.fill(brief="two")
    assert "is kept as cats.json.bad2" in messages(again)
    assert file.with_name("cats.json.bad").read_text() == content  # not overwritten
    assert open_draft().to_dict()["brief"] == "two"


@pytest.mark.parametrize("name", ["pack", "tune_ids", "prompt_ids"])
def test_an_id_of_thousands_of_digits_is_refused_as_any_other_text(
    open_draft: Open, tmp_path: Path, name: str
) -> None:
    value = "9" * 5000 if name == "pack" else ["9" * 5000]
    write_draft(tmp_path, json.dumps({name: value}))
    assert [problem.field for problem in open_draft().problems if problem.kind != "missing"] == [name]


def test_the_photos_of_a_draft_that_was_kept_beside_are_not_deleted(
    open_draft: Open, photos: list[Path], tmp_path: Path
) -> None:
    form = open_draft()
    drop(form, *photos[:2])
    file = tmp_path / FOLDER / "cats.json"
    good = file.read_text()
    file.write_text(good[:-1] + ",}")
    for _ in range(3):
        let_two_days_pass(tmp_path)
        assert images(open_draft()) == []
    file.with_name("cats.json.bad").write_text(good)
    file.with_name("cats.json.bad").rename(file)
    assert all(path.is_file() for path in images(open_draft()))


WRONG: dict[str, Any] = {
    "pack": {"id": 5},
    "title": ["a"],
    "images": "a.jpg",
    "image_urls": "https://example.com/1.jpg",
    "characteristics": ["a"],
    "prompt_attributes": "x",
    "tune_ids": "12",
    "keep_metadata": "yes",
    "keep_damaged": 1,
    "max_side": 0,
    "encoding": "zip",
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_draft_has_of_a_wrong_type_is_emptied_and_kept_beside(
    open_draft: Open, tmp_path: Path, name: str
) -> None:
    good = {"pack": 797, "title": "t", "brief": "one"}
    wrong = {name: WRONG[name]}
    tunes = [{"pack": 797, "name": "cat", "title": title, "tune_ids": [5]} for title in ("a", "b")]
    file = write_draft(tmp_path, json.dumps({**good, **wrong, "list": [tunes[0], {**tunes[1], **wrong}]}))
    form = open_draft(keep_metadata=True) if name == "keep_metadata" else open_draft()
    assert form.to_dict() == {key: value for key, value in good.items() if key != name}
    assert [listed.title for listed in form._list.tunes] == ["a"]  # not another tune than it was
    assert "The saved draft could not be read in full, and is kept as cats.json.bad" in messages(form)
    assert wrong[name] == json.loads(file.with_name("cats.json.bad").read_text())[name]
    assert "could not be read" not in messages(open_draft())


@pytest.mark.parametrize("tunes", [{"a": 1}, "x", 5, [5], [None], [{"nonsense": 1}]])
def test_a_list_of_a_draft_that_cannot_be_read_is_kept_beside(
    open_draft: Open, tmp_path: Path, tunes: Any
) -> None:
    write_draft(tmp_path, json.dumps({"brief": "one", "list": tunes}))
    form = open_draft()
    assert form.to_dict()["brief"] == "one"
    assert form._list.tunes == []
    assert "The saved draft could not be read in full" in messages(form)


def hanging(*_: Any, **__: Any) -> str:
    raise OSError(errno.EIO, "Input/output error")


def test_a_draft_that_cannot_be_read_for_a_moment_is_not_overwritten(
    open_draft: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_draft(pack=797, brief="one")
    file = tmp_path / FOLDER / "cats.json"
    saved = file.read_text()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", hanging)
        with pytest.warns(UserWarning, match=r"the draft is not saved \(Input/output error\)"):
            form = open_draft(pack=260)
        assert "This draft is not saved: Input/output error" in messages(form)
    form.fill(brief="two")
    assert file.read_text() == saved  # which is not in this form
    assert "The saved draft could not be read when this form was made" in messages(form)
    assert open_draft().to_dict()["brief"] == "one"


def test_a_draft_whose_form_may_be_another_one_is_not_overwritten_until_that_is_known(
    open_draft: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = open_draft(pack=797, brief="one")
    file = tmp_path / FOLDER / "cats.json"
    saved = file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", hanging)
        with pytest.warns(UserWarning, match=r"the draft is not saved \(Input/output error\)"):
            form.fill(brief="two")
        assert file.read_bytes() == saved
    form.fill(brief="three")
    assert "not saved" not in messages(form)
    assert open_draft().to_dict()["brief"] == "three"
