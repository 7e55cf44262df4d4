"""Ctrl-C at any line of a submission: nothing stays locked, no later call is refused, nothing is paid twice.

A few points; ``python tests/proofs/interrupts.py 1000`` plays many.
"""

import os
import signal
import sys
import threading
import warnings
from contextlib import suppress
from itertools import count, takewhile
from pathlib import Path

import pytest

import astria_nb as anb
from helpers.scripted_server import TUNE, Exchange, ScriptedServer, reply, silence
from helpers.soak import sizes
from helpers.waiting import PATIENCE, until
from proofs.interrupts import Interrupter, play, train

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
FIELDS = {"pack": 43, "name": "cat", "image_urls": ["https://example.com/1.jpg"]}


@pytest.mark.slow
@sizes(8, 1000)
def test_wherever_it_is_interrupted_the_next_call_works(size: int) -> None:
    tally = play(size, seed=size, firsts=0.3)
    assert tally.interrupted.total() > size / 2
    assert tally.wrong == tally.duplicates == tally.lost == []


@pytest.mark.slow
def test_the_judge_finds_modules_that_were_loaded_by_half() -> None:
    # At which lines an interrupt leaves half a module depends on SQLAlchemy's version.
    assert any(
        play(2, mutant="no shield", seed=seed, firsts=1.0, runs=0.0, within="sqlalchemy").wrong
        for seed in range(1, 20)
    )


def test_a_run_without_a_title_is_not_paid_again_if_an_interrupt_came_before_its_row(tmp_path: Path) -> None:
    log, submit = anb.ExperimentLog(tmp_path / "log.sqlite"), anb.submit
    with anb.Sandbox() as sandbox:
        client = sandbox.client()

        def is_interrupted(line: int) -> bool:
            """Interrupt a run at one of the lines between its work and its caller."""
            tune = anb.Tune(pack=797, tune_ids=[train(sandbox, f"tune {line}")], prompt_ids=[797001])
            try:
                with Interrupter("main", line, "astria_nb", after="result").active():
                    submit(tune, client, log=log)
                return False
            except KeyboardInterrupt:
                pass
            prompts = list(submit(tune, client, log=log, settle=0).loc[0, "prompt_ids"])
            with pytest.warns(UserWarning, match="the same request was sent"):  # on purpose: its row was seen
                prompts += submit(tune, client, log=log).loc[0, "prompt_ids"]
            assert prompts == [
                number
                for request in sandbox.ledger
                if request.params and request.params.get("tune_ids") == list(tune.tune_ids)
                for number in request.prompt_ids
            ]
            return True

        lines = list(takewhile(is_interrupted, count(1)))
        assert len(lines) > 3
        log.close()


def test_a_form_that_was_interrupted_can_be_submitted(server: ScriptedServer, client: anb.Client) -> None:
    for line in range(1, 8):  # where the form notes that a submission is under way
        form = anb.TuneForm(client, title=f"tune {line}", **FIELDS)
        server.on("POST", "/p/43/tunes", reply({**TUNE, "id": line, "title": f"tune {line}"}, 201))
        until(lambda form=form: form.valid)  # type: ignore[misc]
        with suppress(KeyboardInterrupt), Interrupter("main", line, "form/progress/_state").active():
            form.submit()
        assert form.submit().loc[0, "id"] == line
    assert len(server.received("POST")) == 7


def interrupting(exchange: Exchange) -> bool:
    """Press Ctrl-C once the request has arrived, and never answer."""
    exchange.read()
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    return silence(exchange)


def test_an_interrupt_ends_the_wait_for_an_answer_at_once_and_the_tune_is_found(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("POST", "/p/43/tunes", interrupting)
    tune = anb.Tune(title=TUNE["title"], **FIELDS)
    with pytest.raises(KeyboardInterrupt):  # and no OutcomeUnknownError after three minutes
        anb.submit(tune, client)
    assert list(anb.ExperimentLog().frame()["state"]) == ["unknown"]
    server.on("GET", "/tunes", reply([TUNE]), reply([]))
    assert list(anb.submit(tune, client, settle=0)["id"]) == [TUNE["id"]]
    assert len(server.received("POST")) == 1


def test_an_interrupt_before_it_is_sent_frees_the_title(server: ScriptedServer, client: anb.Client) -> None:
    tune = anb.Tune(title="t", **FIELDS)

    server.on("GET", "/p/43", interrupting)
    with pytest.raises(KeyboardInterrupt):
        anb.submit(tune, client)
    assert server.received("POST") == []
    assert len(anb.ExperimentLog().events()) == 0


def test_callbacks_run_on_the_thread_that_submits(client: anb.Client) -> None:
    threads = set()
    anb.submit(anb.Tune(title="t", **FIELDS), client, on_sent=lambda *_: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


def test_a_submission_leaves_no_thread_behind(client: anb.Client) -> None:
    before = set(threading.enumerate())
    anb.submit(anb.Tune(title="t", **FIELDS), client)
    anb.ExperimentLog().close()
    added = [thread for thread in set(threading.enumerate()) - before if "_serve" not in thread.name]
    for thread in added:  # the one that waits until the log is idle
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in added)


def test_a_warning_names_the_line_of_the_user(
    client: anb.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    change = log.change

    def full(*args: object, **named: object) -> object:
        if "done" in args:
            raise anb.errors.LogError(anb.errors.Problem("log", "is full", "make room"))
        return change(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(log, "change", full)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = sys._getframe().f_lineno + 1
        anb.submit(anb.Tune(title="t", **FIELDS), client, log=log)
    assert [(entry.filename, entry.lineno) for entry in caught] == [(__file__, line)]
