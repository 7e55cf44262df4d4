"""Every block of code in the documents does what its page says, in a sandbox.

Those of the README, the recipes and the pages about many tunes have files of their own.
"""

import ast
import dataclasses
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.cli import main
from helpers.paths import ROOT

DOCS = ROOT / "docs"
ELSEWHERE = {  # where their examples are run
    "recipes.md": "tests/test_recipes.py",
    "many-tunes.md": "tests/submission/batch/test_executors.py",
    "shared-log.md": "tests/log/postgres/test_page.py",
}
WITH_ROWS = ("how-to/rows.md", "how-to/log.md")  # begin with rows, the others with a tune
# The first command of the README installs none of these.
NOT_INSTALLED = ("mlflow", "openpyxl", "pillow_heif", "psycopg", "sqlalchemy")
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)\n```", (DOCS / page).read_text("utf-8"), flags=re.DOTALL)


def test_every_page_with_code_is_run_somewhere():
    for page, where in ELSEWHERE.items():
        assert page in (ROOT / where).read_text("utf-8")


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ELSEWHERE and blocks(page, "python")])
def test_the_python_of_a_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: None)
    for number, sample in enumerate(sorted((ROOT / "notebooks" / "samples").glob("woman-*.jpg")), 1):
        shutil.copy(sample, f"{number}.jpg")
    for library in NOT_INSTALLED:
        monkeypatch.setitem(sys.modules, library, None)
    with anb.Sandbox(speed=6000) as sandbox:
        client = sandbox.client()
        # One of a page's own would train for half a minute.
        monkeypatch.setattr(anb.Sandbox, "start", lambda self: sandbox)
        tune = anb.Tune(pack=43, name="cat", title="a page", image_urls=["https://example.com/1.jpg"])
        names: dict[str, Any] = {"anb": anb, "client": client, "tune": tune}
        if page in WITH_ROWS:
            anb.submit(dataclasses.replace(tune, title="an earlier one"), client, encoding="form")
            names["row"] = anb.submit(tune, client)
        for code in blocks(page, "python"):
            exec(code, names)


def test_what_pages_begin_with_is_made_in_getting_started() -> None:
    (code,) = blocks("getting-started.md", "python")
    made = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    assert made >= {"anb", "client", "tune", "row"}
    assert "`anb`,\n`client`, `tune` and `row`" in (DOCS / "getting-started.md").read_text("utf-8")


def commands() -> list[tuple[str, str]]:
    return [(page, line) for page in PAGES for code in blocks(page, "bash") for line in code.splitlines()]


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_of_a_page_is_one(page: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["bash", "-n", "-c", line], check=True)
    if " astria-nb " in f" {line.removeprefix('.venv/bin/')}" and "pip" not in line:
        _, *arguments = shlex.split(line)
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--help"])  # after the options, which are read before it
        assert ended.value.code == 0
    elif "-m venv" in line:
        assert line in (ROOT / "README.md").read_text("utf-8")
    else:
        assert re.match(r"(read -rs|export) ASTRIA_|\.venv/bin/", line)
