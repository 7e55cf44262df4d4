"""What the log tells of rows whose outcome a batch does not know, while others go on writing."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import astria_nb as anb
from astria_nb.log import Log, Submission
from astria_nb.submission import _in_progress as in_progress
from astria_nb.submission._options import SubmitOptions
from astria_nb.submission.batch._lost import settle_lost
from astria_nb.submission.batch._row_outcome import of_submission
from astria_nb.submission.batch._sending import QuietObserver
from helpers.submissions import REPLY, a_request


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with closing(Log(tmp_path / "log.sqlite")) as log:
        yield log


@pytest.mark.parametrize("is_sending", [False, True], ids=["planned", "sending"])
def test_a_row_that_another_call_ends_in_the_meantime_has_its_tune(
    is_sending: bool, log: Log, client: anb.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two calls of one process send the same rows: the other one may be done at any moment."""
    submission = log.plan(a_request("t"), sending=is_sending)

    def is_left_open(log: Log, of_row: Submission) -> bool:
        sending = of_row if is_sending else log.change(of_row, "sending")
        log.change(sending, "done", reply=REPLY)
        return True

    monkeypatch.setattr(in_progress, "is_left_open", is_left_open)
    options = SubmitOptions(client=client, log=log, observer=QuietObserver(), settle=0)
    settled = settle_lost([of_submission(submission)], [None], options, lambda *_: None)
    assert settled[0] is not None
    assert (settled[0].state, settled[0].has_tune) == ("done", True)
