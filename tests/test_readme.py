"""The README's commands and code, and the files that the documents name."""

import os
import re
from pathlib import Path, PurePosixPath

import pandas as pd
import pytest
from PIL import Image

import astria_nb as anb
from helpers.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "tests/README.md", "docs/house.md")
FOLDERS = ("astria_nb", "docs", "findings", "notebooks", "tests")
# A path ends in one of these; what else stands in backticks is a command, a name or a value.
PATH = re.compile(r"(?:\.\./)*([\w.*-]+(?:/[\w.*-]+)*(?:/|\.(?:py|js|md|ipynb|css|toml)))")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)\n```", README, flags=re.DOTALL)


def checkout() -> list[PurePosixPath]:
    """Return the files and folders of the project, relative to its root."""
    paths = [path.relative_to(ROOT) for path in ROOT.iterdir()]
    for folder in FOLDERS:
        for parent, subfolders, names in os.walk(ROOT / folder):
            subfolders[:] = [name for name in subfolders if name not in {"node_modules", "__pycache__"}]
            paths += [Path(parent, name).relative_to(ROOT) for name in [*subfolders, *names]]
    return [PurePosixPath(path.as_posix()) for path in paths]


def named_paths(text: str) -> list[str]:
    """Return the paths in a document's inline code, among them the programs of commands."""
    text = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)
    words = [word for code in re.findall(r"`+([^`]+)`+", text) for word in code.split()]
    return [match[1] for word in words if (match := PATH.fullmatch(word))]


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


def test_a_row_comes_back_from_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = (ROOT / "docs" / "how-to" / "rows.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)\n```", page, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    tune = anb.Tune(pack=43, name="cat", title="a row", image_urls=["https://example.com/1.jpg"])
    with anb.Sandbox(deterministic=True) as sandbox:
        client = sandbox.client()
        row = anb.wait(anb.submit(tune, client), client, until="prompts")
        names: dict[str, object] = {"anb": anb, "client": client, "row": row}
        exec(code, names)
    pd.testing.assert_frame_equal(names["row"], row, check_column_type=False)


def test_every_file_that_it_shows_is_there():
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / name).is_file()


@pytest.mark.parametrize("document", DOCUMENTS[1:])
def test_every_path_that_a_document_names_exists(document: str):
    text = (ROOT / document).read_text("utf-8")
    paths = checkout()
    # `match` compares from the right: a document may name a file relative to a folder mentioned before.
    named = set(named_paths(text))
    assert sorted(name for name in named if not any(path.match(name) for path in paths)) == []
    assert len(named) > 4


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_links_to_exists(document: str):
    text = (ROOT / document).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / document).parent.joinpath(target).exists(), target


def test_paths_are_distinguished_from_other_code():
    text = "`python tests/proofs/kills.py 9`, `images/`, `a.py`, `../notebooks/`, `tests/test_*.py`"
    assert named_paths(text) == ["tests/proofs/kills.py", "images/", "a.py", "notebooks/", "tests/test_*.py"]
    assert named_paths("`form.row`, `/p/*/tunes`, `out/x.jpg`, `.venv/bin/pytest`, `np.load(x)`") == []
