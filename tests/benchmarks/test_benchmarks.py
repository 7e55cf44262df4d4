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
from helpers.processes import elsewhere, printed_by
from helpers.waiting import until

FOLDER = Path(__file__).parent
# The smallest size of each program, and what it prints then.
PROGRAMS = {
    "batch.py": (
        ["all", "4"],
        [
            r"^submit_many / bare +[\d.]+",
            r"^requests beyond POST +[\d.]+",
            r"^submit_many / curl +[\d.]+",
            r"^memory over the start +-?\d+ MB for 4 rows",
            r"^4 lost answers +found by \d requests",
        ],
    ),
    "log_append.py": (
        ["--appends", "2", "--tunes", "2"],
        [r"a line: [\d.]+ ms", r"done: .* [\d.]+ lines", r"2 tunes, 1 at a time", r"^[+-][\d.]+%"],
    ),
    "postgres_log.py": (
        ["--appends", "1", "--rows", "20", "--times", "1"],
        [r"^poll: [\d.]+ ms, [\d.]+ bare rows", r"copied 20 ", r"frame of 20: .* on a server, [\d.]+ times"],
    ),
    "submit.py": (
        ["--rows", "5", "--rounds", "1"],
        [r"^this, 5 rows: [\d.]+ ms, processor [\d.]+ ms; the first"],
    ),
}


def test_every_program_is_tried() -> None:
    command = "python tests/benchmarks/{} ["
    programs = {path.name for path in FOLDER.glob("*.py") if command.format(path.name) in path.read_text()}
    assert programs == {*PROGRAMS, "gallery.py"}  # tests/browser/test_gallery.py has a browser for that one


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_benchmark_prints_its_figures(name: str, tmp_path: Path) -> None:
    if name == "batch.py" and shutil.which("curl") is None:
        pytest.skip("needs curl, and there is none")
    arguments, figures = PROGRAMS[name]
    environment = {"PYTHONPATH": str(FOLDER.parents[1]), "TMPDIR": str(tmp_path)}
    # Forked, so that each of them need not import pandas again.
    status, output, errors = elsewhere(printed_by, str(FOLDER / name), arguments, str(tmp_path), environment)
    assert status in (0, 1), errors  # 1 says that a promise was not met
    assert "Traceback" not in errors
    assert [figure for figure in figures if not re.search(figure, output, re.MULTILINE)] == [], output


def in_forked_process(case: str, side: str, arguments: dict[str, Any], build: Build) -> dict[str, Any]:
    """Run a side in a process that need not import pandas again."""
    del build
    returned: dict[str, Any] = elsewhere(figures_of, case, side, json.loads(json.dumps(arguments)))
    return returned


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
        r"import-time +added to its start .*\d ms \(.* to .* ms\) +≤ 9 ms +(yes|no) +\d.* ms$", line
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


def test_what_was_measured_before_an_interrupt_stays(tmp_path: Path) -> None:
    with suite("--only", "import-time", "frame", "--keep", tmp_path, "--into", tmp_path / "out") as process:
        until(lambda: [*tmp_path.glob("frame/*")] != [])
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert process.returncode in (0, 1), errors
    assert "interrupted" in errors
    assert re.search(r"^import-time +added to its start .* ms \(", output, re.MULTILINE)
    assert json.loads((tmp_path / "out" / "speed.json").read_text("utf-8"))["cases"]["frame"]["turns"] == []
