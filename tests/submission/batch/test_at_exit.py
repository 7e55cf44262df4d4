"""A batch that is sent while Python ends: nobody gave an executor, so its rows do not speak of one."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import astria_nb as anb
from helpers.batches import frame, posts

SCRIPT = """
import atexit, sys, threading
import astria_nb as anb
from helpers.batches import frame

key, url, path = sys.argv[1:]
log = anb.ExperimentLog(path)

def send():
    rows = anb.submit_many(frame(4), anb.Client(key, base_url=url), log=log, say=lambda *_: None)
    print(*rows["state"].unique(), *rows["error"].unique(), sep="|")

def send_after_main():
    threading.main_thread().join()
    send()

"""


@pytest.mark.parametrize(
    "start", ["threading.Thread(target=send_after_main).start()", "atexit.register(send)"]
)
def test_a_batch_that_begins_while_python_ends_says_so(start: str, tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with anb.Sandbox(tune_fields="record") as sandbox:
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT + start, sandbox.api_key, sandbox.url, str(path)],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        )
        state, error = run.stdout.strip().split("|")
        assert (state, posts(sandbox)) == ("not_sent", 0)
        assert error.startswith("tune: was not sent: Python is ending")
        assert "run the batch again in another process, which continues from here" in error
        with closing(anb.ExperimentLog(path)) as log:
            assert set(anb.submit_many(frame(4), sandbox.client(), log=log)["state"]) == {"done"}
