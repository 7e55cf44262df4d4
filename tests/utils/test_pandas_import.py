"""A notebook shows frames as pandas does in any other one, however our code came to load pandas."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.kernels import kernel, run
from helpers.waiting import until

BEGIN = """
import sys, threading, time
from pathlib import Path
import astria_nb as anb
client = anb.Sandbox(deterministic=True).start().client()

def wait_until(condition):
    while not condition():
        time.sleep(0.01)

def load_after_this_cell():
    wait_until(Path("cell-has-ended").exists)
    {code}
    wait_until(lambda: "astria_nb.results.frames" in sys.modules)
    Path("is-loaded").touch()

assert "pandas" not in sys.modules
threading.Thread(target=load_after_this_cell).start()
"""
COLUMNS = """
import pandas as pd
frame = pd.DataFrame([range(300)])
columns = frame._repr_html_().count("<td>")
pd.reset_option("display.max_columns")
print(columns, frame._repr_html_().count("<td>"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("code", ["form = anb.TuneForm(client)", "from astria_nb.results import frames"])
def test_pandas_loaded_between_two_cells_shows_as_many_columns_as_in_any_notebook(
    code: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        own, other = (kernel(stack, os.environ, tmp_path, has_libraries=False) for _ in range(2))
        run(own, BEGIN.format(code=code))
        (tmp_path / "cell-has-ended").touch()
        until((tmp_path / "is-loaded").exists)
        assert run(own, COLUMNS) == run(other, COLUMNS)
