"""A run on existing tunes has no title: it is recognised by what it asks for."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import LogError, NotSentError, OutcomeUnknownError, RejectedError, TuneError
from astria_nb.log import environment as log_environment
from astria_nb.tune import Request
from helpers.waiting import PATIENCE

ROUTE = "POST /p/*/tunes"


@pytest.fixture
def log(tmp_path: Path) -> anb.ExperimentLog:
    return anb.ExperimentLog(tmp_path / "log.sqlite")


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox() as running:
        yield running


@pytest.fixture
def tune_id(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> int:
    tune = anb.Tune(pack=797, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    return int(anb.submit(tune, sandbox.client(), log=log)["id"][0])


def run(tune_id: int, **fields: Any) -> anb.Tune:
    return anb.Tune(pack=797, tune_ids=[tune_id], **{"prompt_ids": [797001], **fields})


def created(sandbox: anb.Sandbox) -> list[list[int]]:
    """Return the prompts of each run, by the ledger."""
    return [
        list(request.prompt_ids)
        for request in sandbox.ledger
        if request.method == "POST" and request.params and "tune_ids" in request.params
    ]


@contextmanager
def being_sent(
    tune: anb.Tune, sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> Iterator[Future[pd.DataFrame]]:
    """Submit a run on another thread, which is sending it while the block runs, and has its row after it."""
    is_sending, may_go_on = threading.Event(), threading.Event()

    def on_sent(sent: int, total: int) -> None:
        is_sending.set()
        may_go_on.wait(PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(anb.submit, tune, sandbox.client(), log=log, on_sent=on_sent)
        try:
            assert is_sending.wait(PATIENCE)
            yield call
        finally:
            may_go_on.set()
        call.result()


def test_a_lost_run_is_looked_for_when_it_is_submitted_again(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int
) -> None:
    client = sandbox.client()
    sandbox.fail("504", ROUTE, commit="yes")
    with pytest.raises(OutcomeUnknownError, match=r"tune_ids: .* submit it again, which looks for it first"):
        anb.submit(run(tune_id), client, log=log, settle=60, timeout=50)
    row = anb.submit(run(tune_id), client, log=log, settle=0)
    assert [list(row.loc[0, "prompt_ids"])] == created(sandbox)
    assert log.frame()["state"].tolist() == ["done", "adopted"]


def test_a_lost_run_that_another_submission_found_is_handed_out_before_it_is_paid_again(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int
) -> None:
    client = sandbox.client()
    sandbox.fail("504", ROUTE, commit="yes")
    with pytest.raises(OutcomeUnknownError):
        anb.submit(run(tune_id), client, log=log, settle=60, timeout=50)
    assert log.recover(client, settle=0)["state"].tolist() == ["adopted"]
    row = anb.submit(run(tune_id), client, log=log)
    assert [list(row.loc[0, "prompt_ids"])] == created(sandbox)
    anb.submit(run(tune_id), client, log=log)  # on purpose: it was seen
    assert len(created(sandbox)) == 2


@pytest.mark.parametrize("hook", ["a?secret=2", "b"])
def test_the_callbacks_of_a_restarted_kernel_make_no_other_run(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int, hook: str
) -> None:
    client = sandbox.client()
    sandbox.fail("504", ROUTE, commit="yes")
    first, second = (
        run(tune_id, prompts_callback=f"https://example.com/{path}") for path in ("a?secret=1", hook)
    )
    with pytest.raises(OutcomeUnknownError):
        anb.submit(first, client, log=log, settle=60, timeout=50)
    anb.submit(second, client, log=log, settle=0)
    assert len(created(sandbox)) == 1


def test_a_run_that_is_nowhere_to_be_found_is_not_sent_again_until_its_owner_says_so(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int
) -> None:
    client = sandbox.client()
    sandbox.fail("504", ROUTE)
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError, match=r"tune_ids: .* say so with .*Log\(.*\)\.resolve\(2\)"):
            anb.submit(run(tune_id), client, log=log, settle=0)
    log.resolve(2)
    anb.submit(run(tune_id), client, log=log)
    assert [len(prompts) for prompts in created(sandbox)] == [1]


def test_an_interrupted_run_is_looked_for(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sandbox.client()
    post = type(client).create_tune

    def interrupted(self: anb.Client, pack: Any, body: Any) -> Any:
        post(self, pack, body)
        raise KeyboardInterrupt

    monkeypatch.setattr(type(client), "create_tune", interrupted)
    with pytest.raises(KeyboardInterrupt):
        anb.submit(run(tune_id), client, log=log)
    monkeypatch.undo()
    row = anb.submit(run(tune_id), client, log=log, settle=0)
    assert [list(row.loc[0, "prompt_ids"])] == created(sandbox)


@pytest.mark.parametrize(("fault", "error"), [("422", RejectedError), ("reset", NotSentError)])
def test_a_run_that_was_refused_or_not_sent_may_be_sent(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int, fault: str, error: type[Exception]
) -> None:
    client = sandbox.client()
    if fault == "reset":
        gone = anb.Client(sandbox.api_key, base_url=sandbox.url)
        gone._transport.post = _not_sent  # type: ignore[method-assign]
        client = gone
    else:
        sandbox.fail(fault, ROUTE)
    with pytest.raises(error):
        anb.submit(run(tune_id), client, log=log)
    anb.submit(run(tune_id), sandbox.client(), log=log)
    assert sum(map(len, created(sandbox))) == 1


def _not_sent(*_: object) -> None:
    raise NotSentError(anb.errors.Problem("base_url", "cannot be reached", "try again"))


def test_a_settled_run_may_be_repeated_on_purpose(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int
) -> None:
    for _ in range(2):
        anb.submit(run(tune_id), sandbox.client(), log=log)
    assert [len(prompts) for prompts in created(sandbox)] == [1, 1]


def test_of_two_threads_one_runs_and_one_is_told(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int
) -> None:
    told = pytest.raises(TuneError, match="this run is being submitted by another kernel or thread; wait")
    with being_sent(run(tune_id), sandbox, log) as first, told:
        anb.submit(run(tune_id), sandbox.client(), log=log)
    assert [list(first.result().loc[0, "prompt_ids"])] == created(sandbox)


def test_who_was_told_to_wait_for_a_run_gets_its_row(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int
) -> None:
    """As under asyncio, where a call goes on in its thread when nobody waits for it any more."""
    told = pytest.raises(TuneError, match="wait until it is done, then submit it again to get its row")
    with being_sent(run(tune_id), sandbox, log), told:
        anb.submit(run(tune_id), sandbox.client(), log=log)
    with pytest.warns(UserWarning, match="this run was already being submitted when you requested it"):
        row = anb.submit(run(tune_id), sandbox.client(), log=log)
    assert [list(row.loc[0, "prompt_ids"])] == created(sandbox)
    anb.submit(run(tune_id), sandbox.client(), log=log)
    assert len(created(sandbox)) == 2


def test_who_got_the_row_of_a_run_by_once_may_run_it_again(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int
) -> None:
    with being_sent(run(tune_id), sandbox, log), pytest.raises(TuneError, match="wait until it is done"):
        anb.submit(run(tune_id), sandbox.client(), log=log, once=True)
    anb.submit(run(tune_id), sandbox.client(), log=log, once=True)
    assert len(created(sandbox)) == 1
    anb.submit(run(tune_id), sandbox.client(), log=log)
    assert len(created(sandbox)) == 2


def test_a_run_that_another_kernel_sends_is_not_sent_by_this_one(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sandbox.client()
    monkeypatch.setattr(log_environment, "_sessions", {})
    log.plan(Request.from_tune(run(tune_id), client.service, "form"), 0, sending=True)
    log_environment._sessions.clear()
    with pytest.raises(TuneError, match="this run is being submitted by another kernel"):
        anb.submit(run(tune_id), client, log=log)
    assert created(sandbox) == []


def test_a_look_takes_no_prompts_of_other_runs_on_the_tune(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int
) -> None:
    client = sandbox.client()
    sandbox.fail("504", ROUTE)
    with pytest.raises(OutcomeUnknownError):
        anb.submit(run(tune_id), client, log=log, settle=60, timeout=50)
    anb.submit(run(tune_id, prompt_ids=[797001, 797002]), client, log=log)
    anb.submit(anb.Tune(pack=43, tune_ids=[tune_id], name="cat"), client, log=log)
    with pytest.raises(OutcomeUnknownError, match="it was not on the account"):
        anb.submit(run(tune_id), client, log=log, settle=0)


def test_a_look_takes_prompts_of_its_templates_only_and_any_if_it_asked_for_all(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int, tmp_path: Path
) -> None:
    client = sandbox.client()
    sandbox.fail("504", ROUTE)
    with pytest.raises(OutcomeUnknownError):
        anb.submit(run(tune_id), client, log=log, settle=60, timeout=50)
    elsewhere = anb.ExperimentLog(tmp_path / "of a colleague.sqlite")
    anb.submit(run(tune_id, prompt_ids=[797002]), client, log=elsewhere)
    assert log.recover(client, settle=0)["state"].tolist() == ["needs_review"]
    sandbox.fail("504", ROUTE, commit="yes")
    row = anb.submit(run(tune_id, prompt_ids=None, name="cat"), client, log=log, settle=0)
    assert list(row.loc[0, "prompt_ids"]) == created(sandbox)[-1]


def test_prompts_that_two_runs_made_at_the_same_time_count_for_both(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int
) -> None:
    client = sandbox.client()
    lost = Request.from_tune(run(tune_id), client.service, "json")
    newest_id = max(prompt["id"] for prompt in client.prompts(tune_id))

    def on_sent(sent: int, total: int) -> None:
        if sent == total:
            log.change(log.plan(lost, newest_id, sending=True), "unknown")

    row = anb.submit(run(tune_id, prompt_ids=[797001, 797002]), client, log=log, on_sent=on_sent)
    looked_up = log.recover(client, settle=0)
    assert looked_up["state"].tolist() == ["adopted"]
    assert {*looked_up.loc[0, "prompt_ids"]} < {*row.loc[0, "prompt_ids"]}


def test_a_lost_run_on_a_tune_that_was_deleted_can_be_resolved(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tune_id: int
) -> None:
    client = sandbox.client()
    sandbox.fail("504", ROUTE, commit="yes")
    with pytest.raises(OutcomeUnknownError):
        anb.submit(run(tune_id), client, log=log, settle=60, timeout=50)
    with pytest.raises(LogError, match="can be resolved; call recover first"):
        log.resolve(2)
    client._transport.send_empty("DELETE", f"/tunes/{tune_id}")
    assert log.recover(client, settle=0)["state"].tolist() == ["needs_review"]
    with pytest.raises(OutcomeUnknownError, match=r"say so with .*Log\(.*\)\.resolve\(2\)"):
        anb.submit(run(tune_id), client, log=log, settle=0)
    log.resolve(2)
    assert len(created(sandbox)) == 1
