"""Snippets, each run by the program that it is written for, and what arrives of them at a sandbox."""

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

import astria_nb as anb

# Many run in one process, since starting one is slow; in Node, each once nothing of the last is left to do.
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
        """Run snippets one after the other, up to the first that fails."""
        for program in self.needs:
            if shutil.which(program) is None:
                pytest.skip(f"needs {program}, to run the snippets")
        files = [folder / f"{number}{self.suffix}" for number in range(len(snippets))]
        for file, snippet in zip(files, snippets, strict=True):
            file.write_text(snippet, "utf-8", newline="")
        return execute([*self.command, *map(str, files)], folder, key, timeout=timeout)


def execute(
    command: Sequence[str], folder: Path, key: str, typed: str | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, with nothing of its user's but a key."""
    return subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "*", "ASTRIA_API_KEY": key},
        input=typed,
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
class Arrived:
    """A request as the sandbox read it; numbers are compared by their value, and are no truth values."""

    path: str
    content_type: str
    params: Any
    status: int | None


class Bench:
    """A sandbox that tells what arrives."""

    def __init__(self, sandbox: anb.Sandbox, folder: Path) -> None:
        self.sandbox, self.client, self._folder = sandbox, sandbox.client(), folder
        self._logs = 0

    def log(self) -> anb.ExperimentLog:
        """Return a log that knows no title yet."""
        self._logs += 1
        return anb.ExperimentLog(self._folder / f"{self._logs}.sqlite")

    def submitted(self, tune: anb.Tune, encoding: Any, log: anb.ExperimentLog | None = None) -> Arrived:
        """Submit a tune."""
        seen = len(self.sandbox.ledger)
        anb.submit(tune, self.client, encoding=encoding, log=log or self.log())
        (arrived,) = self.arrived(seen)
        return arrived

    def ran(self, language: Language, tunes: Sequence[tuple[anb.Tune, Any]]) -> list[Arrived]:
        """Run the snippets of tunes, each in an encoding."""
        snippets = [language.write(tune, encoding=each, base_url=self.sandbox.url) for tune, each in tunes]
        seen = len(self.sandbox.ledger)
        done = language.run(snippets, self._folder, self.sandbox.api_key)
        arrived = self.arrived(seen)
        # The last that arrived was refused, or the one after it did not leave.
        suspects = snippets[max(len(arrived) - 1, 0) :][:2]
        assert done.returncode == 0, "\n\n".join([*suspects, done.stderr])
        return arrived

    def arrived(self, seen: int) -> list[Arrived]:
        """Return what was posted after so many requests."""
        return [
            Arrived(each.path, each.content_type, _exact(each.params), each.status)
            for each in self.sandbox.ledger[seen:]
            if each.method == "POST"
        ]


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _exact(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_exact(each) for each in value]
    # For Python, True is 1; for the service it is not.
    return Fraction(value) if isinstance(value, int | float) and not isinstance(value, bool) else repr(value)
