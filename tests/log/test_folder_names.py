"""A folder may have any name that its disk takes, even one that is not UTF-8, as old archives have."""

import os
import shutil
import warnings
from pathlib import Path

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.cli import main
from astria_nb.log import Log
from helpers.submissions import a_request


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this disk takes names in UTF-8 only")
    return folder


def test_tunes_are_paid_for_once_followed_and_exported_in_a_folder_of_any_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    log = anb.ExperimentLog(folder / "log.sqlite")
    monkeypatch.setenv("ASTRIA_NB_LOG", str(log.path))
    with anb.Sandbox() as sandbox:
        client = sandbox.client()
        tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        row = anb.submit(tune, client)
        assert anb.submit(tune, client)["id"].tolist() == row["id"].tolist()
        sandbox.advance(3600)
        assert anb.wait(row, client)["trained_at"].notna().all()
        anb.TuneForm(client).close()
    for name in ("tunes.parquet", "tunes.csv"):
        assert main(["log", "export", name]) == 0
    assert pd.read_csv(folder / "tunes.csv")["title"].tolist() == ["t"]
    with (folder / "tunes.parquet").open("rb") as file:
        assert pd.read_parquet(file)["title"].tolist() == ["t"]
    assert main(["log"]) == 0
    assert "astria-nb log:" not in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let go of files that are open")
def test_a_copy_with_the_same_content_is_used_without_a_word_in_a_folder_of_any_name(folder: Path) -> None:
    log = Log(folder / "log.sqlite")
    log.plan(a_request("a"))
    copied = shutil.copytree(folder, folder.with_name("copy")) / "log.sqlite"
    copy = Log(copied)
    assert copy.frame()["title"].tolist() == ["a"]
    copy.close()  # which leaves all of it in one file
    copied.replace(log.path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        log.plan(a_request("b"))
    assert log.frame()["title"].tolist() == ["a", "b"]
    log.close()
