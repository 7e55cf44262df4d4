"""The README's commands and code."""

import re
from pathlib import Path

import pytest
from PIL import Image

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)\n```", README, flags=re.DOTALL)


def test_two_single_lines_are_all_the_set_up():
    lab, tests = blocks("bash")[:2]
    assert "\n" not in lab + tests
    assert lab.endswith("astria-nb lab")
    assert tests.endswith("pytest")


def test_the_five_lines_make_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (code,) = blocks("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 6
    monkeypatch.chdir(tmp_path)
    for number in range(1, 5):
        Image.new("RGB", (600, 600), (40 * number, 90, 120)).save(f"{number}.jpg")
    *statements, expression = code.splitlines()
    names: dict[str, object] = {}
    # Training takes half a minute otherwise.
    exec("\n".join(statements).replace("anb.Sandbox()", "anb.Sandbox(deterministic=True)"), names)
    frame = eval(expression, names)
    assert (frame["images"].map(len) == 1).all()
    assert len(frame) == 35


def test_every_file_that_it_shows_is_there():
    root = Path(__file__).parents[1]
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (root / name).is_file()
