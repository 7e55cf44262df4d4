"""Waiting for hundreds of tunes: few requests, each row to its own end, and patience when asked for it."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

import astria_nb as anb
from astria_nb.client.retry import ATTEMPTS
from astria_nb.errors import AstriaError, NotFoundError, ServerError, UnauthorizedError
from astria_nb.results.watch.poll_result import PollResult
from astria_nb.results.watch.polling import poll_until_finished
from astria_nb.rows import tune_frame
from astria_nb.tune.encoding import encode
from helpers.clock import Clock
from helpers.scripted_server import ScriptedServer, reply

URL = "https://example.com/1.jpg"


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(speed=1) as running:
        yield running


def made(client: anb.Client, count: int, **fields: Any) -> pd.DataFrame:
    """Make tunes without a log."""

    def one(number: int) -> dict[str, Any]:
        tune = anb.Tune(pack=43, title=f"t{number}", name="cat", image_urls=[URL], **fields)
        return client.create_tune(43, encode(tune))

    with ThreadPoolExecutor(8) as pool:
        return tune_frame(sorted(pool.map(one, range(count)), key=lambda each: each["id"]), client.now())


def asked(sandbox: anb.Sandbox, since: int = 0) -> Counter[str]:
    """Count what was asked for, by the first part of its path."""
    return Counter(each.path.split("/")[1] for each in sandbox.ledger[since:] if each.method == "GET")


def look(frame: pd.DataFrame, client: anb.Client, until: str = "trained") -> PollResult:
    return next(poll_until_finished(frame, client, until, poll=0, sleep=lambda _: None))


def test_a_look_at_a_thousand_tunes_takes_nine_requests(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = made(client, 1000)
    before = len(sandbox.ledger)
    found = look(frame.sample(frac=1, random_state=1), client)
    assert asked(sandbox, before)["tunes"] == 9
    assert found.text == "1000 queued"
    assert set(found.frame["id"]) == set(frame["id"])


def test_tunes_that_lie_far_apart_cost_no_more_than_one_request_each(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = made(client, 401)
    before = len(sandbox.ledger)
    assert len(look(frame.iloc[[0, 200, 400]], client).frame) == 3
    assert asked(sandbox, before)["tunes"] == 3


def test_only_what_is_not_over_is_asked_for(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    old = made(client, 150)
    sandbox.advance(86_400)
    new = made(client, 2)
    rows = look(pd.concat([old, new], ignore_index=True), client).frame
    assert Counter(rows["status"]) == {"trained": 150, "queued": 2}
    before = len(sandbox.ledger)
    look(rows, client)
    assert asked(sandbox, before)["tunes"] == 1


def test_each_row_has_its_own_end_and_the_others_go_on(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    expired = made(client, 1)
    sandbox.advance(40 * 86_400)
    good = made(client, 1)
    sandbox.fail("training", "POST */tunes", count=1)
    bad = made(client, 1)
    gone = made(client, 1)
    requests.delete(
        f"{sandbox.url}/tunes/{gone.loc[0, 'id']}",
        headers={"Authorization": f"Bearer {sandbox.api_key}"},
        timeout=10,
    ).raise_for_status()
    sandbox.advance(86_400)
    rows = pd.concat([bad, good, gone, expired], ignore_index=True).set_index(pd.Index([7, 7, 8, 9]))
    after = anb.wait(rows, client, until="prompts", poll=0)
    assert after["status"].tolist() == ["failed", "trained", "deleted", "expired"]
    assert after["id"].tolist() == rows["id"].tolist()
    assert after.index.tolist() == [7, 7, 8, 9]
    assert after.dtypes.equals(rows.dtypes)
    assert anb.wait(after, client, poll=0)["status"].tolist() == after["status"].tolist()
    assert (anb.prompts(after.iloc[:3], client)["status"] == "done").sum() == 8


def test_a_tune_that_is_gone_stays_gone_on_record_until_it_is_seen_again(
    sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    client, log = sandbox.client(), anb.ExperimentLog(tmp_path / "log.sqlite")
    tune = anb.Tune(pack=797, title="mine", name="cat", image_urls=["https://example.com/1.jpg"])
    row = anb.submit(tune, client, log=log)
    told = client.tune(int(row.loc[0, "id"]))
    requests.delete(
        f"{sandbox.url}/tunes/{told['id']}",
        headers={"Authorization": f"Bearer {sandbox.api_key}"},
        timeout=10,
    ).raise_for_status()
    sandbox.advance(120)
    assert anb.wait(row, client, log=log, poll=0)["status"].tolist() == ["deleted"]
    kept = log.frame()
    assert kept["status"].tolist() == ["deleted"]
    assert kept["name"].tolist() == ["cat"]
    log.note("poll", tune_id=told["id"], service=client.service, reply=told)
    assert log.frame()["status"].tolist() == ["queued"]


def test_a_tune_that_does_not_show_yet_is_not_gone(
    sandbox: anb.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sandbox.client()
    row = made(client, 1)

    def missing(*_: Any) -> Any:
        raise NotFoundError(status=404)

    monkeypatch.setattr(client, "tune", missing)
    assert look(row, client).frame["status"].tolist() == ["queued"]
    sandbox.advance(120)
    client.packs()  # tells the time
    assert look(row, client).frame["status"].tolist() == ["deleted"]


def test_a_prompt_that_fails_ends_the_wait_and_is_told(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    sandbox.fail("prompt", "POST */tunes", count=1)
    row = made(client, 1)
    sandbox.advance(86_400)
    found = look(row, client, "prompts")
    assert found.fraction_done == 1
    assert found.text == "1 trained, 7 of 8 prompts done, 1 failed"
    assert found.prompts is not None
    assert found.prompts.loc[found.prompts["status"] == "failed", "user_error"].str.len().gt(0).all()


def test_prompts_are_asked_for_by_the_page_as_well(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    rows = made(client, 10)
    at = rows["eta"].max() - pd.Timestamp(client.now())
    sandbox.advance(at.total_seconds() + 2)  # trained, their pictures not all made
    looks = poll_until_finished(rows, client, "prompts", poll=0, sleep=lambda _: None)
    first = next(looks)
    assert first.prompts is not None
    assert len(first.prompts) == 80
    assert first.fraction_done < 1
    before = len(sandbox.ledger)
    next(looks)
    assert sum(asked(sandbox, before).values()) <= 2
    sandbox.advance(86_400)
    assert [*looks][-1].text == "10 trained, 80 of 80 prompts done"


def test_a_run_on_existing_tunes_asks_for_its_prompts_together(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    client, log = sandbox.client(), anb.ExperimentLog(tmp_path / "log.sqlite")
    tune_id = int(made(client, 1).loc[0, "id"])
    sandbox.advance(86_400)
    run = anb.submit(anb.Tune(pack=797, tune_ids=[tune_id]), client, log=log)
    before = len(sandbox.ledger)
    assert len(anb.prompts(run, client)) == len(run["prompt_ids"].iloc[0])
    assert sum(asked(sandbox, before).values()) == 1
    sandbox.advance(86_400)
    assert anb.wait(run, client, until="prompts", poll=0)["prompt_ids"].equals(run["prompt_ids"])


def rests(frame: pd.DataFrame, client: anb.Client, looks: int, *, poll: float = 0.5) -> list[float]:
    """Return the seconds after each of some looks, none of which passes."""
    found: list[float] = []
    for _ in zip(
        range(looks),
        poll_until_finished(frame, client, "trained", poll=poll, sleep=found.append),
        strict=False,
    ):
        pass
    return found


def test_the_interval_grows_from_poll_to_a_minute(sandbox: anb.Sandbox) -> None:
    found = rests(made(sandbox.client(), 1), sandbox.client(), 16)
    assert found[0] == 0.5
    assert found == sorted(found)
    assert found[-1] == 60


def test_a_look_that_takes_many_requests_is_taken_less_often(sandbox: anb.Sandbox) -> None:
    found = rests(made(sandbox.client(), 250), sandbox.client(), 3)
    assert found[0] == 1.5  # three requests


def test_the_next_look_is_when_a_tune_should_be_ready(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    row = made(client, 1)
    eta = (row.loc[0, "eta"] - pd.Timestamp(client.now())).total_seconds()
    sandbox.advance(eta - 20)
    assert 15 < rests(row, client, 2, poll=50)[0] <= 21


def test_news_let_the_next_look_come_soon(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    found: list[float] = []
    looks = poll_until_finished(made(client, 1), client, "trained", poll=0.5, sleep=found.append)
    for _ in range(6):
        next(looks)
    sandbox.advance(120)  # queued no more
    assert [each["started_training_at"] is not None for each in next(looks).changed_tunes] == [True]
    next(looks)
    assert found[-1] == 0.5


def test_a_429_slows_every_thread_of_a_client(sandbox: anb.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, client = Clock(), sandbox.client()
    [*client.tunes(limit=1)]
    waited: list[float] = []

    def another() -> None:
        began = clock.now
        [*client.tunes(limit=1)]
        waited.append(clock.now - began)

    def sleep(seconds: float) -> None:
        if not waited:
            waited.append(0.0)
            thread = threading.Thread(target=another)
            thread.start()
            thread.join()
        clock.now += seconds

    monkeypatch.setattr(clock, "sleep", sleep)
    clock.install(monkeypatch)
    sandbox.fail("429", "GET /packs", count=1, retry_after="20")
    client.packs()
    assert waited[1] >= 20
    assert client.throttled == 1


def test_a_long_wait_that_the_service_asks_for_is_waited_between_looks(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = made(client, 3)
    sandbox.fail("429", "GET /tunes*", count=1, retry_after="300")
    found: list[float] = []
    looks = poll_until_finished(frame, client, "trained", poll=0.5, sleep=found.append)
    assert next(looks).failure == "the service is rate limiting, trying again in 5 min"
    before = len(sandbox.ledger)
    assert "the service is rate limiting" in next(looks).failure  # nobody let the time pass
    assert len(sandbox.ledger) == before
    assert found[0] == 300


def test_an_outage_is_sat_out(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = made(client, 2)
    sandbox.fail("503", "GET /tunes*", count=3 * ATTEMPTS)
    found: list[float] = []
    looks = poll_until_finished(frame, client, "trained", poll=0.5, sleep=found.append)
    seen = [next(looks) for _ in range(4)]
    assert seen[0].failure == "the service does not answer, trying again in 2 s"
    assert (seen[3].text, seen[3].failure) == ("2 queued", "")
    assert found == [2, 2, 4]


def test_a_service_that_never_answers_is_given_up_at_last(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes/7", reply({}, 500))
    found: list[float] = []
    with pytest.raises(ServerError):
        [*poll_until_finished(tune_frame([{"id": 7}]), client, "trained", poll=0.5, sleep=found.append)]
    assert 600 <= sum(found) < 700


def test_what_asking_again_cannot_mend_ends_the_wait_at_once(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = made(client, 2)
    sandbox.fail("401", "GET /tunes*")
    with pytest.raises(UnauthorizedError):
        anb.wait(frame, client)


def test_states_that_a_wait_saw_are_on_record(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    client, log = sandbox.client(), anb.ExperimentLog(tmp_path / "log.sqlite")
    row = anb.submit(anb.Tune(pack=43, title="t", name="cat", image_urls=[URL]), client, log=log)
    stranger = made(client, 1)
    sandbox.advance(86_400)
    anb.wait(pd.concat([row, stranger], ignore_index=True), client, poll=0, log=log)
    assert log.frame()["status"].tolist() == ["trained"]
    assert log.events()["kind"].tolist() == ["planned", "sending", "done", "poll"]


def test_a_wait_makes_no_log_where_there_is_none(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    client, log = sandbox.client(), anb.ExperimentLog(tmp_path / "log.sqlite")
    frame = made(client, 1)
    sandbox.advance(86_400)
    anb.wait(frame, client, poll=0, log=log)
    assert not log.path.exists()


def test_an_interrupted_wait_goes_on_when_it_is_called_again(
    sandbox: anb.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sandbox.client()
    frame = made(client, 2)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("astria_nb.results.watch._wait.time.sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            anb.wait(frame, client)
    sandbox.advance(86_400)
    assert anb.wait(frame, client)["status"].tolist() == ["trained"] * 2


def test_a_frame_of_ids_and_states_is_enough(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = made(client, 2)[["id", "status"]]
    sandbox.advance(86_400)
    assert anb.wait(frame, client, until="prompts", poll=0)["status"].tolist() == ["trained"] * 2


def test_ids_that_a_file_made_floats_or_text_of_are_ids(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = made(client, 2)[["id", "status"]]
    sandbox.advance(86_400)
    for kind in (float, str):
        rows = frame.astype({"id": kind})
        assert anb.wait(rows, client, poll=0)["status"].tolist() == ["trained"] * 2
        assert len(anb.prompts(rows, client)) == 16


@pytest.mark.parametrize("wrong", [1.5, "abc", -3])
def test_what_is_no_id_is_named(sandbox: anb.Sandbox, wrong: Any) -> None:
    frame = pd.DataFrame({"id": [1000001, wrong], "status": "queued"})
    for call in (anb.wait, anb.prompts, anb.gallery):
        with pytest.raises(AstriaError, match=f"{wrong!r} is not an id; give a whole number"):
            call(frame, sandbox.client())


def test_the_display_tells_the_states_the_time_and_what_is_left(
    sandbox: anb.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(
        "astria_nb.results.watch._wait.Progress.show", lambda _, fraction, text: shown.append(text)
    )
    client = sandbox.client()
    anb.wait(made(client, 2), client, timeout=1.2, poll=5)
    assert shown[0].startswith("2 queued, about ")
    assert " min" in shown[0]
    assert shown[0].endswith("left · 0 s")
    assert shown[-1].endswith(" · 1 s")
