"""The form asks before it sends what was sent before: send it again, or use the tune that it made."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from helpers.form_widgets import button, messages
from helpers.waiting import PATIENCE, until

FIELDS: dict[str, Any] = {"pack": 797, "name": "cat", "image_urls": ["https://example.com/1.jpg"]}


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox() as running:
        yield running


@pytest.fixture
def log(tmp_path: Path) -> anb.ExperimentLog:
    return anb.ExperimentLog(tmp_path / "log.sqlite")


@pytest.fixture
def form(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> Iterator[anb.TuneForm]:
    """Return a form for a tune that was trained before, after a click on Submit."""
    anb.submit(anb.Tune(title="before", **FIELDS), sandbox.client(), log=log)
    form = anb.TuneForm(sandbox.client(), log=log, title="again", **FIELDS)
    button(form, "Submit").click()
    until(lambda: is_asking(form))
    yield form
    form._panel.training.stop()


def posts(sandbox: anb.Sandbox) -> int:
    return sum(request.method == "POST" for request in sandbox.ledger)


def is_asking(form: anb.TuneForm) -> bool:
    return form._submitter.question.layout.display is None


def test_submit_asks_before_the_same_is_sent_again(form: anb.TuneForm, sandbox: anb.Sandbox) -> None:
    assert posts(sandbox) == 1
    assert "The same request was sent " in messages(form)
    assert " s ago as tune 1000001, about $1.98. Send it again, or use the earlier one?" in messages(form)
    until(lambda: not button(form, "Submit").disabled)
    assert form.status == "ready"
    assert form.row is None
    assert button(form, "Use tune 1000001").tooltip == button(form, "Send again").tooltip


def test_a_question_that_is_not_asked_hides_nothing_else(sandbox: anb.Sandbox) -> None:
    form = anb.TuneForm(sandbox.client())
    assert form._submitter.question.layout.display == "none"
    for part in (form, form._panel.upload, *form._draft.view[:4]):
        assert part.layout.display != "none"


def test_the_earlier_tune_can_be_used(form: anb.TuneForm, sandbox: anb.Sandbox) -> None:
    button(form, "Use tune 1000001").click()
    until(lambda: form.status == "submitted")
    assert form.row["id"].tolist() == [1000001]
    assert posts(sandbox) == 1
    assert not is_asking(form)
    assert "Nothing was sent: it was submitted before. The row is in form.row." in messages(form)
    sandbox.advance(3600)
    until(lambda: form.row["status"].tolist() == ["trained"])  # its training is followed


def test_the_same_can_be_sent_again(form: anb.TuneForm, sandbox: anb.Sandbox) -> None:
    button(form, "Send again").click()
    until(lambda: form.status == "submitted")
    assert form.row["title"].tolist() == ["again"]
    assert posts(sandbox) == 2
    assert not is_asking(form)


def test_neither_can_be_chosen(form: anb.TuneForm, sandbox: anb.Sandbox) -> None:
    until(lambda: not button(form, "Submit").disabled)
    button(form._submitter.question, "Cancel").click()
    assert not is_asking(form)
    assert (form.status, form.row, posts(sandbox)) == ("ready", None, 1)
    button(form, "Submit").click()
    until(lambda: is_asking(form))  # asks again


def test_an_edit_takes_the_question_away(form: anb.TuneForm, sandbox: anb.Sandbox) -> None:
    form.fill(name="dog")
    assert not is_asking(form)
    button(form, "Submit").click()
    until(lambda: form.status == "submitted")
    assert posts(sandbox) == 2


def test_what_changes_nothing_of_the_request_leaves_the_question(form: anb.TuneForm) -> None:
    sections = form._draft.sections
    sections.selected_index = len(sections.children) - 1
    assert sections.shows_request
    form._draft.pack.reload()
    form._draft.pack.settle(PATIENCE)
    form._draft._images.damaged = ("1.jpg",)
    assert is_asking(form)
    form._draft.switches._small.value = True  # which sends other photos
    assert not is_asking(form)


def test_code_is_warned_and_not_asked(form: anb.TuneForm, sandbox: anb.Sandbox) -> None:
    until(lambda: not button(form, "Submit").disabled)
    assert form.submit(once=True)["title"].tolist() == ["before"]
    form.new_title()
    with pytest.warns(UserWarning, match=r"The same request was sent .* sending it again"):
        form.submit()
    assert posts(sandbox) == 2
    form.new_title()
    assert anb.submit(form, once=True)["id"].tolist() == form.rows["id"].tolist()[1:2]
    assert posts(sandbox) == 2
