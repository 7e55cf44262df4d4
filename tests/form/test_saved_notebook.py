"""What a notebook keeps of a form when it is saved: no photo and no secret, unless asked for."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

BEGIN = """
import astria_nb as anb, warnings
client = anb.Sandbox(deterministic=True).start().client()
callbacks = anb.Callbacks(client=client, secret="CaNaRySecret0123456789CaNaRy").start()
fields = callbacks.fields(num_images=2)
"""
CELL = """
form = anb.TuneForm(client, pack=260, name="man", title="t {option}", images={images}, **fields, {option})
form._draft.sections.selected_index = len(form._draft.sections.children) - 1
request = form._draft.fields, form._view._request.show(form.tune)
row = form.submit()
form
"""
SECRET = "CaNaRySecret0123456789CaNaRy"


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"photo-{number}.jpg" for number in range(4)]
    for number, path in enumerate(paths):
        Image.new("RGB", (600, 600 + number), "teal").save(path)
    return [str(path) for path in paths]


def test_photos_are_saved_only_if_asked_for_and_secrets_never(images: list[str], tmp_path: Path) -> None:
    options = {"": 0, "save_thumbnails=True": 4}
    codes = [BEGIN, *(CELL.format(images=images, option=option) for option in options), "callbacks.stop()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in codes])
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for cell, count in zip(notebook.cells[1:], options.values(), strict=False):
        (output,) = [output for output in cell.outputs if "text/html" in output.get("data", {})]
        assert output["data"]["text/html"].count("data:image/jpeg;base64,") == count
        assert "photo-3.jpg" in output["data"]["text/html"]
        assert "callback='http://127.0.0.1" in output["data"]["text/plain"]

    # The state of the widgets is saved as well. Its only pictures are the pack's.
    state = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    assert "photo-3.jpg" in json.dumps(list(state))
    with_pictures = [model["model_name"] for model in state if "/9j/" in json.dumps(model)]
    assert with_pictures == ["ImageModel", "ImageModel"]
    del notebook.cells[0]["source"]
    assert SECRET not in json.dumps(notebook)
