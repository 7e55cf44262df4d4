"""Each benchmark runs in its smallest size; how fast it is, is measured by hand, on a quiet machine."""

import json
import math
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.side import figures_of
from benchmarks.table import write
from benchmarks.turns import Build, Result, load, measure, names
from helpers.paths import ROOT
from helpers.processes import elsewhere
from helpers.waiting import until


def in_forked_process(case: str, side: str, arguments: dict[str, Any], build: Build) -> dict[str, Any]:
    """Run a side in a process that need not import pandas again."""
    del build
    returned: dict[str, Any] = elsewhere(figures_of, case, side, json.loads(json.dumps(arguments)))
    return returned


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_each_case_runs_and_has_its_figures(name: str) -> None:
    result = Result(name, load(name))
    if absent := [program for program in result.case.needs if shutil.which(program) is None]:
        pytest.skip(f"needs {', '.join(absent)}")
    measure(result, small=True, run=in_forked_process)
    assert result.problem == ""
    for figure in result.case.figures:
        assert [value for value in result.values(figure, "ours") if math.isfinite(value)] != []
        if figure.beside != "today":
            assert len(result.compared(figure)) == 1


def suite(*arguments: str | Path, **options: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.benchmarks", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, **options)


def test_the_suite_prints_a_table_and_writes_a_page(tmp_path: Path) -> None:
    with suite("--only", "import-time", "--rounds", "2", "--against", ROOT, "--into", tmp_path) as process:
        output, errors = process.communicate()
    assert process.returncode in (0, 1), errors
    head, line, *_ = output.splitlines()
    assert head.split()[:4] == ["case", "figure", "ours", "peer"]
    assert re.match(
        r"import-time +added to its start .*\d ms \(.* to .* ms\) +≤ 9 ms +(yes|no) +-?\d.* ms$", line
    )
    measured = json.loads((tmp_path / "speed.json").read_text("utf-8"))
    assert [{*turn} for turn in measured["cases"]["import_time"]["turns"]] == [{"peer", "ours", "today"}] * 2
    page = (tmp_path / "speed.md").read_text("utf-8")
    assert f"Measured on {measured['date']}" in page
    assert "| `import-time`: import astria_nb | bare interpreter | added to its start |" in page
    assert "](speed.svg)" in page
    picture = (tmp_path / "speed.svg").read_text("utf-8")
    assert "prefers-color-scheme: dark" in picture
    assert {*re.findall(r"(?:fill|stroke): (#\w+)", picture)} == set()  # each colour has one for dark pages


def test_a_page_keeps_what_is_around_the_figures(tmp_path: Path) -> None:
    result, page = Result("import_time", load("import_time")), tmp_path / "figures.md"
    page.write_text("# Figures\n\nBefore.\n")
    for seconds in (0.001, 0.002):
        result.turns = [{"peer": {"seconds": 0.01}, "ours": {"seconds": 0.01 + seconds}}]
        write(page, tmp_path / "figures", [result], "")
        page.write_text(page.read_text("utf-8") + "After.\n", "utf-8")
    text = page.read_text("utf-8")
    assert text.startswith("# Figures\n\nBefore.\n<!-- measured -->")
    assert text.endswith("<!-- end of what was measured -->\nAfter.\nAfter.\n")
    assert "(figures/speed.svg)" in text
    assert "2 ms" in text
    assert "1 ms" not in text


@pytest.mark.slow
def test_what_was_measured_before_an_interrupt_stays(tmp_path: Path) -> None:
    options = ("--only", "import-time", "frame", "--rounds", "2")
    with suite(*options, "--keep", tmp_path, "--into", tmp_path / "out") as process:
        try:
            until(lambda: [*tmp_path.glob("log-*")] != [])
        finally:
            process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert process.returncode in (0, 1), errors
    assert "interrupted" in errors
    assert re.search(r"^import-time +added to its start .* ms \(", output, re.MULTILINE)
    assert json.loads((tmp_path / "out" / "speed.json").read_text("utf-8"))["cases"]["frame"]["turns"] == []
