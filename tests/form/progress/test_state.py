"""The owner of a form's submissions."""

import pandas as pd
import pytest

from astria_nb.errors import AstriaError, Problem
from astria_nb.form.progress import SubmissionState
from astria_nb.tune import Tune

TUNE = Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
PROBLEM = Problem("images", "are too few", "add one")


def row(status: str = "queued") -> pd.DataFrame:
    return pd.DataFrame({"title": ["t"], "status": [status]})


def test_it_goes_from_idle_over_sending_to_how_the_submission_ended():
    state = SubmissionState()
    assert state.phase == "idle"
    with state.sending():
        state.start()
        assert state.phase == "sending"
        state.fail([PROBLEM])
    assert state.phase == "failed"
    with state.sending():
        state.start()
        state.add("t", TUNE, row())
    assert state.phase == "submitted"


def test_a_second_submission_is_refused_while_one_is_under_way():
    state = SubmissionState()
    with state.sending(), pytest.raises(AstriaError, match="form: is being submitted"), state.sending():
        pass
    assert state.phase == "idle"


def test_problems_last_until_their_field_is_changed_or_the_next_submission_starts():
    state, second = SubmissionState(), Problem("title", "is taken", "choose another")
    state.fail([PROBLEM, second])
    state.dismiss([PROBLEM])
    assert state.problems == (second,)
    state.start()
    assert state.problems == ()


def test_a_title_belongs_to_the_tune_that_was_submitted_under_it():
    state = SubmissionState()
    assert not state.has_other("t", TUNE)
    state.add("t", TUNE, row())
    assert not state.has_other("t", TUNE)
    assert state.has_other("t", None)
    state.add("restored", None, row())
    assert state.has_other("restored", TUNE)


def test_rows_are_replaced_by_newer_ones_of_the_same_title():
    state = SubmissionState()
    assert state.rows.empty
    assert not state.update_row("t", row())
    state.add("t", TUNE, row())
    assert state.update_row("t", row("trained"))
    assert state.rows["status"].tolist() == ["trained"]
    assert state.row_of("another") is None
