"""A service that begins to fail in the middle of a batch gets a few more rows, and not all that are left."""

from concurrent.futures import Executor
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.client import retry
from astria_nb.submission.batch import _work
from helpers.batches import ROUTE, frame, posts
from submission.batch.test_workers import InThisProcess

LOOK = "looking for it on the account"


def states(rows: pd.DataFrame) -> dict[str, int]:
    return {str(state): count for state, count in rows["state"].value_counts().items()}


@pytest.mark.parametrize("executor", [None, InThisProcess()], ids=["threads", "workers"])
def test_a_service_that_fails_gets_few_of_the_rows_and_the_same_call_goes_on(
    executor: Executor | None, sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    options: dict[str, Any] = {"log": log, "executor": executor, "max_workers": 2, "settle": 0.2}
    sandbox.fail("503", ROUTE, count=None, after=4)
    rows = anb.submit_many(frame(60), sandbox.client(), **options)
    lost = states(rows)["needs_review"]
    assert lost <= 8  # three, those that were in hand beside the third, and one to see whether it is over
    assert states(rows) == {"done": 4, "needs_review": lost, "not_sent": 56 - lost}
    assert posts(sandbox) == 4 + lost
    for error in rows["error"][rows["state"] == "not_sent"]:
        assert error.startswith(
            "tune: was not sent: the service fails: a row was sent, and its answer was lost (status 503"
        )
        assert error.endswith("; run the batch again, which continues from here")
    sandbox.heal()
    log.resolve(rows[rows["state"] == "needs_review"])
    rows = anb.submit_many(frame(60), sandbox.client(), **options)
    assert states(rows) == {"done": 60}
    assert posts(sandbox) == 60 + lost


def test_a_short_outage_is_waited_for_and_one_row_tells_that_it_is_over(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    sandbox.fail("503", ROUTE, count=3, after=4)
    rows = anb.submit_many(
        frame(20), sandbox.client(), log=log, executor=InThisProcess(), max_workers=1, settle=0.2
    )
    assert states(rows) == {"done": 17, "needs_review": 3}
    methods = [request.method for request in sandbox.ledger]
    seventh, eighth = [place for place, method in enumerate(methods) if method == "POST"][6:8]
    assert set(methods[seventh + 1 : eighth]) == {"GET"}, "the lost ones are looked for before more are sent"
    assert methods.count("POST") == 20


def test_a_short_outage_costs_one_wait_and_is_no_end(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    sandbox.fail("503", ROUTE, count=3, after=1)
    said: list[str] = []
    rows = anb.submit_many(
        frame(12), sandbox.client(), log=log, max_workers=1, settle=1, say=lambda _, text: said.append(text)
    )
    assert states(rows) == {"done": 9, "needs_review": 3}
    first, *others = [place for place, text in enumerate(said) if text == f"answers are lost: {LOOK}"]
    assert others == []
    assert "answers are lost: giving the service time to finish · 1 s left" in said[:first]
    assert not [text for text in said[first:] if "time to finish" in text]
    assert said.count(LOOK) == 1  # once more, for what has appeared since
    assert not [text for text in said[:first] if "not sent" in text]


def test_a_probe_whose_tune_is_on_the_account_does_not_end_the_batch(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    sandbox.fail("504", ROUTE, commit="no")
    sandbox.fail("504", ROUTE, commit="yes", count=None)
    rows = anb.submit_many(frame(30), sandbox.client(), log=log, max_workers=2, settle=0.2)
    assert (states(rows), rows["id"].nunique()) == ({"adopted": 29, "needs_review": 1}, 29)


def test_an_account_that_recognises_titles_gets_what_was_lost_in_an_outage_again(
    log: anb.ExperimentLog,
) -> None:
    with anb.Sandbox(tune_fields="record", idempotent=True) as sandbox:
        sandbox.fail("503", ROUTE, count=3, after=4)
        options: dict[str, Any] = {"log": log, "idempotent": True, "max_workers": 1, "settle": 0}
        rows = anb.submit_many(frame(20), sandbox.client(), **options)
        assert (states(rows), rows["id"].nunique()) == ({"done": 20}, 20)


def test_answers_that_are_lost_while_all_tunes_are_made_are_waited_for_once(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    sandbox.fail("504", ROUTE, commit="yes", count=None)
    said: list[str] = []
    rows = anb.submit_many(
        frame(40), sandbox.client(), log=log, max_workers=2, settle=0.2, say=lambda _, text: said.append(text)
    )
    assert (states(rows), rows["id"].nunique()) == ({"adopted": 40}, 40)
    assert said.count(LOOK) == 1


def test_tunes_that_appear_late_let_the_batch_go_on(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_work, "are_made", lambda *_: False)
    sandbox.fail("504", ROUTE, commit="yes", count=None)
    rows = anb.submit_many(frame(12), sandbox.client(), log=log, max_workers=1, settle=0)
    assert (states(rows), rows["id"].nunique()) == ({"adopted": 12}, 12)


def test_lost_answers_among_others_hold_nothing_back(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    for number in range(6):
        sandbox.fail("503", ROUTE, count=2, after=2 * number)
    said: list[str] = []
    rows = anb.submit_many(
        *(frame(30), sandbox.client()),
        log=log,
        executor=InThisProcess(),
        max_workers=1,
        settle=0.2,
        say=lambda _, text: said.append(text),
    )
    assert states(rows) == {"done": 18, "needs_review": 12}
    assert said.count(LOOK) == 1


def test_a_run_waits_for_one_on_its_tune_that_could_not_be_looked_for(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "_sleep", lambda _: None)
    client = sandbox.client()
    tune_id = int(anb.submit_many(frame(1), client, log=log)["id"][0])
    sandbox.fail("504", ROUTE, commit="no")
    sandbox.fail("500", "GET /tunes/*/prompts", count=None, after=1)
    runs = pd.DataFrame({"pack": 797, "tune_ids": [[tune_id]] * 2, "brief": [*"ab"]})
    rows = anb.submit_many(runs, client, log=log, settle=0)
    assert rows["state"].tolist() == ["unknown", "not_sent"]
    assert "it is not known yet what an earlier run on the same tune has made" in rows["error"][1]
    assert posts(sandbox) == 2
