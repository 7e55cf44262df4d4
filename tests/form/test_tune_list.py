"""Several tunes prepared in one form, and sent with one Submit."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

import astria_nb as anb
from helpers.form_widgets import descendants, messages
from helpers.waiting import until

Make = Callable[..., anb.TuneForm]
ROUTE = "POST /p/*/tunes"


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(tune_fields="record") as running:
        yield running


@pytest.fixture
def log(tmp_path: Path) -> Iterator[anb.ExperimentLog]:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    yield log
    log.close()


@pytest.fixture
def form(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> Iterator[anb.TuneForm]:
    form = anb.TuneForm(sandbox.client(), log=log, draft="list", pack=797, name="cat")
    yield form
    form._panel.training.stop()


def add(form: anb.TuneForm, *titles: str, **fields: Any) -> None:
    for title in titles:
        form.fill(title=title, image_urls=[f"https://example.com/{title}.jpg"], **fields)
        until(lambda: form.valid)  # its pack is there
        button(form, "Add to the list").click()


def button(form: anb.TuneForm, start: str) -> widgets.Button:
    """Return the first button whose name begins like this."""
    return next(found for found in descendants(form) if getattr(found, "description", "").startswith(start))


def posts(sandbox: anb.Sandbox) -> int:
    return sum(request.method == "POST" for request in sandbox.ledger)


def test_a_list_and_the_draft_are_sent_by_one_click(form: anb.TuneForm, sandbox: anb.Sandbox) -> None:
    assert form._list.layout.display == "none"
    add(form, "one", "two")
    assert form.to_dict().keys() == {"pack", "name", "title"}  # the pack and the class stay
    assert button(form, "Submit 2").disabled is False
    form.fill(title="three", image_urls=["https://example.com/3.jpg"])
    until(lambda: form.valid)
    button(form, "Submit 3").click()
    until(lambda: "Submitted 3 tunes. Their rows are in form.rows." in messages(form))
    assert list(form.rows["title"]) == ["one", "two", "three"]
    assert (posts(sandbox), form._list.tunes) == (3, [])
    assert "one" in form._repr_mimebundle_()[0]["text/html"]


def test_what_was_refused_stays_with_its_error_and_nothing_is_sent_twice(
    form: anb.TuneForm, sandbox: anb.Sandbox
) -> None:
    add(form, "one", "two", "three")
    sandbox.fail("422", ROUTE, after=1, count=1)
    button(form, "Submit 3").click()
    until(lambda: len(form.rows) == 2 and form.status == "failed")
    assert "1 of 3 tunes were not submitted" in messages(form)
    (refused,) = form._list.tunes
    assert refused.values["title"] == "two"
    assert refused.problem
    button(form, "Submit 1").click()
    until(lambda: len(form.rows) == 3 and form.status != "sending")
    assert list(form.rows["title"]) == ["one", "three", "two"]
    assert (posts(sandbox), len({id_ for one in sandbox.ledger for id_ in one.tune_ids})) == (4, 3)


def test_a_list_outlives_its_kernel_and_can_be_edited_and_shortened(
    form: anb.TuneForm, sandbox: anb.Sandbox, log: anb.ExperimentLog, photos: list[Path]
) -> None:
    add(form, "one", "two")
    form.fill(title="three", images=photos[:2])
    until(lambda: form.valid)
    button(form, "Add to the list").click()
    again = anb.TuneForm(sandbox.client(), log=log, draft="list")
    assert [listed.values["title"] for listed in again._list.tunes] == ["one", "two", "three"]
    button(again, "Remove").click()
    button(again, "Edit").click()
    assert again.to_dict()["title"] == "two"
    button(again, "Edit").click()  # not in place of the tune that is there
    assert again.to_dict()["title"] == "two"
    assert "Add the tune above to the list first" in messages(again)
    until(lambda: again.valid)
    button(again, "Submit 2").click()
    until(lambda: len(again.rows) == 2 and again.status != "sending")
    assert list(again.rows["title"]) == ["three", "two"]
    assert posts(sandbox) == 2


def test_a_repeat_is_asked_for_and_the_others_go_on(
    form: anb.TuneForm, sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    urls = ["https://example.com/one.jpg"]
    anb.submit(anb.Tune(pack=797, name="cat", title="earlier", image_urls=urls), sandbox.client(), log=log)
    add(form, "one", "two")
    button(form, "Submit 2").click()
    until(lambda: form._submitter.question.layout.display is None)
    assert posts(sandbox) == 1
    button(form, "Use tune").click()
    until(lambda: len(form.rows) == 2 and form.status != "sending")
    assert posts(sandbox) == 2
