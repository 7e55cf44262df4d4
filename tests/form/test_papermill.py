"""papermill runs a notebook with a form, and the file that it writes has the latest state."""

from pathlib import Path

import nbformat
import papermill
import pytest

from astria_nb.cli import copy_notebooks


@pytest.mark.soak
def test_the_file_that_papermill_writes_has_the_pictures(tmp_path: Path) -> None:
    copy_notebooks(tmp_path)
    papermill.execute_notebook(
        tmp_path / "02_image_urls.ipynb", tmp_path / "run.ipynb", cwd=tmp_path, progress_bar=False
    )
    notebook = nbformat.read(tmp_path / "run.ipynb", 4)
    copies = [
        output.data["text/html"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "astria-saved" in output.get("data", {}).get("text/html", "")
    ]
    form, gallery = copies
    assert "Submitted" in form
    assert gallery.count('<img src="data:image/jpeg;base64,') == 8
