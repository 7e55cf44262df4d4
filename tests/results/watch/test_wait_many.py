"""Waiting for hundreds of tunes: few requests, an end for each row, long pauses on request."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

import astria_nb as anb
from astria_nb.client.retry import ATTEMPTS
from astria_nb.errors import AstriaError, NotFoundError, ServerError, UnauthorizedError
from astria_nb.results.watch import PollRecorder, PollResult, poll_until_finished
from astria_nb.rows import tune_frame
from astria_nb.tune import encode
from helpers.clock import Clock
from helpers.scripted_server import TUNE, ScriptedServer, after, reply
from helpers.waiting import PATIENCE
from helpers.web_pages import PAGES

URL = "https://example.com/1.jpg"


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(speed=1) as running:
        yield running


def create_tunes(client: anb.Client, count: int, **fields: Any) -> pd.DataFrame:
    """Create tunes without a log."""

    def create(number: int) -> dict[str, Any]:
        tune = anb.Tune(pack=43, title=f"t{number}", name="cat", image_urls=[URL], **fields)
        return client.create_tune(43, encode(tune))

    with ThreadPoolExecutor(8) as pool:
        return tune_frame(sorted(pool.map(create, range(count)), key=lambda tune: tune["id"]), client.now())


def gets(sandbox: anb.Sandbox, since: int = 0) -> Counter[str]:
    """Count the GET requests, by the first part of their path."""
    return Counter(
        request.path.split("/")[1] for request in sandbox.ledger[since:] if request.method == "GET"
    )


def poll_once(frame: pd.DataFrame, client: anb.Client, until: str = "trained") -> PollResult:
    return next(poll_until_finished(frame, client, until, poll=0, sleep=lambda _: None))


@pytest.mark.slow
def test_a_poll_of_a_thousand_tunes_takes_nine_requests(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = create_tunes(client, 1000)
    before = len(sandbox.ledger)
    result = poll_once(frame.sample(frac=1, random_state=1), client)
    assert gets(sandbox, before)["tunes"] == 9
    assert result.text == "1000 queued"
    assert set(result.frame["id"]) == set(frame["id"])


def test_tunes_that_lie_far_apart_cost_no_more_than_one_request_each(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = create_tunes(client, 401)
    before = len(sandbox.ledger)
    assert len(poll_once(frame.iloc[[0, 200, 400]], client).frame) == 3
    assert gets(sandbox, before)["tunes"] == 3


def test_only_what_is_not_over_is_asked_for(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    old = create_tunes(client, 150)
    sandbox.advance(86_400)
    new = create_tunes(client, 2)
    rows = poll_once(pd.concat([old, new], ignore_index=True), client).frame
    assert Counter(rows["status"]) == {"trained": 150, "queued": 2}
    before = len(sandbox.ledger)
    poll_once(rows, client)
    assert gets(sandbox, before)["tunes"] == 1


def test_of_a_page_that_comes_again_only_what_changed_is_new(
    server: ScriptedServer, client: anb.Client
) -> None:
    before = [{**TUNE, "id": number, "orig_images": [URL]} for number in (9, 8, 7)]
    after = [before[0], {**before[1], "started_training_at": "2026-01-01T12:01:00.000Z"}, before[2]]
    server.on("GET", "/tunes", reply(before), reply(before), reply(after), reply(before))
    rows = tune_frame([{**tune, "encoding": "json"} for tune in before], client.now())
    polls = poll_until_finished(rows, client, "trained", poll=0, sleep=lambda _: None)
    results = [next(polls) for _ in range(4)]
    assert [[tune["id"] for tune in result.changed_tunes] for result in results] == [[], [], [8], [8]]
    assert [result.text for result in results[1:]] == ["3 queued", "2 queued, 1 training", "3 queued"]
    assert results[1].frame["status"].tolist() == ["queued"] * 3  # not changed by the polls after it
    assert results[2].frame["encoding"].tolist() == ["json"] * 3
    assert results[2].frame["id"].tolist() == rows["id"].tolist()


def test_each_row_has_its_own_end_and_the_others_go_on(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    expired = create_tunes(client, 1)
    sandbox.advance(40 * 86_400)
    good = create_tunes(client, 1)
    sandbox.fail("training", "POST */tunes", count=1)
    bad = create_tunes(client, 1)
    gone = create_tunes(client, 1)
    requests.delete(
        f"{sandbox.url}/tunes/{gone.loc[0, 'id']}",
        headers={"Authorization": f"Bearer {sandbox.api_key}"},
        timeout=PATIENCE,
    ).raise_for_status()
    sandbox.advance(86_400)
    rows = pd.concat([bad, good, gone, expired], ignore_index=True).set_index(pd.Index([7, 7, 8, 9]))
    after = anb.wait(rows, client, until="prompts", poll=0)
    assert after["status"].tolist() == ["failed", "trained", "deleted", "expired"]
    assert after["id"].tolist() == rows["id"].tolist()
    assert after.index.tolist() == [7, 7, 8, 9]
    assert after.dtypes.equals(rows.dtypes)
    assert anb.wait(after, client, poll=0)["status"].tolist() == after["status"].tolist()
    with pytest.warns(UserWarning, match=f"skipped: the service no longer has tune {gone.loc[0, 'id']}"):
        prompts = anb.prompts(after.iloc[:3], client)
    assert (prompts["status"] == "done").sum() == 8


def test_a_tune_that_is_gone_stays_gone_on_record_until_it_is_seen_again(
    sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    client, log = sandbox.client(), anb.ExperimentLog(tmp_path / "log.sqlite")
    tune = anb.Tune(pack=797, title="mine", name="cat", image_urls=["https://example.com/1.jpg"])
    row = anb.submit(tune, client, log=log)
    tune_json = client.tune(int(row.loc[0, "id"]))
    requests.delete(
        f"{sandbox.url}/tunes/{tune_json['id']}",
        headers={"Authorization": f"Bearer {sandbox.api_key}"},
        timeout=PATIENCE,
    ).raise_for_status()
    sandbox.advance(120)
    assert anb.wait(row, client, log=log, poll=0)["status"].tolist() == ["deleted"]
    recorded = log.frame()
    assert recorded["status"].tolist() == ["deleted"]
    assert recorded["name"].tolist() == ["cat"]
    log.record_event("poll", tune_id=tune_json["id"], service=client.service, reply=tune_json)
    assert log.frame()["status"].tolist() == ["queued"]


def test_a_tune_that_does_not_show_yet_is_not_gone(
    sandbox: anb.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sandbox.client()
    row = create_tunes(client, 1)

    def missing(*_: Any) -> Any:
        raise NotFoundError(status=404)

    monkeypatch.setattr(client, "tune", missing)
    assert poll_once(row, client).frame["status"].tolist() == ["queued"]
    sandbox.advance(120)
    client.packs()  # tells the time
    assert poll_once(row, client).frame["status"].tolist() == ["deleted"]


def test_a_failed_prompt_is_finished_and_reported(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    sandbox.fail("prompt", "POST */tunes", count=1)
    row = create_tunes(client, 1)
    sandbox.advance(86_400)
    result = poll_once(row, client, "prompts")
    assert result.fraction_done == 1
    assert result.text == "1 trained, 7 of 8 prompts done, 1 failed"
    assert result.prompts is not None
    assert result.prompts.loc[result.prompts["status"] == "failed", "user_error"].str.len().gt(0).all()


def test_prompts_are_asked_for_by_the_page_as_well(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    rows = create_tunes(client, 10)
    at = rows["eta"].max() - pd.Timestamp(client.now())
    sandbox.advance(at.total_seconds() + 2)  # trained, their pictures not all made
    polls = poll_until_finished(rows, client, "prompts", poll=0, sleep=lambda _: None)
    first = next(polls)
    assert first.prompts is not None
    assert len(first.prompts) == 80
    assert first.fraction_done < 1
    before = len(sandbox.ledger)
    next(polls)
    assert sum(gets(sandbox, before).values()) <= 2
    sandbox.advance(86_400)
    assert [*polls][-1].text == "10 trained, 80 of 80 prompts done"


def test_a_run_on_existing_tunes_asks_for_its_prompts_together(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    client, log = sandbox.client(), anb.ExperimentLog(tmp_path / "log.sqlite")
    tune_id = int(create_tunes(client, 1).loc[0, "id"])
    sandbox.advance(86_400)
    run = anb.submit(anb.Tune(pack=797, tune_ids=[tune_id]), client, log=log)
    before = len(sandbox.ledger)
    assert len(anb.prompts(run, client)) == len(run["prompt_ids"].iloc[0])
    assert sum(gets(sandbox, before).values()) == 1
    sandbox.advance(86_400)
    assert anb.wait(run, client, until="prompts", poll=0)["prompt_ids"].equals(run["prompt_ids"])


@pytest.fixture
def run(sandbox: anb.Sandbox) -> pd.DataFrame:
    """The row of a run on an existing tune, whose pictures are not made yet."""
    client = sandbox.client()
    tune_id = int(create_tunes(client, 1).loc[0, "id"])
    sandbox.advance(86_400)
    return anb.submit(anb.Tune(pack=43, tune_ids=[tune_id]), client)


@pytest.mark.parametrize("fault", ["500", "429"])
def test_a_run_whose_prompts_were_not_answered_once_is_waited_for(
    sandbox: anb.Sandbox, run: pd.DataFrame, fault: str
) -> None:
    sandbox.fail(fault, "GET /prompts*", count=ATTEMPTS)
    polls = poll_until_finished(run, sandbox.client(), "prompts", poll=0, sleep=lambda _: None)
    assert "trying again" in next(polls).failure
    assert (second := next(polls)).fraction_done < 1
    assert second.text == "0 of 8 prompts done"
    sandbox.advance(86_400)
    assert [*polls][-1].text == "8 of 8 prompts done"


class Hidden:
    """Prompts that the service does not show."""

    def __init__(self, client: anb.Client, monkeypatch: pytest.MonkeyPatch, ids: list[int]) -> None:
        self.ids, list_prompts, get_prompt = ids, client.prompts, client.prompt

        def get_visible(key: int) -> Any:
            if key in self.ids:
                raise NotFoundError(status=404)
            return get_prompt(key)

        def list_visible(*args: Any, **options: Any) -> Iterator[Any]:
            return (prompt for prompt in list_prompts(*args, **options) if prompt["id"] not in self.ids)

        monkeypatch.setattr(client, "prompt", get_visible)
        monkeypatch.setattr(client, "prompts", list_visible)


def test_prompts_of_a_run_that_do_not_show_yet_are_waited_for(
    sandbox: anb.Sandbox, run: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sandbox.client()
    hidden = Hidden(client, monkeypatch, list(run["prompt_ids"].iloc[0]))
    polls = poll_until_finished(run, client, "prompts", poll=0, sleep=lambda _: None)
    first = next(polls)
    assert (first.text, first.fraction_done) == ("0 of 8 prompts done", 0)
    hidden.ids = hidden.ids[:1]
    assert (second := next(polls)).fraction_done < 1
    assert second.prompts is not None
    assert len(second.prompts) == 7
    hidden.ids = []
    assert next(polls).fraction_done < 1
    sandbox.advance(86_400)
    last = [*polls][-1]
    assert last.text == "8 of 8 prompts done"
    assert last.prompts is not None
    assert last.prompts["tune_id"].tolist() == list(run["tune_ids"].iloc[0]) * 8


@pytest.mark.parametrize("are_all", [True, False])
def test_prompts_of_a_run_that_never_show_do_not_keep_a_wait_for_ever(
    sandbox: anb.Sandbox, run: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, are_all: bool
) -> None:
    client = sandbox.client()
    ids = list(run["prompt_ids"].iloc[0])
    Hidden(client, monkeypatch, ids if are_all else ids[:1])
    polls = poll_until_finished(run, client, "prompts", poll=0, sleep=lambda _: None)
    assert next(polls).fraction_done < 1
    sandbox.advance(86_400)
    last = [*polls][-1]
    assert last.text == ("" if are_all else "7 of 7 prompts done")
    if not are_all:  # those that it has say that the run is old
        assert poll_once(run, client, "prompts").fraction_done == 1


def test_a_tune_that_became_trained_is_on_record_although_its_prompts_were_not_answered(
    sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    client, log = sandbox.client(), anb.ExperimentLog(tmp_path / "log.sqlite")
    row = anb.submit(anb.Tune(pack=43, title="t", name="cat", image_urls=[URL]), client, log=log)
    sandbox.advance(86_400)
    sandbox.fail("500", "GET /tunes/*/prompts", count=ATTEMPTS)
    recorder = PollRecorder(log, client.service)
    for result in poll_until_finished(row, client, "prompts", poll=0, sleep=lambda _: None):
        recorder.record(result)
    assert log.frame()["status"].tolist() == ["trained"]
    assert [*log.events()["kind"]].count("poll") == 2  # the tune, and its prompts


def pauses_between(frame: pd.DataFrame, client: anb.Client, count: int, *, poll: float = 0.5) -> list[float]:
    """Return the seconds between some polls, without waiting for any of them."""
    pauses: list[float] = []
    for _ in zip(
        range(count),
        poll_until_finished(frame, client, "trained", poll=poll, sleep=pauses.append),
        strict=False,
    ):
        pass
    return pauses


def test_the_interval_grows_from_poll_to_a_minute(sandbox: anb.Sandbox) -> None:
    pauses = pauses_between(create_tunes(sandbox.client(), 1), sandbox.client(), 16)
    assert pauses[0] == 0.5
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60


def test_the_interval_grows_from_zero_as_well(sandbox: anb.Sandbox) -> None:
    pauses = pauses_between(create_tunes(sandbox.client(), 1), sandbox.client(), 12, poll=0)
    assert pauses[0] == 0.01
    assert pauses[-1] > 0.5


def test_polls_that_take_many_requests_are_less_frequent(sandbox: anb.Sandbox) -> None:
    pauses = pauses_between(create_tunes(sandbox.client(), 250), sandbox.client(), 3)
    assert pauses[0] == 1.5  # three requests


def test_the_next_poll_is_when_a_tune_should_be_ready(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    row = create_tunes(client, 1)
    eta = (row.loc[0, "eta"] - pd.Timestamp(client.now())).total_seconds()
    sandbox.advance(eta - 20)
    assert pauses_between(row, client, 2, poll=50)[0] <= 21


def test_a_change_shortens_the_time_to_the_next_poll(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    pauses: list[float] = []
    polls = poll_until_finished(create_tunes(client, 1), client, "trained", poll=0.5, sleep=pauses.append)
    for _ in range(6):
        next(polls)
    sandbox.advance(120)  # queued no more
    assert [tune["started_training_at"] is not None for tune in next(polls).changed_tunes] == [True]
    next(polls)
    assert pauses[-1] == 0.5


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


def test_a_long_retry_after_is_waited_between_polls(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = create_tunes(client, 3)
    sandbox.fail("429", "GET /tunes*", count=1, retry_after="300")
    pauses: list[float] = []
    polls = poll_until_finished(frame, client, "trained", poll=0.5, sleep=pauses.append)
    assert next(polls).failure == "the service is rate limiting, trying again in 5 min"
    before = len(sandbox.ledger)
    assert "the service is rate limiting" in next(polls).failure  # nobody let the time pass
    assert len(sandbox.ledger) == before
    assert pauses[0] == 300


def test_an_outage_is_waited_out(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = create_tunes(client, 2)
    sandbox.fail("503", "GET /tunes*", count=3 * ATTEMPTS)
    pauses: list[float] = []
    polls = poll_until_finished(frame, client, "trained", poll=0.5, sleep=pauses.append)
    results = [next(polls) for _ in range(4)]
    assert results[0].failure == "the service does not answer, trying again in 2 s"
    assert (results[3].text, results[3].failure) == ("2 queued", "")
    assert pauses == [2, 2, 4]


def test_a_service_that_never_answers_is_given_up_at_last(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes/7", reply({}, 500))
    pauses: list[float] = []
    with pytest.raises(ServerError):
        [*poll_until_finished(tune_frame([{"id": 7}]), client, "trained", poll=0.5, sleep=pauses.append)]
    assert 600 <= sum(pauses) < 700


def test_an_error_that_another_poll_cannot_fix_ends_the_wait_at_once(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = create_tunes(client, 2)
    sandbox.fail("401", "GET /tunes*")
    with pytest.raises(UnauthorizedError):
        anb.wait(frame, client)


def test_states_that_a_wait_saw_are_on_record(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    client, log = sandbox.client(), anb.ExperimentLog(tmp_path / "log.sqlite")
    row = anb.submit(anb.Tune(pack=43, title="t", name="cat", image_urls=[URL]), client, log=log)
    stranger = create_tunes(client, 1)
    sandbox.advance(86_400)
    anb.wait(pd.concat([row, stranger], ignore_index=True), client, poll=0, log=log)
    assert log.frame()["status"].tolist() == ["trained"]
    assert log.events()["kind"].tolist() == ["planned", "sending", "done", "poll"]


def test_a_wait_makes_no_log_where_there_is_none(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    client, log = sandbox.client(), anb.ExperimentLog(tmp_path / "log.sqlite")
    frame = create_tunes(client, 1)
    sandbox.advance(86_400)
    anb.wait(frame, client, poll=0, log=log)
    assert not log.path.exists()


@pytest.mark.parametrize("until", ["trained", "prompts"])
def test_a_service_that_asks_for_a_pause_does_not_prolong_a_wait(
    sandbox: anb.Sandbox, run: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    client = sandbox.client()
    frame = create_tunes(client, 1) if until == "trained" else run
    sandbox.fail("429", "GET /*", retry_after="30")
    clock = Clock()
    clock.install(monkeypatch)
    began = clock.now
    assert anb.wait(frame, client, until=until, timeout=3)["status"].equals(frame["status"])
    assert clock.now - began == pytest.approx(3)


@pytest.mark.parametrize("path", ["/tunes/7", "/tunes", "/tunes/7/prompts", "/prompts/8", "/prompts"])
def test_a_service_that_hangs_does_not_prolong_a_wait(
    server: ScriptedServer, client: anb.Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("astria_nb.results.watch._polling._LAST_ANSWER", 0.3)
    trained = {**TUNE, "trained_at": "2026-01-01T12:10:00.000Z"}
    prompt = {"id": 8, "images": [URL], "trained_at": "2026-01-01T12:11:00.000Z"}
    answers: dict[str, Any] = {
        "/tunes/7": trained,
        "/tunes": [{**trained, "id": 9}, trained],
        "/tunes/7/prompts": [prompt],
        "/tunes/9/prompts": [{**prompt, "id": 10}],
        "/prompts/8": prompt,
        "/prompts": [prompt, {**prompt, "id": 6}],
    }
    for other, answer in answers.items():
        first = after(2 if other == path else 0, reply(answer))
        server.on("GET", other, first, reply([]) if other.startswith("/tunes/") else reply(answer))
    rows: dict[str, Any] = {
        "/tunes": [TUNE, {**TUNE, "id": 9}],
        "/prompts/8": [{"tune_ids": [7], "prompt_ids": [8]}],
        "/prompts": [{"tune_ids": [7], "prompt_ids": [6, 8]}],
    }
    shown: list[float] = []
    monkeypatch.setattr(
        "astria_nb.results.watch._wait.Progress.update", lambda _, fraction, text: shown.append(fraction)
    )
    anb.wait(tune_frame(rows.get(path, [TUNE])), client, until="prompts", timeout=0.1)
    assert shown
    assert max(shown) < 1  # what came after two seconds was not waited for


def test_the_time_of_a_wait_ends_with_a_look_at_the_service(
    sandbox: anb.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, clock = sandbox.client(), Clock()
    row = create_tunes(client, 1)

    def sleep(seconds: float) -> None:
        sandbox.advance(86_400)
        clock.now += seconds

    monkeypatch.setattr(clock, "sleep", sleep)
    clock.install(monkeypatch)
    assert anb.wait(row, client, poll=50, timeout=3)["status"].tolist() == ["trained"]


def test_an_interrupted_wait_goes_on_when_it_is_called_again(
    sandbox: anb.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sandbox.client()
    frame = create_tunes(client, 2)

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
    frame = create_tunes(client, 2)[["id", "status"]]
    sandbox.advance(86_400)
    assert anb.wait(frame, client, until="prompts", poll=0)["status"].tolist() == ["trained"] * 2


def test_ids_that_a_file_made_floats_or_text_of_are_ids(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    frame = create_tunes(client, 2)[["id", "status"]]
    sandbox.advance(86_400)
    for kind in (float, str):
        rows = frame.astype({"id": kind})
        assert anb.wait(rows, client, poll=0)["status"].tolist() == ["trained"] * 2
        assert len(anb.prompts(rows, client)) == 16


@pytest.mark.parametrize("wrong", [1.5, "abc", -3])
def test_an_invalid_id_is_named(sandbox: anb.Sandbox, wrong: Any) -> None:
    frame = pd.DataFrame({"id": [1000001, wrong], "status": "queued"})
    for call in (anb.wait, anb.prompts, anb.gallery):
        with pytest.raises(AstriaError, match=f"{wrong!r} is not an id; give a whole number"):
            call(frame, sandbox.client())


def test_the_display_shows_the_states_the_elapsed_and_the_remaining_time(
    sandbox: anb.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    monkeypatch.setattr(
        "astria_nb.results.watch._wait.Progress.update", lambda _, fraction, text: texts.append(text)
    )
    client = sandbox.client()
    anb.wait(create_tunes(client, 2), client, timeout=1.2, poll=5)
    assert texts[0].startswith("2 queued, about ")
    assert " min" in texts[0]
    assert texts[0].endswith("left · 0 s elapsed")
    assert re.search(r" · [1-9]\d* s elapsed$", texts[-1])


def test_a_page_does_not_end_a_wait_as_if_the_tune_were_deleted(
    server: ScriptedServer, client: anb.Client
) -> None:
    (page,) = (page for page in PAGES if page.status == 404)
    row = tune_frame([{**TUNE, "service": client.service}])
    server.on("GET", "/tunes/7", page.answer(), reply({"error": "Not Found"}, 404))
    first, last = poll_until_finished(row, client, "trained", poll=1, sleep=lambda _: None)
    assert first.frame.loc[0, "status"] == "queued"
    assert first.failure.startswith("the web page '404 Not Found' came instead of an answer, trying again in")
    assert last.frame.loc[0, "status"] == "deleted"


def test_columns_of_the_frame_and_of_its_owner_stay(tmp_path: Path) -> None:
    """As of `submit_many`, of the log, and whatever somebody has noted beside a row."""
    tunes = pd.DataFrame(
        {"key": ["a", "b", "c"], "pack": 797, "name": "cat", "image_urls": [[URL]] * 3}, index=["x", "x", "y"]
    )
    with anb.Sandbox(speed=1) as sandbox, closing(anb.ExperimentLog(tmp_path / "log.sqlite")) as log:
        client = sandbox.client()
        rows = anb.submit_many(tunes, client, log=log).assign(customer=["A", "B", "C"], visits=[1, 2, 3])
        sandbox.advance(86_400)
        waited = [
            anb.wait(rows, client, log=log, poll=0),
            anb.wait(rows.iloc[1:], client, log=log, poll=0),
            anb.Callbacks(log, client).wait(rows),
            anb.keep_longer(rows, client),
            anb.keep_longer(pd.concat([rows, rows.iloc[:1]]), client).iloc[:3],
        ]
    for later in waited:
        before = rows.iloc[-len(later) :]
        assert set(later["status"]) == {"trained"}
        assert later.index.tolist() == before.index.tolist()
        for name in ("customer", "visits", "state", "submission", "planned_at", "error", "title"):
            assert later[name].equals(before[name]), name
        assert list(later.columns[: len(before.columns)]) == list(before.columns)
