"""Run notebooks and save their outputs: ``python tests/tools/run_notebooks.py notebooks/*.ipynb``.

The views of widgets are left out: their kernel is gone, and the copy beside each is what a reader sees.
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

# The form's pictures arrive while later cells run; the copies of what is displayed follow a little later.
WAIT = "import time\ntime.sleep(6)"
WIDGET = "application/vnd.jupyter.widget-view+json"


def run(path: Path) -> None:
    """Run one notebook in its folder, and save it."""
    notebook = nbformat.read(path, 4)
    notebook.cells.append(nbformat.v4.new_code_cell(WAIT))
    resources = {"metadata": {"path": str(path.parent)}}
    with tempfile.TemporaryDirectory() as private:
        os.environ["ASTRIA_NB_LOG"] = str(Path(private) / "log.sqlite")
        NotebookClient(notebook, timeout=120, store_widget_state=False, resources=resources).execute()
    del notebook.cells[-1]
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        run(Path(name))
        print(name)
