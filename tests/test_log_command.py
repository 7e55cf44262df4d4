"""The log on the command line, as a real process."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import OutcomeUnknownError

Run = Callable[..., subprocess.CompletedProcess[str]]
URL = "https://example.com/1.jpg"


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path, sandbox: anb.Sandbox) -> Run:
    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ASTRIA_")}
        account = {"ASTRIA_BASE_URL": sandbox.url, "ASTRIA_API_KEY": sandbox.api_key}
        return subprocess.run(
            [sys.executable, "-m", "astria_nb.cli", "log", *arguments],
            cwd=tmp_path,
            env=kept | account,
            capture_output=True,
            text=True,
        )

    return command


def submitted(sandbox: anb.Sandbox, title: str, settle: float = 0) -> None:
    tune = anb.Tune(pack=43, title=title, name="cat", image_urls=[URL])
    anb.submit(tune, sandbox.client(), settle=settle)


def test_the_latest_submissions_are_shown_a_line_each(run: Run, sandbox: anb.Sandbox) -> None:
    for number in range(3):
        submitted(sandbox, f"run {number}")
    done = run()
    assert done.returncode == 0, done.stderr
    header, *lines = done.stdout.splitlines()
    assert header.split()[:4] == ["submission", "state", "id", "title"]
    assert ["run 0" in lines[0], "run 1" in lines[1], "run 2" in lines[2]] == [True] * 3
    assert len(lines) == 3
    last = run("frame", "--last", "1").stdout
    assert "run 2" in last
    assert "run 1" not in last
    assert "the last 1 of 3 submissions" in last


def test_everything_goes_to_a_file(run: Run, sandbox: anb.Sandbox, tmp_path: Path) -> None:
    submitted(sandbox, "run")
    done = run("export", "runs.parquet")
    assert "1 submissions are in" in done.stdout
    assert pd.read_parquet(tmp_path / "runs.parquet")["title"].tolist() == ["run"]
    wrong = run("export", "runs.xlsx")
    assert wrong.returncode == 1
    assert wrong.stderr.splitlines() == [
        "astria-nb log: log: is not exported as '.xlsx'; end the file's name in .parquet or .csv"
    ]


def test_what_was_left_open_is_looked_for_on_the_account(run: Run, sandbox: anb.Sandbox) -> None:
    assert "nothing was left open" not in run("recover").stdout  # there is no log yet
    sandbox.fail("504", "POST /p/*/tunes", commit="yes")
    log = anb.ExperimentLog()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("astria_nb.waiting.time.sleep", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            submitted(sandbox, "t", settle=0.05)
    assert log.frame()["state"].tolist() == ["unknown"]
    done = run("recover", "--settle", "0")
    assert done.returncode == 0, done.stderr
    assert "adopted" in done.stdout
    assert log.frame()["state"].tolist() == ["adopted"]
    assert "nothing was left open" in run("recover").stdout


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_is_not_there_is_said_in_a_line_and_not_made(run: Run, tmp_path: Path) -> None:
    for arguments in ((), ("--log", "elsewhere.sqlite", "recover")):
        done = run(*arguments)
        assert done.returncode == 1
        assert done.stdout == ""
        assert "there is none at" in done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "notes.txt").write_text("no log" * 100)
    assert "is not an experiment log" in run("--log", "notes.txt").stderr


def test_a_title_does_not_move_the_cursor(run: Run, sandbox: anb.Sandbox) -> None:
    submitted(sandbox, "a\x1b[2Jb")
    assert "\x1b" not in run().stdout


def test_unknown_words_are_refused(run: Run) -> None:
    assert run("burn").returncode == 2


def test_a_lost_outcome_shows_its_problem(run: Run, sandbox: anb.Sandbox) -> None:
    sandbox.fail("504", "POST /p/*/tunes")
    with pytest.raises(OutcomeUnknownError):
        submitted(sandbox, "t")
    assert "needs_review" in run().stdout
