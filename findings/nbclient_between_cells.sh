#!/usr/bin/env bash
# nbclient 0.11.0, ipykernel 7.4.0, ipywidgets 8.1.9: a widget that changes between two cells is saved as it was.
#
# Expected: the saved state of a widget is the kernel's, as a JupyterLab that is open has it, whenever a thread of an
# earlier cell changed it.
# Seen: a change that arrives while any cell runs is saved. One that arrives after a cell has ended and before the next
# begins is read and dropped, as its parent is no cell that runs: the file shows 0 where the kernel prints 42. So in
# notebooks that are executed by nbconvert or papermill, what a thread changes is lost now and then.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q nbclient==0.11.0 ipykernel==7.4.0 ipywidgets==8.1.9
cat >"$folder/between.py" <<'P'
import time

import nbformat
from nbclient import NotebookClient

SLIDER = """
import threading, time, ipywidgets

def later():
    time.sleep(2)
    slider.value = 42

slider = ipywidgets.IntSlider()
threading.Thread(target=later).start()
slider
"""
WAIT, PRINT = "while slider.value != 42: time.sleep(0.1)", "print(slider.value)"


def saved(name, second, pause):
    cells = [nbformat.v4.new_code_cell(code) for code in (SLIDER, second, PRINT)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, kernel_name="python3")
    with client.setup_kernel():
        for number, cell in enumerate(cells):
            client.execute_cell(cell, number)
            time.sleep(pause if number == 0 else 0)
        client.set_widgets_metadata()
    models = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    value = next(model["state"]["value"] for model in models if model["model_name"] == "IntSliderModel")
    print(f"changed {name}: the kernel prints {cells[-1].outputs[0].text.strip()}, the file says {value}")


saved("while a later cell runs", WAIT, 0)
saved("between two cells", "pass", 4)
P
seen=$("$folder/venv/bin/python" "$folder/between.py" 2>/dev/null | grep ^changed)
printf '%s\n' "$seen"
[ "$seen" = "changed while a later cell runs: the kernel prints 42, the file says 42
changed between two cells: the kernel prints 42, the file says 0" ]
