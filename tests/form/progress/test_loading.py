"""A form is shown before pandas is loaded; what a submission needs is loaded while the form is looked at."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import traitlets

import astria_nb as anb
from helpers.scripted_server import ScriptedServer

PROGRAM = """
import gc
import sys
import astria_nb as anb
from astria_nb.utils import background

def loaded():
    return sorted({"numpy", "pandas", "pyarrow", "astria_nb.submission._exactly_once"} & sys.modules.keys())

later = []
background.start_soon = lambda seconds, work: later.append(work)
with anb.Sandbox() as sandbox:
    log = anb.ExperimentLog("log.sqlite")
    form = anb.TuneForm(sandbox.client(), log=log, pack=43, name="cat", images=sys.argv[1:])
    form._ipython_display_()
    print("shown with", loaded())
    collections = []  # for garbage, while pandas is loaded
    def note(phase, info):
        if "pandas" in sys.modules and "astria_nb.submission._exactly_once" not in sys.modules:
            collections.append(phase)
    gc.callbacks.append(note)
    for work in later:
        work()
    print("then", loaded())
    print(len(collections), "collections meanwhile, then", gc.isenabled(), gc.get_freeze_count())
"""


@pytest.mark.slow
def test_a_form_is_shown_before_pandas_is_loaded(photos: list[Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *photos], cwd=photos[0].parent, capture_output=True, text=True
    )
    lines = done.stdout.splitlines()
    assert lines[-3:] == [
        "shown with []",
        "then ['astria_nb.submission._exactly_once', 'numpy', 'pandas', 'pyarrow']",
        "0 collections meanwhile, then True 0",  # one would hold up the reader's typing
    ], done.stderr


def test_a_row_is_a_frame_or_none(client: anb.Client) -> None:
    form = anb.TuneForm(client)
    form.row = pd.DataFrame({"id": [7]})
    assert form.row["id"].tolist() == [7]
    with pytest.raises(traitlets.TraitError, match="DataFrame"):
        form.row = [7]
    form.row = None
    assert form.row is None


def test_the_rows_of_a_form_are_a_frame_before_the_first(client: anb.Client, server: ScriptedServer) -> None:
    assert anb.TuneForm(client).rows.empty
    assert server.received("POST") == []
