"""What people see of a batch where there is no notebook; `tests/browser/test_batch.py` has the widget."""

import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from comm.base_comm import CommManager

import astria_nb as anb
from astria_nb.errors import AstriaError, Problem
from astria_nb.submission.batch import _display
from astria_nb.submission.batch._row_outcome import RowOutcome
from astria_nb.submission.batch._slots import NotBegunError
from astria_nb.submission.batch._tally import Tally
from astria_nb.submission.batch._widget import TARGET, BatchWidget, _on_connection
from helpers.waiting import until

ROUTE = "POST /p/*/tunes"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[anb.ExperimentLog]:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    yield log
    log.close()


def frame(number: int) -> pd.DataFrame:
    urls = [[f"https://example.com/{row}.jpg"] for row in range(number)]
    return pd.DataFrame({"key": range(number), "pack": 797, "name": "cat", "image_urls": urls})


def test_a_narrow_line_leaves_out_what_matters_least() -> None:
    tally = Tally(2000, "about $66.20", done=1240, failed=3, active=8, cost_mc=4_120_000)
    whole = "1,240 of 2,000 done · 3 failed · 8 under way · 749 waiting · $41.20 of about $66.20"
    assert tally.text() == str(tally) == whole
    assert tally.text(75) == whole.replace(" · 749 waiting", "")
    assert tally.text(60) == "1,240 of 2,000 done · 3 failed · $41.20 of about $66.20"
    assert tally.text(50) == tally.text(5) == "1,240 of 2,000 done · 3 failed · $41.20"
    tally.held_for = 24.0
    assert "the service asks to wait 24 s" in str(tally)


def test_a_row_that_was_not_begun_has_not_failed() -> None:
    tally = Tally(3)
    tally.count(RowOutcome("not_sent", error=NotBegunError()))
    tally.count(RowOutcome("rejected", error=AstriaError(Problem("a", "b", "c"))))
    tally.is_over = True
    assert str(tally) == "0 of 3 done · 1 failed · 2 not sent"


def test_a_log_file_gets_a_line_now_and_then_and_the_last(
    log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with anb.Sandbox() as sandbox:
        anb.submit_many(frame(2), sandbox.client(), log=log)
        assert capsys.readouterr().err == ""  # half a minute has not passed
        monkeypatch.setattr(_display, "_LOG_SECONDS", 0.0)
        anb.submit_many(frame(5), sandbox.client(), log=log)
        with pytest.raises(AstriaError):
            anb.submit_many(frame(6), sandbox.client(), log=log, max_cost=0.01)
    *lines, refused = capsys.readouterr().err.splitlines()
    assert any(re.search(r"0% 3 tunes|0% 5 tunes", line) for line in lines)
    assert any(re.fullmatch(r"Submitting: 100% 5 of 5 done · \$[\d.]+", line) for line in lines)
    assert refused == "Submitting:   0% Nothing was sent."


def test_after_an_interrupt_it_says_what_is_under_way_and_how_to_go_on(
    log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_display, "_LOG_SECONDS", 0.0)
    with anb.Sandbox(tune_fields="record") as sandbox:
        sandbox.fail("slow", ROUTE, count=None, seconds=0.3)
        client = sandbox.client()

        def interrupt() -> None:
            until(lambda: len([one for one in sandbox.ledger if one.tune_ids]) >= 2)
            os.kill(os.getpid(), signal.SIGINT)

        # What runs in the background of a shell has SIGINT ignored.
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            anb.submit_many(frame(60), client, log=log, max_workers=2)
        thread.join()
        signal.signal(signal.SIGINT, handler)
        made = sum(len(one.tune_ids) for one in sandbox.ledger)
    lines = capsys.readouterr().err.splitlines()
    counts = {int(number) for number in re.findall(r"(\d+) under way", "".join(lines))}
    assert max(counts) == 2  # max_workers, though more are prepared
    ending = [line for line in lines if "Interrupted: no more are sent" in line]
    under_way = {int(number) for number in re.findall(r"(\d+) under way", "".join(ending))}
    assert under_way
    assert under_way <= {1, 2}  # a third one, which is prepared, is not sent
    assert re.fullmatch(
        rf"Submitting:\s+\d+% Interrupted\. {made} of 60 done · {60 - made} not sent · \$[\d.]+\. "
        "The same call continues from here and sends nothing twice\\.",
        lines[-1],
    )


def test_a_page_cancels_by_the_message_that_says_so_and_by_no_other() -> None:
    cancelled: list[str] = []
    widget = BatchWidget(lambda: cancelled.append("cancelled"))
    manager = CommManager()
    manager.register_target(TARGET, _on_connection)

    def arrive(handle: Any, **data: Any) -> None:
        handle(None, None, {"content": {"comm_id": "1", "target_name": TARGET, "data": data}})

    arrive(manager.comm_open, kind="show", number=0)
    assert not widget.can_cancel
    arrive(manager.comm_open, kind="show", number=widget.saved_number)
    assert widget.can_cancel
    arrive(manager.comm_msg, kind="hello")
    arrive(manager.comm_msg)
    assert cancelled == []
    arrive(manager.comm_msg, kind="cancel")
    assert (cancelled, widget.state) == (["cancelled"], "cancelled")
