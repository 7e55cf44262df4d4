"""What is saved of a form names its photos, and not the folders that they are in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ipywidgets import Widget
from PIL import Image

import astria_nb as anb

# In no picture by chance: those in the widgets of other tests are searched too, as base64, which has no "_".
OWNER = "an_na"
SOURCES: dict[str, Callable[[Path], Any]] = {
    "a photo that is gone": lambda folder: [folder / "cats" / "gone.jpg"],
    "a misspelled name": lambda folder: [folder / "cats" / "1.jpeg"],
    "no photo": lambda folder: [folder / "cats" / "notes.txt"],
    "a folder in a list": lambda folder: [folder / "cats"],
    "a pattern without a match": lambda folder: [folder / "cats" / "*.png"],
    "a pattern in no folder": lambda folder: [f"{folder}/dogs/*.png"],
    "an address on this machine": lambda folder: [f"file://{folder}/cats/gone.jpg"],
    "another system's path": lambda folder: [f"C:\\Users\\{OWNER}\\cats\\1.jpg"],
}


@pytest.mark.slow
@pytest.mark.parametrize("save_thumbnails", [False, True])
@pytest.mark.parametrize("sources", SOURCES.values(), ids=SOURCES.keys())
def test_no_folder_of_a_photo_is_saved(
    tmp_path: Path, sources: Callable[[Path], Any], save_thumbnails: bool
) -> None:
    folder = tmp_path / OWNER
    (folder / "cats").mkdir(parents=True)
    (folder / "cats" / "notes.txt").write_text("these are cats")
    Image.new("RGB", (600, 600)).save(folder / "cats" / "1.jpg")
    with anb.Sandbox(deterministic=True) as sandbox:
        log = anb.ExperimentLog(tmp_path / "log.sqlite")
        images = [folder / "cats" / "1.jpg", *sources(folder)]
        form = anb.TuneForm(
            sandbox.client(), log=log, pack=260, images=images, save_thumbnails=save_thumbnails
        )
        page = form._repr_mimebundle_()[0]["text/html"]
        widgets = json.dumps(Widget.get_manager_state(drop_defaults=False), ensure_ascii=False)
    assert form.problems
    assert page.count(OWNER) == 0  # counted: to show the differences of such texts takes minutes
    assert widgets.count(OWNER) == 0


def test_the_message_still_says_which_folder(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    Image.new("RGB", (600, 600)).save(tmp_path / "cats" / "1.jpg")
    with anb.Sandbox(deterministic=True) as sandbox:
        log = anb.ExperimentLog(tmp_path / "log.sqlite")
        form = anb.TuneForm(sandbox.client(), log=log, pack=260, images=[tmp_path / "cats"])
        page = form._repr_mimebundle_()[0]["text/html"]
    assert "give the files in it: images=sorted(Path(&#39;…/cats&#39;).glob(&#39;*.jpg&#39;))" in page
    with pytest.raises(anb.errors.TuneError, match="cats") as caught:
        form.submit()
    assert f"images=sorted(Path({str(tmp_path / 'cats')!r}).glob('*.jpg'))" in str(caught.value)


@pytest.mark.parametrize("length", range(60, 100, 5))
def test_a_path_that_a_message_cut_off_shows_no_folder(tmp_path: Path, length: int) -> None:
    folder = tmp_path / ("x" * (length - len(str(tmp_path)))) / "anna-in-lisbon" / "dogs"
    with anb.Sandbox(deterministic=True) as sandbox:
        log = anb.ExperimentLog(tmp_path / "log.sqlite")
        form = anb.TuneForm(sandbox.client(), log=log, pack=260, images=[f"{folder}/*.png"])
        page = form._repr_mimebundle_()[0]["text/html"]
    assert "there is no folder" in page
    assert "anna-in" not in page
