"""The log records where a run was made, and whether its process is still running."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from astria_nb.log import Log, Submission, environment
from helpers.paths import TESTS
from helpers.submissions import a_request


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log.sqlite")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Act as a process that has not written yet."""
    monkeypatch.setattr(environment, "_sessions", {})


def sessions(log: Log) -> list[dict[str, object]]:
    connection = sqlite3.connect(log.path)
    try:
        return pd.read_sql("SELECT * FROM session", connection).to_dict("records")
    finally:
        connection.close()


@pytest.mark.usefixtures("elsewhere")
def test_versions_commit_and_notebook_are_on_record(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/tunes/first try.ipynb")
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.com"]
    Path("a.txt").write_text("a")
    for command in (["init", "-q"], ["add", "a.txt"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True)
    Path("a.txt").write_text("b")
    log.plan(a_request())
    (session,) = sessions(log)
    head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    assert (session["git_commit"], session["git_dirty"]) == (head.strip(), 1)
    assert session["notebook"] == "first try.ipynb"
    assert session["python"] == ".".join(map(str, sys.version_info[:3]))
    assert session["pid"] == os.getpid()
    assert json.loads(str(session["packages"]))["pandas"] == pd.__version__


@pytest.mark.usefixtures("elsewhere")
def test_without_git_and_notebook_there_is_a_record_too(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    log.plan(a_request())
    (session,) = sessions(log)
    assert (session["git_commit"], session["git_dirty"], session["notebook"]) == (None, None, None)


def test_our_own_submission_is_not_abandoned(log: Log) -> None:
    assert not log.is_abandoned(log.plan(a_request()))


@pytest.mark.slow
def test_that_of_a_living_process_is_not_and_that_of_a_dead_one_is(log: Log) -> None:
    with other_process(log) as process:
        submission = log.get(int(process.stdout.readline() if process.stdout else ""))
        assert not log.is_abandoned(submission)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie, which still has its id
        assert log.is_abandoned(submission)
    assert log.is_abandoned(submission)


@pytest.mark.slow
def test_an_id_that_went_to_another_process_does_not_count(log: Log) -> None:
    with other_process(log) as process:
        submission = log.get(int(process.stdout.readline() if process.stdout else ""))
        forge(log, submission, process_started="1")
        assert log.is_abandoned(submission)
        process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("column", ["place", "process_started"])
def test_of_another_machine_silence_for_an_hour_decides(log: Log, column: str) -> None:
    with other_process(log) as process:
        submission = log.get(int(process.stdout.readline() if process.stdout else ""))
        process.kill()
    forge(log, submission, **{column: None})
    assert not log.is_abandoned(submission)
    hour = 3600 * 10**6
    forge(log, submission, table="submission", checksum=None)
    forge(log, submission, table="submission", changed_at=f"changed_at - {hour}")
    assert log.is_abandoned(log.get(submission.id))


def other_process(log: Log) -> "subprocess.Popen[str]":
    code = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from astria_nb.log import Log; from helpers.submissions import a_request\n"
        "print(Log(sys.argv[1]).plan(a_request()).id, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(log.path), str(TESTS)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def forge(log: Log, submission: Submission, *, table: str = "session", **column: str | None) -> None:
    ((name, value),) = column.items()
    which = submission.session if table == "session" else submission.id
    connection = sqlite3.connect(log.path)
    with connection:
        connection.execute(f"UPDATE {table} SET {name} = {value or 'NULL'} WHERE id = ?", (which,))
    connection.close()
