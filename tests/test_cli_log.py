"""The log on the command line; of each of its commands, once as a real process."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.cli import main
from astria_nb.errors import OutcomeUnknownError
from helpers.forked_kernels import python
from helpers.waiting import PATIENCE

Call = Callable[..., tuple[int, str, str]]
COMMAND = [sys.executable, "-m", "astria_nb.cli", "log"]
URL = "https://example.com/1.jpg"
CAT = "\N{CJK UNIFIED IDEOGRAPH-732B}"  # two columns wide


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


@pytest.fixture
def account(sandbox: anb.Sandbox) -> dict[str, str]:
    """Return an environment with an account at the sandbox."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ASTRIA_")}
    return environment | {"ASTRIA_BASE_URL": sandbox.url, "ASTRIA_API_KEY": sandbox.api_key}


@pytest.fixture
def call(
    account: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Return a function that runs a command in this process, which saves the start of one."""

    def command(*arguments: str, **changes: str) -> tuple[int, str, str]:
        for name in ("ASTRIA_API_KEY", "ASTRIA_BASE_URL", *changes):
            monkeypatch.setenv(name, changes.get(name, account.get(name, "")))
        return (main(["log", *arguments]), *capsys.readouterr())

    return command


def submitted(
    sandbox: anb.Sandbox, title: str, settle: float = 0, log: anb.ExperimentLog | None = None
) -> None:
    tune = anb.Tune(pack=43, title=title, name="cat", image_urls=[URL])
    anb.submit(tune, sandbox.client(), settle=settle, log=log)


def left_open(sandbox: anb.Sandbox, title: str, commit: str = "yes") -> None:
    """Lose the answer to a tune, and be interrupted while waiting for the service."""

    def interrupted(*_: object, **_until: object) -> None:
        raise KeyboardInterrupt

    sandbox.fail("504", "POST /p/*/tunes", commit=commit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("astria_nb.submission._settling.wait_with_progress", interrupted)
        with pytest.raises(KeyboardInterrupt):
            submitted(sandbox, title, settle=60)


def states() -> list[str]:
    return list(anb.ExperimentLog().frame()["state"])


class Terminal:
    """A process in a terminal with a number of columns."""

    def __init__(self, command: list[str], cwd: Path, environment: dict[str, str], columns: int) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        environment = {key: value for key, value in environment.items() if key != "COLUMNS"}
        self.process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self.text = ""

    def read(self, until: str | None = None) -> str:
        """Return the output up to and including a text, or all of it."""
        with suppress(OSError):  # a closed terminal, on Linux
            while (until is None or until not in self.text) and (data := os.read(self._ours, 65536)):
                self.text += data.decode()
        return self.text

    def close(self) -> int:
        self.read()
        os.close(self._ours)
        return self.process.wait(PATIENCE)


def test_the_latest_submissions_are_shown_a_line_each(
    call: Call, sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    for number in range(3):
        submitted(sandbox, f"run {number}")
    status, output, errors = call()
    assert status == 0, errors
    header, *lines = output.splitlines()
    assert header.split() == ["submission", "planned_at", "state", "id", "pack", "name", "title"]
    assert [line.split()[-5:] for line in lines] == [
        [str(1000001 + number), "43", "cat", "run", str(number)] for number in range(3)
    ]
    _, last, _ = call("frame", "--last", "1", "--log", str(tmp_path / "astria_log.sqlite"))
    assert "run 2" in last
    assert "run 1" not in last
    assert "the last 1 of 3 submissions" in last


def test_a_table_is_as_wide_as_the_terminal(
    account: dict[str, str], sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    for title in ("a grumpy cat " * 9, CAT * 60, "short"):
        submitted(sandbox, title)
    sandbox.fail("504", "POST /p/*/tunes")
    with pytest.raises(OutcomeUnknownError):
        submitted(sandbox, "lost")
    command = "import sys; from astria_nb.cli import main; sys.exit(main(['log']))"
    terminal = Terminal([*python(), "-c", command], tmp_path, account, columns=80)
    assert terminal.close() == 0
    header, long, wide, short, lost, *problem = terminal.text.split("\r\n")[:-1]
    assert len(long) == 80
    assert 79 <= len(wide) + wide.count(CAT) <= 80
    assert long.endswith("…")
    assert wide.endswith("…")
    assert short.endswith(" short")
    assert {line.index(" 20") + 1 for line in (long, wide, short, lost)} == {header.index("planned_at")}
    assert "needs_review" in lost
    assert "its outcome is unknown" in problem[0]
    assert max(map(len, problem)) <= 80


def test_programs_get_a_line_of_json_for_each(call: Call, sandbox: anb.Sandbox) -> None:
    for number in range(2):
        submitted(sandbox, f"run {number}")
    _, output, _ = call("frame", "--json")
    rows = [json.loads(line) for line in output.splitlines()]
    assert [(row["id"], row["title"]) for row in rows] == [(1000001, "run 0"), (1000002, "run 1")]
    assert set(rows[0]) == set(anb.ExperimentLog().frame().columns)


def test_a_reader_that_has_seen_enough_is_no_error(
    account: dict[str, str], sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    submitted(sandbox, "run")
    process = subprocess.Popen(
        COMMAND, cwd=tmp_path, env=account, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(PATIENCE) == 0


def test_everything_goes_to_a_file(
    account: dict[str, str], call: Call, sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    submitted(sandbox, "run")
    path = tmp_path / "runs.parquet"
    done = subprocess.run(
        [*COMMAND, "export", str(path)], cwd=tmp_path, env=account, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"exported 1 submission to {path}\n", "")
    assert pd.read_parquet(path)["title"].tolist() == ["run"]
    why = "log: cannot be exported as '.xlsx'; end the file's name in .parquet or .csv"
    assert call("export", "runs.xlsx") == (1, "", f"astria-nb log: {why}\n")


def test_what_was_left_open_is_looked_for_on_the_account(call: Call, sandbox: anb.Sandbox) -> None:
    left_open(sandbox, "t")
    assert states() == ["unknown"]
    status, output, errors = call("recover", "--settle", "0")
    assert status == 0, errors
    assert "adopted" in output
    assert states() == ["adopted"]
    # With nothing to search for, no key is needed.
    assert call("recover", ASTRIA_API_KEY="") == (0, "no interrupted submissions\n", "")


def test_without_a_key_nothing_is_said_to_be_settled(call: Call, sandbox: anb.Sandbox) -> None:
    left_open(sandbox, "t")
    status, output, errors = call("recover", ASTRIA_API_KEY="")
    assert (status, output) == (1, "")
    assert errors.startswith("astria-nb log: api_key: ")
    assert len(errors.splitlines()) == 1
    # Kernels next to JupyterLab have no key either, but environment variables that name a sandbox.
    beside = {"ASTRIA_SANDBOX_URL": sandbox.url, "ASTRIA_SANDBOX_KEY": sandbox.api_key}
    _, output, _ = call("recover", "--settle", "0", ASTRIA_API_KEY="", ASTRIA_BASE_URL="", **beside)
    assert "adopted" in output


def test_what_is_open_at_another_service_is_named(call: Call, sandbox: anb.Sandbox) -> None:
    left_open(sandbox, "t")
    with anb.Sandbox() as elsewhere:
        environment = {"ASTRIA_BASE_URL": elsewhere.url, "ASTRIA_API_KEY": elsewhere.api_key}
        status, output, _ = call("recover", "--settle", "0", **environment)
    assert status == 0
    assert f"nothing was settled at {elsewhere.url}" in output
    assert f"1 submission open at {sandbox.url}" in output
    assert states() == ["unknown"]


def test_what_was_not_found_is_to_be_reviewed(call: Call, sandbox: anb.Sandbox) -> None:
    left_open(sandbox, "t", commit="no")
    _, output, _ = call("recover", "--settle", "0")
    assert "needs_review" in output
    assert "1 submission to review" in output


def test_what_is_printed_of_a_review_resolves_it_in_its_own_log(
    call: Call, sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    default, other = anb.ExperimentLog(), anb.ExperimentLog(tmp_path / "other.sqlite")
    for title, log in {"A": default, "B": other}.items():
        sandbox.fail("504", "POST /p/*/tunes")
        with pytest.raises(anb.errors.OutcomeUnknownError):
            submitted(sandbox, title, log=log)
    _, output, _ = call("recover", "--log", str(other.path))
    (code,) = [line for line in output.splitlines() if line.startswith("anb.")]
    assert code.endswith("  # 'B'")
    exec(code.replace("...", "7"), {"anb": anb})
    assert [*default.frame()["state"], *other.frame()["state"]] == ["needs_review", "adopted"]


def test_ctrl_c_ends_the_wait_and_loses_nothing(
    account: dict[str, str], sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    left_open(sandbox, "t")
    terminal = Terminal([*COMMAND, "recover", "--settle", "3600"], tmp_path, account, columns=80)
    terminal.read(until="giving the service time to finish")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.close() == 130
    assert "astria-nb log: interrupted; nothing is lost, run it again" in terminal.text
    assert "Traceback" not in terminal.text
    assert states() == ["unknown"]


def test_what_is_not_there_is_said_in_a_line_and_not_made(call: Call, tmp_path: Path) -> None:
    why = f"log: no log found at {str(tmp_path / 'astria_log.sqlite')!r}; name another one with --log"
    assert call() == (1, "", f"astria-nb log: {why}\n")
    assert call("recover", "--log", "elsewhere.sqlite")[0] == 1
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "notes.txt").write_text("no log" * 100)
    status, _, output = call("--log", str(tmp_path / "notes.txt"))
    assert status == 1
    assert "is not an experiment log" in output


@pytest.mark.parametrize("command", [(), ("export", "tunes.csv"), ("recover",)])
def test_what_is_no_file_is_said_with_the_option_that_names_another(
    call: Call, tmp_path: Path, command: tuple[str, ...]
) -> None:
    status, _, output = call("--log", str(tmp_path), *command)
    assert status == 1
    assert output.endswith("; name another one with --log\n")


def test_a_title_does_not_move_the_cursor(call: Call, sandbox: anb.Sandbox) -> None:
    submitted(sandbox, "a\x1b[2Jb")
    assert "a?[2Jb" in call()[1]


def test_no_rows_are_no_line_for_a_program(call: Call, sandbox: anb.Sandbox) -> None:
    submitted(sandbox, "a")
    assert call("frame", "--tag", "nobody has", "--json") == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["burn"],
        ["frame", "--last", "-1"],
        ["export"],
        *(["recover", f"--settle={seconds}"] for seconds in ("-1", "nan", "inf", "86401", "soon")),
    ],
)
def test_what_nobody_can_do_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["log", *arguments])
    assert caught.value.code == 2
    assert "error: " in capsys.readouterr().err
