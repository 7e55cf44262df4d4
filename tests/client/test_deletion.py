"""`Client.delete_tune`: a tune is gone, its record stays, and a lost answer is looked up."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import AstriaError, NotFoundError, NotSentError, ServerError
from helpers.scripted_server import KEY, Answer, ScriptedServer, hang_up, reply

FAILED = reply({"error": "oops"}, 500)


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


def submit(client: anb.Client, log: anb.ExperimentLog | None = None, title: str = "t") -> pd.DataFrame:
    tune = anb.Tune(pack=43, title=title, name="cat", image_urls=["https://example.com/1.jpg"])
    return anb.submit(tune, client, log=log)


def test_the_record_stays_and_its_title_is_not_paid_for_again(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    client, log = sandbox.client(), anb.ExperimentLog(tmp_path / "log.sqlite")
    row = anb.wait(submit(client, log), client, poll=0.01, log=log)
    client.delete_tune(row.loc[0, "id"], log=log)
    with pytest.raises(NotFoundError):
        client.tune(row.loc[0, "id"])
    assert log.frame()["status"].tolist() == ["deleted"]
    again = submit(client, log)
    assert again["status"].tolist() == ["deleted"]
    assert again["id"].tolist() == row["id"].tolist()
    assert anb.wait(again, client, log=log)["status"].tolist() == ["deleted"]
    assert len([request for request in sandbox.ledger if request.method == "POST"]) == 1
    log.close()


def test_it_is_recorded_in_the_default_log(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    row = submit(client, title="of the default log")
    client.delete_tune(int(row.loc[0, "id"]))
    frame = anb.ExperimentLog().frame(service=client.service)
    assert frame["status"].tolist() == ["deleted"]


def test_a_tune_that_is_gone_is_told_and_recorded(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    """So that a call that was killed before it could record the deletion can be repeated."""
    client, log = sandbox.client(), anb.ExperimentLog(tmp_path / "log.sqlite")
    row = submit(client, log)
    client.delete_tune(row.loc[0, "id"], log=anb.ExperimentLog(tmp_path / "other.sqlite"))
    assert log.frame()["status"].tolist() == ["queued"]
    with pytest.raises(NotFoundError, match="no tune 1000001 at http"):
        client.delete_tune(row.loc[0, "id"], log=log)
    assert log.frame()["status"].tolist() == ["deleted"]
    log.close()


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as server:
        yield server


@pytest.mark.parametrize(
    ("answer", "is_confirmed"), [(reply({}), True), (hang_up, False), (reply({"error": "none"}, 404), False)]
)
def test_the_log_hears_whether_the_service_has_confirmed_it(
    scripted: ScriptedServer, answer: Answer, is_confirmed: bool
) -> None:
    answers: list[bool] = []

    class Recorder:
        def mark_deleted(self, *_: object, is_confirmed: bool = True) -> bool:
            answers.append(is_confirmed)
            return True

    scripted.on("DELETE", "/tunes/7", answer)
    scripted.on("GET", "/tunes/7", reply({"error": "not found"}, 404))
    with suppress(NotFoundError):
        anb.Client(KEY, base_url=scripted.url).delete_tune(7, log=Recorder())
    assert answers == [is_confirmed]


@pytest.mark.parametrize("answer", [hang_up, FAILED])
def test_a_lost_answer_is_looked_up(scripted: ScriptedServer, answer: Answer) -> None:
    scripted.on("DELETE", "/tunes/7", answer)
    scripted.on("GET", "/tunes/7", reply({"error": "not found"}, 404))
    anb.Client(KEY, base_url=scripted.url).delete_tune(7)
    assert len(scripted.received("DELETE")) == 1


@pytest.mark.parametrize(("answer", "error"), [(hang_up, NotSentError), (FAILED, ServerError)])
def test_a_tune_that_is_still_there_was_not_deleted(
    scripted: ScriptedServer, answer: Answer, error: type[AstriaError]
) -> None:
    scripted.on("DELETE", "/tunes/7", answer)
    scripted.on("GET", "/tunes/7", reply({"id": 7}))
    with pytest.raises(error, match="try again"):
        anb.Client(KEY, base_url=scripted.url).delete_tune(7)
    assert len(scripted.received("DELETE")) == 1


def test_only_an_id_is_deleted(sandbox: anb.Sandbox) -> None:
    with pytest.raises(AstriaError, match="id: 't' is not an id"):
        sandbox.client().delete_tune("t")  # type: ignore[arg-type]
    assert [request for request in sandbox.ledger if request.method == "DELETE"] == []
