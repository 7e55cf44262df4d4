"""A log that the release before wrote, with titles as they were typed, is continued without paying twice."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import astria_nb as anb
from helpers.submissions import SERVICE

# A tune with the title "cat 1 " was made, and the answer to one with the title "cat 2 " was lost.
OLD = Path(__file__).parent / "format_3" / "log.sqlite"


def a_tune(title: str) -> anb.Tune:
    return anb.Tune(pack=797, name="cat", title=title, image_urls=["https://example.com/1.jpg"])


def posts(sandbox: anb.Sandbox) -> int:
    return sum(request.method == "POST" for request in sandbox.ledger)


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox() as running:
        yield running


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> anb.ExperimentLog:
    monkeypatch.setattr(anb.Client, "service", SERVICE)
    shutil.copy(OLD, tmp_path / "log.sqlite")
    return anb.ExperimentLog(tmp_path / "log.sqlite")


@pytest.mark.parametrize("title", ["cat 1 ", "cat 1"])
def test_a_title_that_was_recorded_with_blanks_is_not_paid_again(
    log: anb.ExperimentLog, sandbox: anb.Sandbox, title: str
) -> None:
    row = anb.submit(a_tune(title), sandbox.client(), log=log, settle=0)
    assert row["id"].tolist() == [1_000_001]
    assert posts(sandbox) == 0


def test_a_submission_whose_answer_was_lost_is_found(log: anb.ExperimentLog, sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    made = anb.submit(a_tune("cat 2"), client, log=anb.ExperimentLog(log.path.with_name("another.sqlite")))
    recovered = log.recover(client, settle=0)
    assert recovered[["state", "id"]].to_numpy().tolist() == [["adopted", made.loc[0, "id"]]]
    assert anb.submit(a_tune("cat 2"), client, log=log)["id"].tolist() == made["id"].tolist()
    assert posts(sandbox) == 1
