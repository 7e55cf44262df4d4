"""Spelling, and that hooks and CI run what the README and pyproject.toml name."""

import json
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

from helpers.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
README = (ROOT / "README.md").read_text("utf-8")


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


def test_spelling():
    typos = Path(sysconfig.get_path("scripts")) / ("typos.exe" if sys.platform == "win32" else "typos")
    done = subprocess.run([typos, "--format", "brief"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_import_is_a_dependency_and_every_dependency_is_imported():
    done = subprocess.run([sys.executable, "-m", "deptry", "."], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def required_with(extra: str) -> set[str]:
    extras, names = PROJECT["project"]["optional-dependencies"], set[str]()
    for line in extras[extra]:
        requirement = Requirement(line)
        inner = requirement.extras if requirement.name == "astria-nb" else ()
        names |= {requirement.name}.union(*map(required_with, inner))
    return names


def test_the_extra_for_the_example_notebooks_has_what_they_import() -> None:
    there = {Requirement(line).name for line in PROJECT["project"]["dependencies"]} | required_with("lab")
    imported = set[str]()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = "".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code")
        imported |= set(re.findall(r"^(?:import|from) (\w+)", code, flags=re.MULTILINE))
    others = imported - {"astria_nb"} - sys.stdlib_module_names
    assert {"pandas", "distributed"} <= others <= there


def test_the_matrix_has_the_pythons_of_the_classifiers():
    classifiers = PROJECT["project"]["classifiers"]
    pythons = [name.rpartition(" ")[2] for name in classifiers if re.search(r":: 3\.\d+$", name)]
    assert load(".github/workflows/tests.yml")["jobs"]["linux"]["strategy"]["matrix"]["python"] == pythons


# From the list of packages that Colab publishes, before and after its change to Python 3.13 in August 2026.
# Its own package requires exactly these of pandas and requests.
COLAB = {
    "pandas": ("2.2.2", "2.2.3"),
    "requests": ("2.32.3", "2.32.4"),
    "numpy": ("2.0.2", "2.1.3"),
    "pyarrow": ("18.1.0",),
    "anywidget": ("0.9.21",),
    "flask": ("3.1.3",),
    "ipyfilechooser": ("0.6.0",),
    "markupsafe": ("3.0.3",),
    "packaging": ("26.3",),
    "pillow": ("11.3.0",),
    "psutil": ("5.9.5",),
    "traitlets": ("5.7.1",),
}


def test_pip_installs_the_package_beside_what_colab_has():
    required = {
        (requirement := Requirement(line)).name: requirement.specifier
        for line in PROJECT["project"]["dependencies"]
    }
    refused = [
        f"{name} {version}"
        for name, versions in COLAB.items()
        for version in versions
        if version not in required[name]
    ]
    assert refused == []
    # These are installed, or replaced.
    assert required.keys() - COLAB.keys() == {
        "comm",
        "filelock",
        "ipywidgets",
        "simplejpeg",
        "urllib3",
        "waitress",
    }


def test_the_oldest_pandas_is_tested_with_each_python():
    jobs = load(".github/workflows/tests.yml")["jobs"]
    runs = jobs["pandas"]["strategy"]["matrix"]["include"]
    assert [run["python"] for run in runs] == jobs["linux"]["strategy"]["matrix"]["python"]
    (required,) = (line for line in PROJECT["project"]["dependencies"] if line.startswith("pandas"))
    assert required == f"pandas>={runs[0]['pandas']}"


def test_the_workflow_runs_the_command_of_the_readme_and_skips_nothing():
    (command,) = re.findall(r"^python3 -m venv .*/pytest$", README, re.MULTILINE)
    job = load(".github/workflows/tests.yml")["jobs"]["linux"]
    all_of_them = "-m 'not soak'"  # those in a browser as well
    assert f"{command} {all_of_them}" in [step.get("run") for step in job["steps"]]
    assert job["env"] == {"ASTRIA_NB_NPM": "required"}
    assert {"export ASTRIA_NB_NPM=required", f'command="$command {all_of_them}"'} <= set(
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
