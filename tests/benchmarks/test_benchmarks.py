"""Each benchmark runs and prints its figures; promises are checked by hand, on a quiet machine."""

import re
import shutil
from pathlib import Path

import pytest

from helpers.processes import elsewhere, printed_by

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
    "form.py": (["1", "1"], [r"form of \d+ widgets: .* ratio [\d.]+", r"keystroke: .* ratio [\d.]+"]),
    "image_advice.py": (["1", "1"], [r"^1 photos", r"advice / decoding +[\d.]+"]),
    "import_time.py": (["1"], [r"with / bare +[\d.]+"]),
    "log_append.py": (
        ["--appends", "2", "--tunes", "2"],
        [r"a line: [\d.]+ ms", r"done: .* [\d.]+ lines", r"2 tunes, 1 at a time", r"^[+-][\d.]+%"],
    ),
    "log_frame.py": (["20", "--times", "1"], [r"20 tunes written", r"frame: [\d.]+ s.* [\d.]+ times"]),
    "photos.py": (["2", "1100", "1"], [r"^check +-?[\d.]+ \(promised", r"^smaller +[\d.]+ \(promised"]),
    "postgres_log.py": (
        ["--appends", "1", "--rows", "20", "--times", "1"],
        [r"^poll: [\d.]+ ms, [\d.]+ bare rows", r"copied 21 ", r"frame of 20: .* on a server, [\d.]+ times"],
    ),
    "sandbox.py": (
        ["1", "20", "1"],
        [r"\{'201': 20\}", r"sandbox / sink +[\d.]+", r"memory of 20 x 0\.05 MB +-?[\d.]+ MB"],
    ),
    "saving.py": (["1", "3000"], [r"^until the last picture: [\d.]+ s", r"^with / without [\d.]+"]),
    "submit.py": (
        ["--rows", "5", "--rounds", "1"],
        [r"^this, 5 rows: [\d.]+ ms, processor [\d.]+ ms; the first"],
    ),
    "thumbnails.py": (["1", "1"], [r"^1 photos", r"thumbnails / decoding +[\d.]+"]),
    "upload.py": (["1", "50"], [r"request / curl +[\d.]+", r"memory added at 5 MB +[\d.]+ MB"]),
}


def test_every_program_is_tried() -> None:
    programs = {path.name for path in FOLDER.glob("*.py") if f"benchmarks/{path.name}" in path.read_text()}
    assert programs == {*PROGRAMS, "gallery.py"}  # tests/browser/test_gallery.py has a browser for that one


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_benchmark_prints_its_figures(name: str, tmp_path: Path) -> None:
    if name in ("batch.py", "upload.py") and shutil.which("curl") is None:
        pytest.skip("needs curl, and there is none")
    arguments, figures = PROGRAMS[name]
    environment = {"PYTHONPATH": str(FOLDER.parents[1]), "TMPDIR": str(tmp_path)}
    # Forked, so that each of them need not import pandas again.
    status, output, errors = elsewhere(printed_by, str(FOLDER / name), arguments, str(tmp_path), environment)
    assert status in (0, 1), errors  # 1 says that a promise was not met
    assert "Traceback" not in errors
    assert [figure for figure in figures if not re.search(figure, output, re.MULTILINE)] == [], output
