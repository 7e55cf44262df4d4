"""papermill runs a notebook with a form, and with another pack; what it writes has the latest state."""

import re
from pathlib import Path

import nbformat
import papermill
import pytest

from astria_nb.cli import copy_notebooks


def run(folder: Path, name: str, **parameters: object) -> nbformat.NotebookNode:
    copy_notebooks(folder)
    out = folder / "run.ipynb"
    papermill.execute_notebook(folder / f"{name}.ipynb", out, parameters, cwd=folder, progress_bar=False)
    return nbformat.read(out, 4)


@pytest.mark.soak
def test_the_file_that_papermill_writes_has_the_pictures(tmp_path: Path) -> None:
    notebook = run(tmp_path, "02_image_urls")
    copies = [
        output.data["text/html"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "astria-saved" in output.get("data", {}).get("text/html", "")
    ]
    form, gallery = copies
    assert "Submitted" in form
    assert gallery.count('<img src="data:image/jpeg;base64,') == 8


OTHER_PACKS = {
    "01_multipart": 43,
    "02_image_urls": 797,
    "03_json": 43,
    "compare": 43,
    "existing_tunes": 797,
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] * (name != "03_json")) for name in OTHER_PACKS]
)
def test_another_pack_is_run_if_only_its_number_is_given(name: str, tmp_path: Path) -> None:
    notebook = run(tmp_path, name, pack=OTHER_PACKS[name])
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.output_type == "error"] == []
    pages = " ".join(output.get("data", {}).get("text/html", "") for output in outputs)
    assert re.search(rf"[>\s]{OTHER_PACKS[name]}[<\s]", pages)


@pytest.mark.soak
def test_the_notebook_about_waiting_runs_another_pack(tmp_path: Path) -> None:
    notebook = run(tmp_path, "watch", pack=43)
    texts = [
        output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    ]
    assert any(re.search(r"done +8 +8", text) for text in texts)  # prompts and pictures
