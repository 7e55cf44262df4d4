"""Several tunes prepared in one form, and sent with one Submit."""

import html
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

import astria_nb as anb
from astria_nb.errors import OutcomeUnknownError
from astria_nb.images import Preprocessing
from helpers.form_widgets import descendants, messages
from helpers.waiting import PATIENCE, until

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


def test_a_title_from_right_to_left_stands_by_itself_in_its_line(form: anb.TuneForm) -> None:
    form.fill(title="قطة <b>2026</b>", image_urls=["https://example.com/1.jpg"])
    until(lambda: form.valid)
    button(form, "Add to the list").click()
    title = "<bdi>قطة &lt;b&gt;2026&lt;/b&gt;</bdi> · cat · 1 photo · about $1.98"
    assert f"<span>{title}</span>" in [getattr(found, "value", "") for found in descendants(form)]
    assert f"<li>{title}</li>" in form._repr_mimebundle_()[0]["text/html"]


def test_what_was_refused_stays_with_its_error_and_nothing_is_sent_twice(
    form: anb.TuneForm, sandbox: anb.Sandbox
) -> None:
    add(form, "one", "two", "three")
    sandbox.fail("422", ROUTE, after=1, count=1)
    button(form, "Submit 3").click()
    until(lambda: len(form.rows) == 2 and form.status == "failed")
    assert "The submission failed for 1 of 3 tunes; see why in the list" in messages(form)
    (refused,) = form._list.tunes
    assert refused.values["title"] == "two"
    assert refused.problems
    button(form, "Submit 1").click()
    until(lambda: len(form.rows) == 3 and form.status != "sending")
    assert list(form.rows["title"]) == ["one", "three", "two"]
    assert (posts(sandbox), len({id_ for one in sandbox.ledger for id_ in one.tune_ids})) == (4, 3)


def test_a_list_outlives_its_kernel_and_can_be_edited_and_shortened(
    form: anb.TuneForm,
    sandbox: anb.Sandbox,
    log: anb.ExperimentLog,
    photos: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("astria_nb.form._tune_list._SECOND_CLICK_SECONDS", 0)
    add(form, "one")
    form._draft.fields["encoding"].value = "form"
    form._draft.switches.preprocessing = Preprocessing(keep_metadata=True, max_side=900)
    add(form, "two")
    form._draft.fields["encoding"].value = None
    form._draft.switches.preprocessing = Preprocessing()
    form.fill(title="three", images=photos[:2])
    until(lambda: form.valid)
    button(form, "Add to the list").click()
    # A kernel that was killed had sent it already.
    anb.submit(form._list.tunes[2].tune, sandbox.client(), log=log)
    again = anb.TuneForm(sandbox.client(), log=log, draft="list", max_cost=1)
    until(lambda: messages(again).count("max_cost: is $1.00, and this run costs about $1.98") == 3)
    assert [listed.text.split(" · about $1.98")[0] for listed in again._list.tunes] == [
        "one · cat · 1 photo",
        "two · cat · 1 photo",
        "three · cat · 2 photos",
    ]
    assert button(again, "Submit 3").description.endswith("sandbox · free")
    again = anb.TuneForm(sandbox.client(), log=log, draft="list")
    button(again, "Remove").click()
    button(again, "Edit").click()
    filled_in = {"pack": 797, "name": "cat", "title": "two", "image_urls": ["https://example.com/two.jpg"]}
    assert again.to_dict() == filled_in | {"keep_metadata": True, "max_side": 900}
    assert again._draft.encoding == "form"
    button(again, "Edit").click()  # not in place of the tune that is there
    assert again.to_dict()["title"] == "two"
    assert "Add the tune above to the list first" in messages(again)
    until(lambda: again.valid)
    button(again, "Submit 2").click()
    until(lambda: len(again.rows) == 2 and again.status != "sending")
    assert list(again.rows["title"]) == ["three", "two"]
    assert posts(sandbox) == 2


def test_what_is_removed_while_the_list_is_sent_is_not_sent(form: anb.TuneForm, sandbox: anb.Sandbox) -> None:
    add(form, "one", "two", "three")
    removals = [found for found in descendants(form._list) if getattr(found, "description", "") == "Remove"]

    def remove(change: dict[str, Any]) -> None:
        if change["new"].startswith("1 of 3"):
            for removal in removals[:2]:  # the first is being sent: too late
                removal.click()

    form._panel.upload._text.observe(remove, "value")
    button(form, "Submit 3").click()
    until(lambda: len(form.rows) == 2 and form.status != "sending")
    assert list(form.rows["title"]) == ["one", "three"]
    assert (posts(sandbox), form._list.tunes) == (2, [])


def test_cancel_stops_the_tunes_after_the_one_that_was_sent(form: anb.TuneForm, sandbox: anb.Sandbox) -> None:
    add(form, "one", "two", "three")
    upload = form._panel.upload

    def cancel(change: dict[str, Any]) -> None:
        if "waiting for the answer" in change["new"] and len(form.rows) == 0:
            assert button(upload, "Cancel").layout.display is None
            button(upload, "Cancel").click()

    upload._text.observe(cancel, "value")
    button(form, "Submit 3").click()
    until(lambda: "was cancelled: 2 of 3 tunes were not sent; press Submit" in messages(form))
    assert (posts(sandbox), form.status) == (1, "failed")
    button(form, "Submit 2").click()
    until(lambda: "Submitted 2 tunes" in messages(form))
    assert (posts(sandbox), list(form.rows["title"])) == (3, ["one", "two", "three"])


def test_code_submits_what_is_filled_in_and_says_that_the_list_is_not_sent(
    form: anb.TuneForm, sandbox: anb.Sandbox
) -> None:
    add(form, "one")
    with pytest.raises(anb.errors.TuneError, match="not the tunes in its list; press Submit to send those"):
        form.submit()
    form.fill(title="one", image_urls=["https://example.com/2.jpg"])
    (problem,) = form.problems
    assert str(problem) == "title: is in the list already; press New for a fresh one"
    assert button(form, "Add to the list").layout.display == "none"
    form.fill(title="two")
    with pytest.warns(UserWarning, match="1 tune in the list of the form: its Submit button sends"):
        row = anb.submit(form)
    assert (list(row["title"]), posts(sandbox), len(form._list.tunes)) == (["two"], 1, 1)


def test_a_repeat_is_asked_for_and_the_others_go_on(
    form: anb.TuneForm, sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    urls = ["https://example.com/one.jpg"]
    anb.submit(anb.Tune(pack=797, name="cat", title="earlier", image_urls=urls), sandbox.client(), log=log)
    add(form, "one", "two")
    button(form, "Submit 2").click()
    until(lambda: form._submitter.question.layout.display is None)
    assert posts(sandbox) == 1
    until(lambda: "The same was sent before: see the question below." in messages(form))
    button(form, "Use tune").click()
    until(lambda: len(form.rows) == 2 and form.status != "sending")
    assert posts(sandbox) == 2


def is_asking(form: anb.TuneForm) -> bool:
    return form._submitter.question.layout.display is None


def test_what_a_line_says_of_the_form_goes_when_it_does_not_hold(
    form: anb.TuneForm, sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    add(form, "one")
    form.fill(title="two", image_urls=["https://example.com/two.jpg"])
    until(lambda: form.valid)
    button(form, "Edit").click()
    assert "Add the tune above to the list first" in messages(form)
    button(form, "Add to the list").click()
    assert "Add the tune above" not in messages(form)  # nothing is above
    form.fill(title="three", image_urls=["https://example.com/3.jpg"])
    assert "Add the tune above" not in messages(form)  # this one was not in the way
    form.fill(image_urls=None)
    urls = ["https://example.com/one.jpg"]
    anb.submit(anb.Tune(pack=797, name="cat", title="earlier", image_urls=urls), sandbox.client(), log=log)
    button(form, "Submit 2").click()
    until(lambda: is_asking(form) and form.status != "sending")
    until(lambda: "The same was sent before: see the question below." in messages(form))
    button(form._submitter.question, "Cancel").click()
    assert "see the question below" not in messages(form)
    assert posts(sandbox) == 1


def test_the_second_click_of_a_double_removes_no_other_tune(
    form: anb.TuneForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astria_nb.form._tune_list._SECOND_CLICK_SECONDS", PATIENCE)
    add(form, "one", "two", "three")
    button(form._list, "Remove").click()
    button(form._list, "Remove").click()  # of the line that took its place
    button(form._list, "Edit").click()
    assert [listed.title for listed in form._list.tunes] == ["two", "three"]
    assert form._draft.is_blank
    monkeypatch.setattr("astria_nb.form._tune_list._SECOND_CLICK_SECONDS", 0)
    button(form._list, "Remove").click()
    assert [listed.title for listed in form._list.tunes] == ["three"]


def test_each_problem_of_a_line_has_a_line_and_is_gone_when_its_file_is_back(
    form: anb.TuneForm, sandbox: anb.Sandbox, log: anb.ExperimentLog, photos: list[Path]
) -> None:
    form.fill(title="one", images=photos[:2])
    until(lambda: form.valid)
    button(form, "Add to the list").click()
    away = [photo.rename(photo.with_suffix(".away")) for photo in photos[:2]]
    again = anb.TuneForm(sandbox.client(), log=log, draft="list")
    gone = [f"images: '{photo.name}' does not exist; check the path, or remove it" for photo in photos[:2]]
    assert "".join(f"<div>{line}</div>" for line in gone) in messages(again)
    assert "<br>".join(gone) in html.unescape(again._list.saved_html())
    for file, photo in zip(away, photos, strict=False):
        file.rename(photo)
    button(again, "Submit 1").click()
    until(lambda: len(again.rows) == 1 and again.status != "sending")
    assert posts(sandbox) == 1
    again._panel.training.stop()


def test_a_cancelled_look_up_of_a_listed_tune_is_not_called_unsent(
    form: anb.TuneForm, sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astria_nb.submission._settle_time.SETTLE_SECONDS", PATIENCE)
    add(form, "one", "two")
    sandbox.fail("504", ROUTE, commit="yes")
    with pytest.raises(OutcomeUnknownError):
        anb.submit(form._list.tunes[0].tune, sandbox.client(), log=log, timeout=PATIENCE / 2)
    upload = form._panel.upload

    def cancel(change: dict[str, Any]) -> None:
        if "giving the service time to finish" in change["new"]:
            upload.cancel()

    upload._text.observe(cancel, "value")
    button(form, "Submit 2").click()
    until(lambda: form.status == "failed")
    assert "the submission was sent before, and it is not known yet whether the tune was" in messages(form)
    assert "failed for 1 of 2 tunes; see why in the list" in messages(form)
    assert "1 of 2 tunes were not sent" in messages(form)
    assert posts(sandbox) == 1
