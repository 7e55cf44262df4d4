"""What a saved notebook has of a form and a gallery: the latest state, and no photo unless asked for."""

import json
from pathlib import Path

import nbformat
import pytest
from markupsafe import escape
from nbclient import NotebookClient
from PIL import Image

import astria_nb as anb
from astria_nb.form._row_html import row_html
from helpers.waiting import PATIENCE

BEGIN = """
import astria_nb as anb, warnings
client = anb.Sandbox(deterministic=True).start().client()
secret = "CaNaRySecret0123456789CaNaRy"
callbacks = anb.Callbacks(client=client, secret=secret).start()
fields = callbacks.fields(num_images=2)
"""
CELL = """
form = anb.TuneForm(client, pack=797, name="cat", title="t {option}", images={images}, **fields, {option})
form._draft.sections.selected_index = len(form._draft.sections.children) - 1
request = form._draft.fields, form._view._request.show(form.tune)
row = form.submit()
form
"""
SIGNED = """
signed = anb.TuneForm(client, pack=797, name="cat", title="signed", save_thumbnails=True, image_urls=[
    "https://me:" + secret + "@example.com/1.jpg", "https://example.com/2.jpg?X-Amz-Signature=" + secret
])
signed._draft.sections.selected_index = len(signed._draft.sections.children) - 1
signed._view._request.show(signed.tune)
assert all(secret in url for url in signed.tune.image_urls)
signed.submit()
signed
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
    codes = [
        BEGIN,
        *(CELL.format(images=images, option=option) for option in options),
        SIGNED,
        "callbacks.stop()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in codes])
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for cell, count in zip(notebook.cells[1:], options.values(), strict=False):
        (output,) = [output for output in cell.outputs if "text/html" in output.get("data", {})]
        # The pictures that the tune made may have arrived; they stand below what was created.
        photos, created, _ = output["data"]["text/html"].partition("The row is in form.row")
        assert created
        assert photos.count("data:image/jpeg;base64,") == count
        assert "photo-3.jpg" in output["data"]["text/html"]
        assert "widget-view" not in json.dumps(output)  # JupyterLab would show the dead widget instead

    # The state of the widgets is saved as well. Its only pictures are the pack's, and those that a tune made.
    state = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    assert "photo-3.jpg" in json.dumps(list(state))
    with_pictures = [
        model for model in state if "/9j/" in json.dumps(model) and "cards" not in model["state"]
    ]
    assert [model["model_name"] for model in with_pictures] == ["ImageModel"] * 3
    del notebook.cells[0]["source"]
    assert SECRET not in json.dumps(notebook)


def test_the_addresses_of_photos_in_a_row_are_shown_without_signatures() -> None:
    urls = ["https://me:pw@example.com/1.jpg?size=9", "https://example.com/2.jpg?X-Amz-Signature=00ff"]
    page = row_html(anb.rows.tune_frame([{"id": 7, "title": "sd_images", "orig_images": urls}]))
    assert "https://…@example.com/1.jpg?size=9 <br>https://example.com/2.jpg?X-Amz-Signature=…</td>" in page
    assert "<td>sd_images</td>" in page


def test_what_is_too_wide_for_a_column_is_whole_in_its_tooltip() -> None:
    long = "my 'cat' & " + "x" * 60
    urls = [f"https://example.com/{number}.jpg" for number in range(3)]
    page = row_html(anb.rows.tune_frame([{"id": 7, "title": long, "name": "cat", "orig_images": urls}]))
    assert f'<td title="{escape(long)}">{escape(long)}</td>' in page
    assert f'<td title="{" ".join(urls)}">' in page
    assert "<td>cat</td>" in page


@pytest.mark.slow
def test_what_is_saved_of_a_form_is_bounded(tmp_path: Path) -> None:
    with anb.Sandbox(deterministic=True) as sandbox:
        form = anb.TuneForm(
            sandbox.client(),
            log=anb.ExperimentLog(tmp_path / "log.sqlite"),
            title="long " * 10**5,
            image_urls=[f"ftp://{'x' * 900}/{number}" for number in range(500)],
            characteristics={"eye_color": "blue " * 10**5},
        )
        page = form._repr_mimebundle_()[0]["text/html"]
    assert 50_000 < len(page) < 150_000
    assert page.count("and 450 more") == 2  # addresses, and errors
    assert page.count("<li>") == 51


RUN = [
    """
import astria_nb as anb, os, time
from astria_nb.results.gallery import _widget
_widget._PATIENCE = 1000  # a busy machine may be ten seconds without a picture
os.environ["ASTRIA_NB_LOG"] = "log.sqlite"
sandbox = anb.Sandbox().start()
client = sandbox.client()
form = anb.TuneForm(client, pack=260, name="man", title="mine\\n \\n# his", image_urls=["https://example.com/1.jpg"])
form
""",
    "row = anb.submit(form)",
    "pictures = anb.gallery(row, client)\npictures",
    "from IPython.display import display\ndisplay(anb.gallery(row, client, limit=3))",
    # Pictures arrive while one cell runs: nbclient drops what a widget sends between two cells.
    """
import threading; threading.Timer(2, sandbox.advance, [7200]).start()
row = anb.wait(row, client, until="prompts", poll=1)
while pictures.state == "watching" or form._panel.training.gallery.state == "watching":
    time.sleep(0.1)
while min(len(one.thumbnails) for one in (pictures, form._panel.training.gallery)) < 24:
    time.sleep(0.1)
sandbox.stop()
""",
]


def test_the_file_has_the_latest_state_of_what_was_displayed(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in RUN])
    NotebookClient(notebook, timeout=PATIENCE, resources={"metadata": {"path": str(tmp_path)}}).execute()
    nbformat.validate(notebook)
    form, _, pictures, limited, waited = (
        [output.get("data", {}) for output in cell.outputs] for cell in notebook.cells
    )
    page = form[1]["text/html"]
    assert page.count('<img src="data:image/jpeg;base64,') == 24
    for text in ("Created tune 1000001", "<td>trained</td>", "Pictures · 28 of 28 prompts done", "Submitted"):
        assert text in page
    assert "example.com/1.jpg" in page
    assert "# his" in page
    for saved in (page, pictures[1]["text/html"]):  # after an empty line, exports would take text as Markdown
        assert all(map(str.strip, saved.splitlines()))
    assert "Run this cell (▶ or Shift+Enter; in an app, load this page again) to use it." in page
    assert pictures[1]["text/html"].count('<img src="data:image/jpeg;base64,') == 24
    assert "28 pictures" in pictures[1]["text/html"]
    assert limited[1]["text/html"].count('<img src="data:image/jpeg;base64,') == 3
    # What would be shown as an error, or grow old, stands in none.
    assert [list(data) for data in waited] == [["text/plain"]]
    assert "pending" not in json.dumps([*form, *pictures, *limited])
    assert "ready" not in form[0]["text/plain"]
    assert len(json.dumps([form, pictures])) < 1_000_000

    models = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    first = [model for model in models if len(model["state"].get("cards", [])) == 28]
    assert [len(model["buffers"]) for model in first] == [24, 24]
