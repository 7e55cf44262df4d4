"""A kernel keeps to one log and pays once, wherever its working directory moves."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from jupyter_client.blocking import BlockingKernelClient

import astria_nb as anb
from helpers.fault_cases import ROUTE
from helpers.kernels import kernel, run
from helpers.waiting import PATIENCE

CELL = """
try:
    row = anb.submit(tune, settle=60 if {lost} else 0, timeout=50 if {lost} else 60)
    print(int(row["id"][0]))
except anb.errors.OutcomeUnknownError as error:
    print("unknown")
"""


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox() as running:
        yield running


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    for name in ("notebooks", "data"):
        (tmp_path / name).mkdir()
    path = tmp_path / "notebooks" / "cats.ipynb"
    path.touch()
    return path


@pytest.fixture
def client(sandbox: anb.Sandbox, notebook: Path) -> Iterator[BlockingKernelClient]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ASTRIA_")}
    environment |= {
        "ASTRIA_SANDBOX_URL": sandbox.url,
        "ASTRIA_SANDBOX_KEY": sandbox.api_key,
        "IPYTHONDIR": str(notebook.parents[1]),
        "JPY_SESSION_NAME": str(notebook),
    }
    with ExitStack() as stack:
        running = kernel(stack, environment, notebook.parent)
        running.wait_for_ready(timeout=PATIENCE)
        run(running, "import os, sys; import astria_nb as anb")
        yield running


def test_a_lost_answer_a_change_of_directory_and_the_cell_again(
    client: BlockingKernelClient, sandbox: anb.Sandbox, notebook: Path
) -> None:
    source = "image_urls=['https://example.com/1.jpg']"
    run(client, f"tune = anb.Tune(pack=797, title='t', name='cat', {source})")
    sandbox.fail("504", ROUTE, commit="yes")
    output = run(client, CELL.format(lost=True))
    assert "unknown\n" in output.splitlines(keepends=True)  # the warning may come before it or after it
    assert "this is a rehearsal" in output  # the first time only
    run(client, "%cd ../data")
    tune_id = run(client, CELL.format(lost=False))
    run(client, "os.chdir('/')")
    assert run(client, CELL.format(lost=False)) == tune_id
    assert sum(request.method == "POST" for request in sandbox.ledger) == 1
    run(client, "form = anb.TuneForm(title='t'); assert form.row is not None; form._panel.training.stop()")
    assert run(client, "print(anb.ExperimentLog().path)").strip() == str(
        notebook.with_name("astria_log.sqlite")
    )
    assert "cat  t" in run(client, "!{sys.executable} -m astria_nb.cli log")
