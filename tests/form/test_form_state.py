"""A form as data: filled from a dictionary, from the row of a run, from the draft of an earlier kernel."""

import io
import json
import os
import shutil
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import astria_nb as anb
from astria_nb.errors import CancelledError, LogError, Problem, TuneError
from astria_nb.form._error_summary import ErrorSummary
from astria_nb.form._request_view import RequestView
from astria_nb.form._saved_draft import SavedDraft
from helpers.forked_kernels import python
from helpers.form_widgets import descendants, messages, only
from helpers.large_photos import enlarge
from helpers.photos_with_metadata import PLACE, jpeg
from helpers.waiting import PATIENCE, until

URL = "https://example.com/1.jpg"
FIELDS: dict[str, Any] = {
    "pack": 43,
    "name": "cat",
    "title": "t",
    "image_urls": [URL],
    "characteristics": {"eye_color": "blue eyes"},
    "prompt_attributes": {"num_images": 2, "callback": "https://example.com/hook"},
    "preset": "flux-lora-fast",
    "brief": "warm light\nno props",
    "auto_extend": False,
}


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


@pytest.fixture
def make(sandbox: anb.Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., anb.TuneForm]]:
    """Return a function that makes a form, as one kernel after another does; stop them all at the end."""
    monkeypatch.setattr("astria_nb.form.progress._training._POLL_SECONDS", 0.01)
    forms = []

    def make_form(**options: Any) -> anb.TuneForm:
        forms.append(anb.TuneForm(sandbox.client(), **options))
        return forms[-1]

    yield make_form
    for form in forms:
        form._panel.training.stop()


def buttons(form: widgets.Widget, start: str) -> list[widgets.Button]:
    return [
        widget
        for widget in descendants(form)
        if isinstance(widget, widgets.Button) and widget.description.startswith(start)
    ]


def test_what_was_filled_in_goes_through_json_and_back(make, sandbox, photos):
    fields = {**FIELDS, "images": photos}
    del fields["image_urls"]
    plain = json.loads(json.dumps(make(**fields).to_dict()))
    assert plain["images"] == [str(path) for path in photos]
    again = anb.TuneForm.from_dict(plain, sandbox.client())
    assert again.to_dict() == plain
    assert again.tune == anb.Tune(**fields)


def test_a_dictionary_with_another_field_is_refused_by_name(sandbox):
    with pytest.raises(TypeError, match="did you mean 'name'"):
        anb.TuneForm.from_dict({"nam": "cat"}, sandbox.client())


@pytest.mark.parametrize("values", [5, None, [("name", "cat")], "cat"])
def test_what_is_no_dictionary_is_refused(sandbox, values):
    with pytest.raises(TuneError, match=r"^values: .* is not a mapping; pass what to_dict returned"):
        anb.TuneForm.from_dict(values, sandbox.client())


@pytest.mark.parametrize("of", ["submit", "log"])
def test_an_old_run_is_filled_in_as_it_was_asked_for_under_a_fresh_title(make, sandbox, of):
    row = make(**FIELDS).submit()
    if of == "log":
        row = anb.ExperimentLog().frame()
    again = anb.TuneForm.from_row(row, sandbox.client(), name="man")
    asked = {**FIELDS, "name": "man", "title": again.to_dict()["title"]}
    asked["prompt_attributes"] = {"num_images": 2, "callback": "https://example.com/hook"}
    assert again.to_dict() == asked
    assert again.to_dict()["title"] != "t"


def test_a_row_that_the_log_does_not_have_fills_in_what_it_has(make, sandbox, tmp_path):
    row = make(**FIELDS).submit()
    nowhere = anb.ExperimentLog(tmp_path / "another.sqlite")
    values = anb.TuneForm.from_row(row, sandbox.client(), log=nowhere).to_dict()
    assert (values["pack"], values["name"]) == (43, "cat")
    assert values["image_urls"] == list(row["orig_images"].iloc[0])
    assert not nowhere.path.exists()


def test_a_secret_that_a_row_does_not_have_stays_empty(make, sandbox, tmp_path):
    row = make(**{**FIELDS, "callback": "https://example.com/?secret=abc"}).submit()
    row = anb.wait(row, sandbox.client(), timeout=0)
    assert row["callback"].tolist() == ["https://example.com/?secret=…"]
    nowhere = anb.ExperimentLog(tmp_path / "another.sqlite")
    assert "callback" not in anb.TuneForm.from_row(row, sandbox.client(), log=nowhere).to_dict()


def test_a_draft_outlives_its_kernel_and_wins_over_the_cell(make, tmp_path):
    make(draft="cats", pack=260).fill(**FIELDS)
    again = make(draft="cats", pack=260)
    assert again.to_dict() == {**FIELDS}
    assert list(make(draft="dogs").to_dict()) == ["title"]
    (file,) = tmp_path.glob(".astria_drafts/cats.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def add_from_the_readers_computer(form: anb.TuneForm, *photos: Path) -> None:
    spool = form._draft.fields["images"]._zone._spool
    for photo in photos:
        path = spool.create(photo.name)
        path.write_bytes(photo.read_bytes())
        form._draft.fields["images"]._add([path])


def test_photos_from_the_readers_computer_stay_with_a_draft_and_go_with_it(
    make, photos, tmp_path, monkeypatch
):
    form = make(draft="cats", pack=43, name="cat")
    add_from_the_readers_computer(form, *photos[:2])
    form._draft.fields["images"].close()
    again = make(draft="cats")
    first, second = (image.path for image in again.tune.images)
    assert first.read_bytes() == photos[0].read_bytes()
    again.fill(images=[second])
    for folder in (first.parent, second.parent):
        os.utime(folder, (0, 0))
    make(draft="cats")
    assert first.exists()  # a form of this kernel may still show it
    monkeypatch.setattr("astria_nb.form._draft_photos._shown", set())  # another kernel
    make(draft="cats")
    assert not first.exists()
    assert second.exists()


def test_a_photo_that_a_form_of_another_kernel_may_show_is_kept_for_a_day(make, photos, monkeypatch):
    form = make(draft="cats")
    add_from_the_readers_computer(form, photos[0])
    (photo,) = (image.path for image in form._draft.fields["images"].value)
    os.utime(photo.parent, (0, 0))
    make(draft="cats").fill(images=None)  # which opened the draft with the photo, as a kernel does
    monkeypatch.setattr("astria_nb.form._draft_photos._shown", set())
    make(draft="cats")
    assert photo.exists()


def test_an_earlier_form_does_not_take_a_draft_back_and_says_so(make, photos, tmp_path):
    earlier = make(draft="cats", **FIELDS)
    later = make(draft="cats")
    assert later.to_dict() == FIELDS
    later.fill(title="later")
    sections = earlier._draft.sections
    sections.selected_index = len(sections.children) - 1  # something else is shown, nothing was filled in
    assert "This draft is open in another form" not in messages(earlier)  # nothing was lost so far
    earlier.fill(title="earlier", image_urls=None)
    add_from_the_readers_computer(earlier, *photos[:2])
    assert "This draft is open in another form, which saves it now." in messages(earlier)
    assert "run this cell again (in an app, load this page again) to continue here" in messages(earlier)
    assert earlier.to_dict()["title"] == "earlier"  # what was typed stays in sight
    assert "another form" not in messages(later)
    last = make(draft="cats")
    assert last.to_dict() == FIELDS | {"title": "later"}
    assert earlier.tune is not None
    assert all(image.path.exists() for image in earlier.tune.images)


def test_a_kernel_that_dies_while_it_makes_a_form_leaves_the_whole_draft(make, monkeypatch):
    make(draft="cats", **FIELDS)
    written, write = [], SavedDraft.write
    monkeypatch.setattr(
        SavedDraft, "write", lambda self, values: (written.append(dict(values)), write(self, values))[1]
    )
    make(draft="cats")
    assert written
    assert all(values == FIELDS for values in written)


def test_a_draft_that_is_wrong_is_kept_as_it_was_typed(make):
    make(draft="cats", pack=43, image_urls=["not a url"], tune_ids=["x"])
    again = make(draft="cats")
    assert again.to_dict()["image_urls"] == ["not a url"]
    assert again.to_dict()["tune_ids"] == ["x"]


def test_no_key_is_written_into_a_draft(make, tmp_path):
    key = "sd_CaNaRy0123456789abcdefgh"
    form = make(draft="cats", pack=43, title=f"of {key}", callback=f"https://example.com/?key={key}")
    form.fill(name="cat")
    (file,) = tmp_path.glob(".astria_drafts/*.json")
    assert key[3:-4] not in file.read_text()
    assert set(json.loads(file.read_text())) == {"pack", "name", "form"}


def test_drafts_are_not_taken_into_a_repository(make, tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    drafts = tmp_path / ".astria_drafts"
    form = make(draft="dogs")
    shutil.rmtree(drafts)
    # A photo that is arriving comes before the draft that has it.
    photo = form._draft.fields["images"]._zone._spool.create("1.jpg")
    assert not (drafts / "dogs.json").exists()
    assert (drafts / ".gitignore").read_text() == "*\n"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (drafts, *photo.parents[:2])] == [0o700] * 3
    (drafts / ".gitignore").write_text("")  # the disk was full
    make(draft="cats", pack=43)
    assert (drafts / "cats.json").exists()
    status = subprocess.run(
        ["git", "-C", tmp_path, "status", "--porcelain", "-uall"], capture_output=True, text=True
    )
    assert "astria_drafts" not in status.stdout


@pytest.mark.parametrize("name", ["../cats", "", "a/b", ".", " a", "a" * 65, "a\0"])
def test_the_name_of_a_draft_must_be_a_valid_file_name(make, name):
    with pytest.raises(TuneError, match=r"draft: .* is not a valid file name; use letters"):
        make(draft=name)


@pytest.mark.parametrize("name", [5, True, Path("cats"), b"cats", ["cats"]])
def test_the_name_of_a_draft_must_be_text(make, name):
    with pytest.raises(TuneError, match=r"^draft: .* is not text; give a name, such as draft='cats'$"):
        make(draft=name)


@pytest.mark.parametrize(
    "content",
    [
        *("", "[1]", "{", "[" * 9999, '{"images": 7}', '{"pack": 43, "nonsense": 1}'),
        *(
            '{"keep_damaged": "no"}',
            '{"keep_metadata": "no"}',
            '{"max_side": 1}',
            '{"list": [{"max_side": 1}]}',
        ),
    ],
)
def test_a_damaged_draft_is_ignored(make, tmp_path, content):
    (tmp_path / ".astria_drafts").mkdir()
    (tmp_path / ".astria_drafts" / "cats.json").write_text(content)
    assert make(draft="cats").to_dict()["title"]


def test_a_draft_that_was_submitted_shows_its_row_in_the_next_kernel(make, sandbox):
    row = make(draft="cats", **FIELDS).submit()
    again = make(draft="cats")
    assert again.row is not None
    assert again.row["id"].tolist() == row["id"].tolist()
    assert again.status == "submitted"
    again.submit()
    assert len(sandbox.received()) == 1


def test_the_button_says_what_it_costs(sandbox, monkeypatch):
    monkeypatch.setattr("astria_nb.form._tune_form.is_sandbox", lambda client: False)
    form = anb.TuneForm(sandbox.client(), pack=260, name="man", title="t")
    assert buttons(form, "Submit")[0].description == "Submit"
    form.fill(image_urls=[URL])
    assert buttons(form, "Submit")[0].description == "Submit · about $3.31"
    form.fill(name="woman")
    assert buttons(form, "Submit")[0].description == "Submit · about $3.60"
    form.fill(prompt_attributes={"num_images": 2})
    assert buttons(form, "Submit")[0].description == "Submit · at most $7.20"
    form.fill(prompt_attributes=None, image_urls=None, name=None, tune_ids=[1504944])
    assert buttons(form, "Submit")[0].description == "Submit · at most $3.60"


def test_on_the_sandbox_the_button_says_that_it_is_free(make):
    assert buttons(make(**FIELDS), "Submit")[0].description == "Submit · sandbox · free"


def test_what_costs_more_than_allowed_cannot_be_submitted(make, sandbox):
    form = make(max_cost=3.5, pack=260, name="woman", title="t", image_urls=[URL])
    assert not form.valid
    assert [str(problem) for problem in form.problems] == [
        "max_cost: is $3.50, and this run costs about $3.60; raise it, or choose another class or pack"
    ]
    assert "The cost limit is $3.50, and this run costs about $3.60" in messages(form)
    with pytest.raises(TuneError, match="max_cost"):
        form.submit()
    form.fill(name="man")
    assert form.valid
    form.submit()
    assert len(sandbox.received()) == 1


def test_an_upload_can_be_cancelled_and_nothing_is_made(make, sandbox, photos):
    enlarge(photos[0], 40 * 2**20)
    form = make(pack=260, name="man", title="t", images=photos)
    (cancel,) = buttons(form._panel.upload, "Cancel")

    def early(change: Any) -> None:
        if " MB" in change["new"]:
            cancel.click()

    form._panel.upload._text.observe(early, "value")
    with pytest.raises(CancelledError, match="was cancelled before it was sent"):
        form.submit()
    form._panel.upload._text.unobserve(early, "value")
    assert sandbox.received() == []
    assert anb.ExperimentLog().frame()["state"].tolist() == ["not_sent"]
    assert form.submit()["title"].tolist() == ["t"]


def test_after_submit_the_training_and_the_pictures_are_shown_as_they_come(make, sandbox):
    form = make(**FIELDS)
    states: list[str] = []
    form._panel.training._text.observe(lambda change: states.append(change["new"]), "value")
    form.submit()
    until(lambda: form._panel.training._bar.bar_style == "success")
    assert any("Queued" in state for state in states)
    assert "8 of 8 prompts done" in states[-1]
    gallery = form._panel.training.gallery
    assert gallery.summary == "16 pictures"
    assert gallery._repr_html_().count('<img src="data:image/jpeg;base64,') == 16
    assert "trained" in form._panel.upload._row.value
    assert form.row["status"].tolist() == ["trained"]
    assert form.rows["status"].tolist() == ["trained"]


def test_a_failed_training_is_shown(make, sandbox):
    sandbox.fail("training")
    form = make(**FIELDS)
    form.submit()
    until(lambda: form._panel.training._bar.bar_style == "danger")
    assert "The training failed" in form._panel.training._text.value


def test_the_bar_is_not_green_if_prompts_failed(make, sandbox):
    sandbox.fail("prompt", number=2)
    form = make(**FIELDS)
    form.submit()
    until(lambda: form._panel.training._bar.bar_style == "warning")
    assert "6 of 8 prompts done · 2 failed" in form._panel.training._text.value


def test_a_failed_poll_can_be_repeated(make, sandbox):
    form = make(**FIELDS)
    sandbox.fail("401", "GET /tunes/*")
    form.submit()
    until(lambda: "was refused" in form._panel.training.gallery.failure)
    assert form._panel.training._bar.bar_style == "warning"
    resume(form)
    until(lambda: form._panel.training._bar.bar_style == "success")
    assert form._panel.training.gallery.failure == ""


def resume(form: anb.TuneForm) -> None:
    """Press the button that resumes polling, as the browser does."""
    gallery = form._panel.training.gallery
    until(lambda: gallery.state in ("stopped", "failed"))
    gallery._handle_custom_msg({"kind": "resume"}, [])


def polls() -> list[Any]:
    events = anb.ExperimentLog().events()
    return [json.loads(reply) for reply in events.loc[events["kind"] == "poll", "reply"]]


def test_each_new_status_is_recorded_once(make):
    form = make(**FIELDS)
    form.submit()
    until(lambda: form._panel.training.gallery.state == "finished")
    replies = polls()
    states = [reply.get("trained_at") for reply in replies if isinstance(reply, dict)]
    assert states[0] is None
    assert states[-1] == form.row["trained_at"].iloc[0].strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert len(states) <= 3  # queued, training, trained
    prompts = [prompt for reply in replies if isinstance(reply, list) for prompt in reply]
    assert all(len([a for a in prompts if a == b]) == 1 for b in prompts)
    assert sum(len(prompt.get("images", ())) == 2 for prompt in prompts) == 8
    assert anb.ExperimentLog().frame()["trained_at"].notna().all()
    form._panel.training.follow()
    until(lambda: form._panel.training.gallery.state == "finished")
    assert len(polls()) == len(replies)


def test_a_new_form_shows_the_recorded_state_without_a_connection():
    with anb.Sandbox(speed=3000) as sandbox:
        client = sandbox.client()
        first = anb.TuneForm(client, **FIELDS)
        first.submit()
        until(lambda: first._panel.training.gallery.state == "finished")
    again = anb.TuneForm(client, **FIELDS)
    training = again._panel.training
    assert again.row["trained_at"].equals(first.row["trained_at"])
    assert training._text.value == "<span>Last seen: Pictures · 8 of 8 prompts done</span>"
    assert (training._bar.value, training._bar.bar_style) == (1.0, "success")
    assert training.gallery.cards == first._panel.training.gallery.cards
    assert training.gallery.state == "stopped"


def test_a_new_form_continues_to_follow_a_training(make, sandbox):
    sandbox.fail("401", "GET /tunes/*/prompts")
    first = make(**FIELDS)
    first.submit()
    until(lambda: first._panel.training.gallery.state == "failed")
    sandbox.fail("401", "GET /tunes*")
    again = make(**FIELDS)
    training = again._panel.training
    until(lambda: training.gallery.state == "failed")
    assert again.row["status"].tolist() == ["training"]
    assert "Last seen: Training" in training._text.value
    assert again.status == "submitted"
    resume(again)
    until(lambda: training.gallery.state == "finished")
    assert training.gallery.summary == "16 pictures"
    assert training._text.value == "<span>Pictures · 8 of 8 prompts done</span>"


def test_a_title_that_was_sent_with_other_fields_is_not_taken_for_this_tune(make):
    make(**FIELDS).submit()
    again = make(**{**FIELDS, "name": "man", "characteristics": None})
    assert again.row["name"].tolist() == ["cat"]
    assert again.status == "incomplete"
    assert [str(problem) for problem in again.problems] == [
        "title: was sent with other fields; press New for a fresh one"
    ]
    with pytest.raises(TuneError, match="title: was sent with other fields"):
        again.submit()


def test_pictures_arrive_despite_a_full_disk(make, monkeypatch):
    form = make(**FIELDS)
    log = form._panel._log
    form.submit()
    form._panel.training.stop()

    def full(*args: Any, **options: Any) -> None:
        raise LogError(Problem("log", "cannot be written (disk is full)", "make room"))

    monkeypatch.setattr(type(log), "record_event", full)
    resume(form)
    until(lambda: form._panel.training.gallery.state == "finished")
    assert form._panel.training.gallery.summary == "16 pictures"
    assert "8 of 8 prompts done · Not recorded in the log: log: cannot be written" in (
        form._panel.training._text.value
    )


def _output_of(code: str, folder: Path) -> str:
    """Run some code in a process of its own, and return what it printed."""
    done = subprocess.run(
        [*python(), "-c", code], cwd=folder, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_a_kernel_ends_while_a_form_still_watches(tmp_path):
    code = (
        "import astria_nb as anb; sandbox = anb.Sandbox(speed=0.001).start()\n"
        "form = anb.TuneForm(sandbox.client(), pack=43, name='cat', title='t',"
        " image_urls=['https://example.com/1.jpg'])\n"
        "print(form.submit()['id'].notna().all())"
    )
    assert _output_of(code, tmp_path) == "True"


def test_nothing_is_said_of_what_would_begin_after_the_end(tmp_path):
    code = (
        "import threading; from astria_nb.utils.background import start_soon\n"
        "def late(): start_soon(0, print); threading.Event().wait(0.3)\n"
        "threading._threading_atexits.insert(0, late)\n"  # the last to be called, after the pools have ended
    )
    assert _output_of(code, tmp_path) == ""


def test_a_background_thread_stops_before_the_process_ends(tmp_path):
    code = (
        "import threading; from astria_nb.utils.background import start_until_exit as start\n"
        "stop = threading.Event()\n"
        "def work(): print(stop.wait(30) and 'left')\n"
        "start(work, stop=stop)"
    )
    assert _output_of(code, tmp_path) == "left"


def test_the_request_is_written_only_once_its_section_is_open(make):
    form = make(**FIELDS)
    view: RequestView = only(form, RequestView)
    sections = only(form, widgets.Accordion)
    assert "tune[title]" not in "".join(view.texts.values())
    sections.selected_index = sections.children.index(view)
    assert list(view.texts) == ["cURL", "Python", "JavaScript", "JSON"]
    tune = form.tune
    assert tune is not None
    assert view.texts["Python"] == anb.as_python(tune, base_url=form.client.base_url)
    form.fill(title="another")
    assert all("another" in text for text in view.texts.values())
    form.fill(title=None)
    assert "The request appears here once the form is complete" in view.texts["cURL"]


def test_a_request_that_a_language_cannot_write_does_not_hide_the_others(make, photos):
    form = make(pack=260, name="man", title="t", images=photos)
    view, sections = only(form, RequestView), only(form, widgets.Accordion)
    sections.selected_index = sections.children.index(view)
    assert str(photos[0]) in view.texts["cURL"]
    assert "cannot carry" in view.texts["JSON"]
    assert "sends the photos unchanged" in view.note
    form.fill(images=None, image_urls=[URL])
    assert view.note == ""


def test_errors_are_listed_and_empty_fields_are_not(make):
    form = make(pack=43)
    error_summary: ErrorSummary = only(form, ErrorSummary)
    assert error_summary.problems == []
    form.fill(name="dragon", image_urls=["ftp://x"])
    assert [entry["field"] for entry in error_summary.problems] == ["name", "image_urls"]
    assert error_summary.problems[1]["label"] == "Image URLs"


def test_a_link_opens_the_section_of_its_field(make):
    form = make(**FIELDS)
    sections = only(form, widgets.Accordion)
    only(form, ErrorSummary)._on_message(None, {"kind": "focus", "field": "tune_ids"}, [])
    assert form._draft.fields["tune_ids"] is sections.children[sections.selected_index]
    for odd in (
        {"kind": "focus", "field": "nonsense"},
        {"kind": "focus", "field": 3},
        {"field": "pack"},
        {},
        "x",
        None,
    ):
        only(form, ErrorSummary)._on_message(None, odd, [])


def test_a_keystroke_is_answered_while_a_tune_is_watched(make):
    form = make(**FIELDS)
    done = threading.Event()
    form.observe(lambda _: done.set(), "row")
    form.submit()
    assert done.is_set()
    form.new_title()
    assert form.status == "ready"
    assert isinstance(form.rows, pd.DataFrame)


def switch(form: anb.TuneForm, start: str) -> widgets.Checkbox:
    box: widgets.Checkbox = only(form, widgets.Checkbox, start)
    return box


def arrived(form: anb.TuneForm) -> bytes:
    """Return the first photo of the last tune, as the service has it."""
    return form.client.picture(form.row["orig_images"].iloc[0][0])


def test_the_location_of_a_photo_is_sent_only_if_the_user_says_so(make, tmp_path):
    photo, taken = tmp_path / "a.jpg", jpeg()
    photo.write_bytes(taken)
    form = make(pack=260, name="man", title="without", images=[photo])
    form.submit()
    assert PLACE not in arrived(form)
    switch(form, "Keep location").value = True
    form.new_title()
    form.submit()
    assert arrived(form) == taken == photo.read_bytes()
    assert form.to_dict()["keep_metadata"] is True


def test_photos_are_made_smaller_on_request_and_the_form_says_what_it_saves(make, sandbox, tmp_path):
    large = tmp_path / "large.jpg"
    Image.effect_noise((3000, 2400), 60).convert("RGB").save(large, quality=95)
    form = make(pack=260, name="man", title="t", images=[large])
    small = switch(form, "Make photos smaller, to at most 2048")
    small.value = True
    saves = form._draft.switches._savings
    until(lambda: "MB → " in saves.value)
    form.submit()
    with Image.open(io.BytesIO(arrived(form))) as sent:
        assert max(sent.size) == 2048
    assert form.to_dict()["max_side"] == 2048
    again = anb.TuneForm.from_row(form.row, sandbox.client())
    assert switch(again, "Make photos smaller").value is True


def test_photos_are_inspected_and_fill_in_common_characteristics(make, tmp_path):
    paths = [tmp_path / name for name in ("plain.jpg", "wearing_hat.jpg")]
    for number, path in enumerate(paths):
        # The same noise each time: the sandbox's answers depend on the pixels.
        noise = np.random.default_rng(number + 50).normal(128, 40, (600 + number, 640)).clip(0, 255)
        Image.fromarray(noise.astype(np.uint8)).convert("RGB").save(path)
    form = make(pack=260, title="t", images=paths)
    (ask,) = buttons(form, "Inspect")
    (fill,) = buttons(form, "Fill characteristics")
    assert ask.disabled
    assert "Choose a class" in form._draft.view[4]._text.value
    form.fill(name="man", characteristics={"my_own": "kept"})
    ask.click()
    until(lambda: "2 inspected · 1 with a warning" in form._draft.view[4]._text.value)
    badges = {tile["name"]: tile["badges"] for tile in form._draft.fields["images"]._list.items}
    assert badges["wearing_hat.jpg"] == ["a hat: the hair cannot be seen"]
    assert not fill.disabled
    fill.click()
    assert form.tune.characteristics["my_own"] == "kept"
    assert len(form.tune.characteristics) > 1


def test_forms_of_a_service_that_does_not_answer_hold_no_submission_up(make, sandbox, monkeypatch):
    monkeypatch.setattr("astria_nb.form._tune_form._SETTLE_SECONDS", 0)
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        silent_client = anb.Client("sd_silent", base_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        for pack in range(1, 5):
            anb.TuneForm(silent_client, pack=pack)
        form = make(**FIELDS)
        until(lambda: form.valid)
        buttons(form, "Submit")[0].click()
        until(lambda: form.status == "submitted")
        assert len(sandbox.received()) == 1
