"""Runs snippets with the programs that they are written for, and compares what a sandbox receives."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import requests

import astria_nb as anb
from helpers.waiting import PATIENCE

# Many run in one process, since starting one is slow; in Node, each when the previous one has finished.
_NODE = """
const files = process.argv.slice(1);
process.on('beforeExit', () => files.length && require(files.shift()));
"""
_PYTHON = "import runpy, sys\nfor file in sys.argv[1:]: runpy.run_path(file)"
_BASH = 'for file; do source "$file"; done'


@dataclass(frozen=True)
class Language:
    """How a snippet is written and run."""

    name: str
    write: Callable[..., str]
    needs: tuple[str, ...]
    suffix: str
    command: tuple[str, ...]

    def run(
        self, snippets: Sequence[str], folder: Path, key: str, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run snippets one after the other, up to the first failure."""
        for program in self.needs:
            if shutil.which(program) is None:
                pytest.skip(f"needs {program}, to run the snippets")
        files = [folder / f"{number}{self.suffix}" for number in range(len(snippets))]
        for file, snippet in zip(files, snippets, strict=True):
            file.write_text(snippet, "utf-8", newline="")
        return execute([*self.command, *map(str, files)], folder, key, timeout=timeout)


def execute(
    command: Sequence[str], folder: Path, key: str, stdin: str | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, with an environment that holds only a key."""
    return subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "*", "ASTRIA_API_KEY": key},
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
    )


CURL = Language("curl", anb.as_curl, ("bash", "curl"), ".sh", ("bash", "--norc", "-euc", _BASH, "bash"))
PYTHON = Language(
    "python", anb.as_python, (), ".py", (sys.executable, "-X", "utf8", "-W", "error", "-c", _PYTHON)
)
NODE = Language("node", anb.as_javascript, ("node",), ".js", ("node", "-e", _NODE))


@dataclass(frozen=True)
class ParsedRequest:
    """A request as the sandbox parsed it. Numbers are compared by value, and differ from booleans."""

    path: str
    content_type: str
    params: Any
    status: int | None


class SnippetBench:
    """A sandbox to which tunes are submitted and snippets send the same."""

    def __init__(self, sandbox: anb.Sandbox, folder: Path) -> None:
        self.sandbox, self.client, self._folder = sandbox, sandbox.client(), folder
        self._logs = 0

    def log(self) -> anb.ExperimentLog:
        """Return an empty log."""
        self._logs += 1
        return anb.ExperimentLog(self._folder / f"{self._logs}.sqlite")

    def submit(self, tune: anb.Tune, encoding: Any, log: anb.ExperimentLog | None = None) -> ParsedRequest:
        """Submit a tune and return the request."""
        # What a snippet, or another encoding, has made under this title would be found instead.
        headers = {"Authorization": f"Bearer {self.sandbox.api_key}"}
        for earlier in list(self.client.tunes(title=tune.title)) if tune.title else []:
            requests.delete(f"{self.sandbox.url}/tunes/{earlier['id']}", headers=headers, timeout=PATIENCE)
        start = len(self.sandbox.ledger)
        anb.submit(tune, self.client, encoding=encoding, log=log or self.log())
        (request,) = self.posts_since(start)
        return request

    def run(self, language: Language, tunes: Sequence[tuple[anb.Tune, Any]]) -> list[ParsedRequest]:
        """Run the snippets of tunes in their encodings, and return the requests."""
        url = self.sandbox.url
        snippets = [language.write(tune, encoding=encoding, base_url=url) for tune, encoding in tunes]
        start = len(self.sandbox.ledger)
        process = language.run(snippets, self._folder, self.sandbox.api_key)
        requests = self.posts_since(start)
        # The last request was refused, or the snippet after it failed.
        suspects = snippets[max(len(requests) - 1, 0) :][:2]
        assert process.returncode == 0, "\n\n".join([*suspects, process.stderr])
        return requests

    def posts_since(self, start: int) -> list[ParsedRequest]:
        """Return the POST requests after the first `start` requests of the ledger."""
        return [
            ParsedRequest(request.path, request.content_type, _exact(request.params), request.status)
            for request in self.sandbox.ledger[start:]
            if request.method == "POST"
        ]


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    # In Python, True equals 1; for the service it does not.
    return Fraction(value) if isinstance(value, int | float) and not isinstance(value, bool) else repr(value)
