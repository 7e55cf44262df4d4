"""The command line, as a real process."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from astria_nb.cli import copy_notebooks, main
from astria_nb.sandbox import Options
from astria_nb.utils.examples import examples
from helpers.waiting import PATIENCE, until

COMMAND = [sys.executable, "-m", "astria_nb.cli"]


@contextmanager
def running(*arguments: str, cwd: Path, private: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("ASTRIA_", "JUPYTER_"))
    }
    if private is not None:
        environment |= {f"JUPYTER_{name}_DIR": str(private / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        yield process
    finally:
        # The whole process group, so that a failed test leaves no JupyterLab behind.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def read_until(process: subprocess.Popen[str], pattern: str) -> str:
    """Return the first group of the first line that matches."""
    assert process.stdout is not None
    for line in process.stdout:
        if match := re.search(pattern, line):
            return match[1]
    raise AssertionError(f"{pattern} was never printed; the process ended with {process.wait()}")


def fetch(url: str | urllib.request.Request) -> Any:
    """Return the JSON at an address that may not answer yet."""
    answers: list[Any] = []

    def answered() -> bool:
        with suppress(urllib.error.URLError), urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            answers.append(json.load(answer))
        return bool(answers)

    until(answered)
    return answers[0]


def test_the_sandbox_prints_what_curl_needs_and_ends_with_ctrl_c(tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("needs curl, and there is none")
    with running("sandbox", cwd=tmp_path) as process:
        url = read_until(process, r"^export ASTRIA_BASE_URL=(http://127\.0\.0\.1:\d+)$")
        key = read_until(process, r"^export ASTRIA_API_KEY=(sd_\w+)$")
        command = ["curl", "-sS", "-H", f"Authorization: Bearer {key}", f"{url}/p/260"]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
        assert json.loads(answer.stdout)["id"] == 260
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def test_the_sandbox_takes_a_port_and_a_key(tmp_path, capsys: pytest.CaptureFixture[str]):
    with running("sandbox", "--api-key", "sd_sandbox_mine", cwd=tmp_path) as process:
        assert read_until(process, r"^export ASTRIA_API_KEY=(.*)$") == "sd_sandbox_mine"
    assert main(["sandbox", "--api-key", "sd_x"]) == 1
    assert "api_key: is not an Astria key (they begin with sd_ and have at least 8" in capsys.readouterr().err


def test_the_sandbox_says_in_a_line_which_address_it_cannot_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "--host", "192.0.2.1"]) == 1  # which no machine has
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("astria-nb sandbox: host: '192.0.2.1' cannot be used (")
    assert line.endswith("; give an address of this machine, such as '127.0.0.1'")


@pytest.mark.parametrize("port", ["99999999", "-5", "0", "x"])
def test_lab_takes_a_port_that_exists(port: str, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["lab", str(tmp_path / "work"), f"--port={port}"])
    assert f"argument --port: {port!r} is not a port; give one from 1 to 65535" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_python_m_runs_the_command_line_which_tells_its_version(tmp_path) -> None:
    command = [sys.executable, "-m", "astria_nb", "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == (f"astria-nb {metadata.version('astria-nb')}\n", "")


def test_only_lab_hands_options_on_and_knows_a_folder_from_a_value(capsys: pytest.CaptureFixture[str]):
    for arguments, problem in (
        (["sandbox", "--ip=0.0.0.0"], "unrecognized arguments: --ip=0.0.0.0"),
        (["lab", "here", "there"], "unrecognized arguments: there"),
        (["lab", "--ip", "0.0.0.0"], "write --ip=0.0.0.0, or put the folder first"),
        (["lab", "here", "--ip", "0.0.0.0"], "error: write --ip=0.0.0.0"),
    ):
        with pytest.raises(SystemExit):
            main(arguments)
        assert problem in capsys.readouterr().err


@pytest.mark.slow
def test_lab_serves_the_notebooks_with_a_sandbox_beside_it(tmp_path):
    folder = tmp_path / "work"
    arguments = ("lab", str(folder), "--no-browser", "--ip=127.0.0.1")  # the last is JupyterLab's own
    with running(*arguments, cwd=tmp_path, private=tmp_path / "private") as process:
        # The address is a line of its own, and comes first.
        page = read_until(process, r"^(http://127\.0\.0\.1:\d+/lab/tree/\S+)$")
        sandbox = read_until(process, r"^Sandbox at (http://127\.0\.0\.1:\d+);")
        url, token = page.split("/lab/tree/01_multipart.ipynb?token=")
        names = {entry["name"] for entry in fetch(f"{url}/api/contents?token={token}")["content"]}
        assert {"01_multipart.ipynb", "02_image_urls.ipynb", "03_json.ipynb", "samples"} <= names
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{sandbox}/packs", timeout=PATIENCE)
        # A kernel warns in this terminal where its messages are not encrypted.
        kernel = fetch(urllib.request.Request(f"{url}/api/kernels?token={token}", method="POST"))
        connection = (tmp_path / "private" / "RUNTIME" / f"kernel-{kernel['id']}.json").read_text()
        assert json.loads(connection)["curve_publickey"]
        process.send_signal(signal.SIGTERM)
        until(lambda: process.poll() is not None)
        with pytest.raises(urllib.error.URLError, match="refused"):
            urllib.request.urlopen(f"{url}/api", timeout=PATIENCE)


# As a Jupyter server on a busy machine: its file is there, and it does not listen yet.
LATE_LAB = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler, bind_and_activate=False)
server.server_bind()
port, folder = server.server_port, os.environ["JUPYTER_RUNTIME_DIR"]
facts = {"pid": os.getpid(), "token": os.environ["JUPYTER_TOKEN"], "hostname": "127.0.0.1", "port": port}
os.makedirs(folder)
with open(f"{folder}/jpserver-{os.getpid()}.json", "w") as file:
    json.dump(facts | {"url": f"http://127.0.0.1:{port}/", "sock": ""}, file)
time.sleep(1)
server.server_activate()
server.serve_forever()
"""


def test_lab_prints_the_address_when_it_answers(tmp_path, monkeypatch):
    package = tmp_path / "late" / "jupyterlab"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(LATE_LAB)
    path = [str(package.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
    with running("lab", str(tmp_path / "work"), cwd=tmp_path, private=tmp_path / "private") as process:
        port = read_until(process, r"^http://127\.0\.0\.1:(\d+)/lab/tree/\S+$")
        socket.create_connection(("127.0.0.1", int(port)), timeout=PATIENCE).close()


def test_notebooks_are_copied_only_to_where_there_are_none(tmp_path):
    assert copy_notebooks(tmp_path / "new") == "01_multipart.ipynb"
    assert {path.name for path in (tmp_path / "new").glob("*.ipynb")} == {
        path.name for path in examples().glob("*.ipynb")
    }
    mine = tmp_path / "mine" / "mine.ipynb"
    mine.parent.mkdir()
    mine.write_text("my work")
    assert copy_notebooks(mine.parent) == "mine.ipynb"
    assert [path.name for path in mine.parent.iterdir()] == ["mine.ipynb"]
    assert mine.read_text() == "my work"


def test_the_help_documents_every_option_of_the_sandbox(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sandbox", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for flag in ("--fault", *("--" + field.name.replace("_", "-") for field in fields(Options))):
        help_text = re.search(rf" {flag},? (.*?)(?= --(?!no-)|$)", text)
        assert help_text, flag
        assert len(help_text[1].split()) > 6, f"{flag} is not explained: {help_text[1]}"
