"""Spelling, and that hooks and CI run what the README and pyproject.toml name."""

import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import yaml

from helpers.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
README = (ROOT / "README.md").read_text("utf-8")


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


def test_spelling():
    typos = Path(sysconfig.get_path("scripts")) / ("typos.exe" if sys.platform == "win32" else "typos")
    done = subprocess.run([typos, "--format", "brief"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_matrix_has_the_pythons_of_the_classifiers():
    classifiers = PROJECT["project"]["classifiers"]
    pythons = [name.rpartition(" ")[2] for name in classifiers if re.search(r":: 3\.\d+$", name)]
    assert load(".github/workflows/tests.yml")["jobs"]["linux"]["strategy"]["matrix"]["python"] == pythons


def test_the_workflow_runs_the_command_of_the_readme_and_skips_nothing():
    (command,) = re.findall(r"^python3 -m venv .*/pytest$", README, re.MULTILINE)
    job = load(".github/workflows/tests.yml")["jobs"]["linux"]
    assert command in [step.get("run") for step in job["steps"]]
    assert job["env"] == {"ASTRIA_NB_BROWSER": "required", "ASTRIA_NB_NPM": "required"}
    assert {"export ASTRIA_NB_BROWSER=required", "export ASTRIA_NB_NPM=required"} <= set(
        (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    )


def test_the_hooks_are_local_and_use_the_tools_of_the_tests():
    repositories = load(".pre-commit-config.yaml")["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert [hook["id"] for hook in hooks] == ["ruff-check", "ruff-format", "typos", "biome"]
    extras = {re.split(r"[\[><= ]", name)[0] for name in PROJECT["project"]["optional-dependencies"]["test"]}
    assert {hook["entry"].split()[0] for hook in hooks} - {"npm"} <= extras
