"""The examples of docs/shared-log.md, with the address of a server of the tests."""

import re
from pathlib import Path

import pytest

import astria_nb as anb
from helpers.paths import ROOT

PAGE = (ROOT / "docs" / "shared-log.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ADDRESS = '"postgresql://ann@db.example.com:5432/lab?sslmode=verify-full"'


def test_the_examples_of_the_page_run(
    server_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    with anb.Sandbox() as sandbox:
        names = {"anb": anb, "tune": tune, "client": sandbox.client()}
        for example in EXAMPLES:
            assert ADDRESS in example
            exec(example.replace(ADDRESS, repr(server_address)), names)
    assert anb.ExperimentLog(server_address).frame()["title"].tolist() == ["t"]
