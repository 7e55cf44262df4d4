"""The documents under docs/: what code and tests cite is there, and the map shows the rooms that exist."""

import json
import re
from pathlib import Path

import pytest

from astria_nb.rows import LABEL_SCHEMA, LOG_SCHEMA, PROMPT_SCHEMA, TUNE_SCHEMA
from helpers.paths import PACKAGE, ROOT

DOCS = ROOT / "docs"
API = (DOCS / "astria-api.md").read_text("utf-8")
HOUSE = (DOCS / "house.md").read_text("utf-8")
CITED = re.compile(r"\bsections?\s+(\d+(?:(?:,| and|, and)\s+\d+)*)", re.IGNORECASE)
FOLDERS = ("astria_nb", "tests", "notebooks", "docs")
SUFFIXES = {".py", ".js", ".md", ".ipynb", ".css"}


def sections() -> set[int]:
    return {int(number) for number in re.findall(r"^## (\d+)\. ", API, re.MULTILINE)}


def texts() -> list[Path]:
    paths = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
    for folder in FOLDERS:
        paths += [path for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES]
    return [path for path in paths if not {"node_modules", "__pycache__"} & set(path.parts)]


def citations(text: str) -> list[int]:
    # A comment or docstring may break the line within a citation.
    unwrapped = re.sub(r"\n\s*(?:#|//|\*)?\s*", " ", text)
    return [int(number) for numbers in CITED.findall(unwrapped) for number in re.findall(r"\d+", numbers)]


def test_every_section_that_is_cited_exists():
    assert sections() == set(range(1, 17))
    cited = {path.relative_to(ROOT): set(citations(path.read_text("utf-8"))) for path in texts()}
    missing = {str(path): numbers - sections() for path, numbers in cited.items() if numbers - sections()}
    assert missing == {}
    assert sum(bool(numbers) for path, numbers in cited.items() if path.parts[0] == "astria_nb") > 20


@pytest.mark.parametrize(
    "text", ["section 8", "sections 10\n    # and 12", "Section 4, ", "sections 1, 2 and 3"]
)
def test_citations_are_recognized(text: str):
    assert citations(text) == [int(number) for number in re.findall(r"\d+", text)]


def test_the_map_shows_every_room():
    rooms = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    rooms |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    table = HOUSE.partition("## Rooms and doors")[2].partition("\n## ")[0]
    assert set(re.findall(r"\[`(\w+)(?:\.py|/)`\]", table)) == rooms
    diagram = HOUSE.partition("```mermaid")[2].partition("```")[0]
    assert {room for room in rooms if not re.search(rf"\b{room}\b", diagram)} == set()


def test_the_columns_of_rows_are_explained() -> None:
    _, tune, prompt, log = (DOCS / "how-to" / "rows.md").read_text("utf-8").split("\n## ")

    def columns(text: str) -> list[str]:
        rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
        return re.findall(r"`(\w+)`", " ".join(rows))

    assert columns(tune) == TUNE_SCHEMA.names
    assert columns(prompt) == PROMPT_SCHEMA.names
    of_log = [*LOG_SCHEMA.names, *LABEL_SCHEMA.names]
    assert columns(log) == [name for name in of_log if name not in TUNE_SCHEMA.names]


@pytest.mark.parametrize("name", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_lead_to_files_of_the_checkout(name: str):
    text = (DOCS / name).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        path = (DOCS / target).resolve()
        assert path.exists(), target
        assert path.is_relative_to(ROOT), target


def notebooks() -> list[Path]:
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_a_notebook_says_how_it_is_run_and_that_its_pictures_are_pictures(path: Path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    assert "▶ or Shift+Enter" in " ".join(texts[0].split())
    for text in texts:
        for after in re.split(r"!\[[^]]*\]\(pictures/[^)]*\)\n*", text)[1:]:
            assert after.startswith("*This is a picture")


def test_the_course_leads_from_each_notebook_to_the_next():
    names = {path.name for path in notebooks()}
    cells = {path.name: json.loads(path.read_text("utf-8"))["cells"] for path in notebooks()}
    index = "".join("".join(cell["source"]) for cell in cells["index.ipynb"])
    assert set(re.findall(r"\((\w+\.ipynb)\)", index)) == names - {"index.ipynb"}
    path, name = ["01_multipart.ipynb"], "01_multipart.ipynb"
    while name != "app.ipynb":
        last = "".join(cells[name][-1]["source"])
        name = re.findall(r"Next:.*?\((\w+\.ipynb)\)", last, re.DOTALL)[0]
        path.append(name)
    last = "".join(cells[name][-1]["source"])
    assert "Next: " in last
    assert last.endswith("[All notebooks](index.ipynb).")
    assert sorted(path) == sorted(names - {"index.ipynb"})


@pytest.mark.parametrize("name", ["01_multipart", "02_image_urls", "03_json", "watch", "compare"])
def test_papermill_can_give_a_notebook_another_pack(name: str):
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text("utf-8"))["cells"]
    (number,) = [n for n, cell in enumerate(cells) if "parameters" in cell["metadata"].get("tags", ())]
    source = "".join(cells[number]["source"])
    assert {"pack", "name"} <= set(re.findall(r"^(\w+) = ", source, re.MULTILINE))
    later = "".join("".join(cell["source"]) for cell in cells[number + 1 :])
    assert "pack=pack" in later
    assert "name=name" in later
