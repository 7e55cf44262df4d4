"""What a click or a keystroke does in the form, by its widgets and without a browser."""

import inspect
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ipywidgets as widgets
import pytest
from PIL import Image

import astria_nb as anb
import helpers.photos_with_metadata as samples
from astria_nb.errors import AstriaError, NotSentError, OutcomeUnknownError, TuneError
from astria_nb.form import _review as review
from astria_nb.form import _tune_form
from astria_nb.form._error_summary import ErrorSummary
from astria_nb.form.images import InspectBar
from astria_nb.form.images._image_list import ImageList
from astria_nb.form.images._sample_photos import SamplePhotos
from astria_nb.form.pickers import ClassField
from astria_nb.form.pickers._picker import Picker
from astria_nb.tune import FIELDS, Pack, Request, encode
from astria_nb.tune._pack import PackClass
from helpers.form_widgets import button, descendants, labelled, markup, messages, only
from helpers.waiting import PATIENCE, until

URL = "https://example.com/1.jpg"


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


@pytest.fixture
def form(sandbox: anb.Sandbox) -> anb.TuneForm:
    return anb.TuneForm(sandbox.client())


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.chdir(tmp_path)
    paths = [tmp_path / f"photo-{number}.jpg" for number in range(3)]
    for number, path in enumerate(paths):
        Image.new("RGB", (600, 600 + number), "teal").save(path)
    return paths


def ways_to(widget: widgets.Widget, css_class: str, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield each widget of a class below another one, with all that are around it."""
    if css_class in getattr(widget, "_dom_classes", ()):
        yield (*above, widget)
    for child in getattr(widget, "children", ()):
        yield from ways_to(child, css_class, (*above, widget))


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_a_tune_can_be_edited(form, name):
    (way,) = ways_to(form, f"astria-at-{name}")
    assert [widget for widget in way if widget.layout.display == "none"] == []
    assert way[-1].value == form.to_dict().get(name)


def test_a_new_form_has_a_title_and_shows_no_errors(form):
    assert list(form._draft.values()) == ["title"]
    assert form.status == "incomplete"
    assert button(form, "Submit").disabled
    assert "Choose a class." not in messages(form)
    assert "Still needed: pack, class, photos" in messages(form)


def test_new_makes_another_title(form):
    before = labelled(form, "Title").value
    button(form, "New").click()
    assert labelled(form, "Title").value not in ("", before)


def test_own_and_gallery_packs_are_offered(form, sandbox):
    client = sandbox.client()
    pickers = [widget for widget in descendants(form) if isinstance(widget, Picker)]
    offered = {int(card["id"]) for picker in pickers for card in picker.items}
    assert offered == {pack.id for pack in [*client.packs(), *client.packs(gallery=True)]}


def test_only_the_classes_of_the_pack_are_offered(form):
    form.fill(pack=260)
    assert [name for _, name in labelled(form, "Class").options] == ["man", "woman"]
    form.fill(pack=797)
    assert [name for _, name in labelled(form, "Class").options] == ["cat", "dog"]


def test_a_class_that_the_new_pack_lacks_is_kept_and_reported(form):
    form.fill(pack=260, name="woman")
    form.fill(pack=797)
    assert "'woman' is not a class of pack 797; choose one of cat, dog" in messages(form)
    form.fill(pack=260)
    assert labelled(form, "Class").value == "woman"


@pytest.fixture
def impatient() -> Iterator[None]:
    """Let threads interrupt each other as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("impatient")
def test_replies_that_arrive_while_a_class_is_chosen_are_harmless():
    field, done = ClassField(), threading.Event()
    packs = [
        Pack(id=1, classes=(PackClass("cat"), PackClass("dog"))),
        Pack(id=2, classes=(PackClass("man"),)),
        None,
    ]

    def answer() -> None:
        while not done.is_set():
            for pack in packs:
                field.offer(pack)

    with ThreadPoolExecutor() as pool:
        answers = pool.submit(answer)
        try:
            for number in range(300):
                field.value = ("cat", "man")[number % 2]
        finally:
            done.set()
        assert answers.result(10) is None
    field.offer(packs[1])
    assert field.value == "man"


def test_a_pack_is_found_by_its_slug(form):
    form.fill(pack="portraits", name="cat", image_urls=[URL])
    assert form.valid
    assert form.submit()["pack"].tolist() == [43]


def test_an_unknown_pack_is_named_beside_its_field(form):
    form.fill(pack=999999, name="man", image_urls=[URL])
    assert "No pack 999999. Use Browse packs." in messages(form)
    assert button(form, "Retry").layout.display == "none"
    assert button(form, "Submit").disabled


def test_every_missing_field_is_named_once_one_is_filled_in(form):
    form.fill(pack=260)
    labelled(form, "Title").value = " "
    assert "Enter a title, or press New for one." in messages(form)
    assert "Choose a class." in messages(form)
    assert "Add at least one photo here" in messages(form)


def test_submit_is_on_only_while_the_tune_is_valid(form):
    form.fill(pack=43, name="cat", image_urls=[URL])
    assert not button(form, "Submit").disabled
    assert form.tune is not None
    form.fill(image_urls=["example.com/1.jpg"])
    assert button(form, "Submit").disabled
    assert form.tune is None
    assert "'example.com/1.jpg' is not a web address; begin it with https://" in messages(form)


def test_what_was_typed_stays_when_it_is_wrong(form):
    form.fill(pack=43, name="cat", image_urls=["not a url"], tune_ids=None)
    labelled(form, "Tunes").value = "12, x"
    assert labelled(form, "Tunes").value == "12, x"
    assert "not a url" in [
        widget.value for widget in descendants(form) if isinstance(widget, widgets.Textarea)
    ]


def test_a_section_with_an_error_opens(form):
    sections = only(form, widgets.Accordion)
    assert sections.selected_index is None
    labelled(form, "Each prompt").value = "localhost/hook"
    assert sections.selected_index is not None
    assert "'localhost/hook' is not a web address" in messages(form)


def test_images_are_added_from_a_folder_shown_and_removed(form, sandbox, photos):
    form = anb.TuneForm(sandbox.client(), pack=260, name="man")
    only(form, widgets.Tab).selected_index = 1
    button(form, "Add all").click()
    button(form, "Add all").click()
    assert [image.path for image in form._draft.values()["images"]] == photos
    tiles = only(form, ImageList)
    assert [tile["name"] for tile in tiles.items] == [photo.name for photo in photos]
    tiles._handle_custom_msg({"kind": "remove", "ids": [tiles.items[0]["id"]]}, [])
    assert [image.path for image in form.tune.images] == photos[1:]


def test_chosen_files_are_added(sandbox, photos):
    form = anb.TuneForm(sandbox.client(), pack=260, name="man")
    only(form, widgets.Tab).selected_index = 1
    files = only(form, widgets.SelectMultiple)
    files.value = photos[:2]
    button(form, "Add selected").click()
    assert [image.path for image in form.tune.images] == photos[:2]


def test_a_file_that_is_not_an_image_is_kept_and_reported(form, photos, tmp_path):
    (tmp_path / "notes.jpg").write_text("not a picture")
    form.fill(pack=260, name="man", images=[*photos, "notes.jpg", "gone.jpg"])
    assert "'notes.jpg' is not a JPEG, PNG or WebP image" in messages(form)
    assert "'gone.jpg' does not exist" in messages(form)
    assert len(form._draft.values()["images"]) == 5


def test_a_file_that_vanished_is_reported_at_submit(form, sandbox, photos):
    form.fill(pack=260, name="man", images=photos)
    photos[1].unlink()
    with pytest.raises(TuneError, match=r"'photo-1.jpg' no longer exists"):
        form.submit()
    assert "no longer exists" in messages(form)
    assert sandbox.received() == []
    assert form.status == "failed"


def test_rows_of_characteristics_become_the_tunes(form):
    form.fill(pack=43, name="cat", image_urls=[URL], characteristics={"eye_color": "blue eyes"})
    key, value = (
        widget
        for widget in descendants(form)
        if isinstance(widget, widgets.Text) and widget.value in ("eye_color", "blue eyes")
    )
    value.value = "green eyes"
    assert form.tune.characteristics == {"eye_color": "green eyes"}
    key.value = ""
    assert form.tune.characteristics == {}


def test_three_callbacks_reach_the_service(form, sandbox):
    form.fill(pack=43, name="cat", image_urls=[URL])
    for label, path in (("Trained", "a"), ("Each prompt", "b"), ("All prompts", "c")):
        labelled(form, label).value = f"https://example.com/{path}"
    form.submit()
    (received,) = sandbox.received()
    tune = received.params
    assert tune["callback"] == "https://example.com/a"
    assert tune["prompt_attributes"] == {"callback": "https://example.com/b"}
    assert tune["prompts_callback"] == "https://example.com/c"


def test_more_photos_than_one_request_carries_are_refused_before_submit(form, sandbox, photos):
    form.fill(pack=260, name="man", images=photos[:1] * 128)
    assert "128 files are too many" in messages(form)
    assert button(form, "Submit").disabled
    form.fill(images=photos)
    assert "too many" not in messages(form)


def test_existing_tunes_need_no_images(form, sandbox):
    form.fill(pack=43, name="cat", image_urls=[URL])
    tune_id = form.submit()["id"].iloc[0]
    again = anb.TuneForm(sandbox.client(), pack=43, tune_ids=[tune_id])
    assert again.valid
    row = again.submit()
    assert row["id"].isna().all()
    assert len(row["prompt_ids"].iloc[0]) > 0


@pytest.mark.parametrize("encoding", ["multipart", "form", "json"])
def test_the_encoding_can_be_chosen(form, encoding):
    form.fill(pack=43, name="cat", image_urls=[URL])
    labelled(form, "Encoding").value = encoding
    assert form.submit()["encoding"].tolist() == [encoding]


def test_files_in_json_are_refused_beside_the_encoding(form, sandbox, photos):
    form.fill(pack=260, name="man", images=photos)
    labelled(form, "Encoding").value = "json"
    with pytest.raises(TuneError, match="cannot carry image files"):
        form.submit()
    assert "cannot carry image files" in messages(form)
    assert sandbox.received() == []


def test_a_click_submits_off_the_main_thread_and_shows_the_row(form, sandbox, photos):
    form.fill(pack=260, name="man", images=photos)
    arrived = threading.Event()
    form.observe(lambda change: arrived.set() if change["new"] == "submitted" else None, "status")
    button(form, "Submit").click()
    assert arrived.wait(PATIENCE)
    assert len(sandbox.received()) == 1
    assert str(form.row["id"].iloc[0]) in messages(form)
    assert button(form, "Submit").disabled


def test_clicks_and_code_at_once_send_one_tune(form, sandbox, photos):
    form.fill(pack=260, name="man", images=photos)
    done = threading.Event()
    form.observe(lambda change: done.set() if change["new"] == "submitted" else None, "status")
    for _ in range(5):
        button(form, "Submit").click()
    assert done.wait(PATIENCE)
    anb.submit(form)
    assert len(sandbox.received()) == 1


@pytest.fixture
def reviews(monkeypatch: pytest.MonkeyPatch) -> list[review.Review]:
    """The reviews of this thread, from here on."""
    made: list[review.Review] = []

    def reviewed(*args: Any) -> review.Review:
        result = review.review(*args)
        if threading.current_thread() is threading.main_thread():
            made.append(result)
        return result

    monkeypatch.setattr(_tune_form, "review", reviewed)
    return made


def test_the_choice_of_another_pack_is_reviewed_once(form, reviews):
    for pack in ("43", "260", "no-such-pack", "43"):
        reviews.clear()
        labelled(form, "Pack").value = pack
        assert [result.is_waiting for result in reviews] == [True]
        until(lambda: form.status != "incomplete" or form.problems[0].field != "pack")
        form._draft.pack.settle(PATIENCE)


def test_a_submission_is_reviewed_when_it_begins_and_when_it_is_done(form, reviews):
    form.fill(pack=43, name="cat", image_urls=[URL])
    reviews.clear()
    form.submit()
    assert [result.was_submitted for result in reviews] == [False, True]


def test_what_is_changed_while_a_submission_begins_is_not_sent_and_is_shown(form, sandbox):
    form.fill(pack=43, name="cat", image_urls=[URL])
    labelled(form, "Encoding").value = "multipart"
    upload, title = form._panel.upload, form.to_dict()["title"]

    def change() -> None:
        form.fill(title="another")
        labelled(form, "Encoding").value = "json"

    upload.show_start = change
    assert form.submit()["title"].tolist() == [title]
    assert (form.tune.title, form.status) == ("another", "ready")
    (sent,) = sandbox.received()
    assert sent.content_type == "multipart/form-data"


def test_submitting_again_returns_the_same_row_and_sends_nothing(form, sandbox):
    form.fill(pack=43, name="cat", image_urls=[URL])
    assert anb.submit(form)["id"].tolist() == anb.submit(form)["id"].tolist()
    assert len(sandbox.received()) == 1


def test_a_title_is_not_sent_with_another_tune(form, sandbox):
    form.fill(pack=43, name="cat", image_urls=[URL])
    form.submit()
    form.fill(name="man")
    with pytest.raises(TuneError, match="title: was sent with other fields; press New"):
        form.submit()
    form.new_title()
    form.submit()
    assert form.rows["name"].tolist() == ["cat", "man"]
    assert len(sandbox.received()) == 2


def test_start_another_keeps_the_fields_under_a_new_title(form, sandbox):
    form.fill(pack=43, name="cat", image_urls=[URL])
    another = button(form, "Start another")
    assert another.layout.display == "none"
    row = form.submit()
    assert "Submitted." in messages(form)
    assert another.layout.display is None
    another.click()
    assert another.layout.display == "none"
    assert form.status == "ready"
    assert form.tune.title != row["title"].iloc[0]
    form.submit()
    assert len(sandbox.received()) == 2


def test_a_pack_that_is_not_a_slug_is_named_once_and_cannot_be_retried(form):
    form.fill(pack="corporate headshots")
    assert [problem.field for problem in form.problems] == ["pack", "name", "images"]
    assert "1 problem to fix · Still needed: class, photos" in messages(form)
    assert button(form, "Retry").layout.display == "none"


def test_where_no_class_can_be_chosen_yet_only_the_pack_is_asked_for(form):
    form.fill(image_urls=[URL])
    assert "Choose a pack to see its classes." in messages(form)
    assert "Choose a class." not in messages(form)
    form.fill(pack=43)
    assert "Choose a pack to see its classes." not in messages(form)
    assert "Choose a class." in messages(form)


def test_fields_that_exclude_each_other_are_named_as_in_the_form(form, photos):
    form.fill(pack=43, name="cat", images=photos, image_urls=[URL])
    assert "Image URLs cannot be combined with photos from files; leave out one." in messages(form)
    form.fill(image_urls=None, tune_ids=[7])
    assert "Photos cannot be combined with existing tunes; leave out one." in messages(form)


def test_a_rejected_field_is_the_subject_of_its_error_and_the_link_to_it(photos):
    with anb.Sandbox(deterministic=True, min_images=2) as sandbox:
        form = anb.TuneForm(sandbox.client(), pack=260, name="man", images=photos[:1])
        with pytest.raises(AstriaError):
            form.submit()
    (entry,) = only(form, ErrorSummary).problems
    assert entry["label"] == "Photos"
    assert entry["text"].startswith("are too few (minimum is 2); ")
    assert "Photos are too few (minimum is 2); " in messages(form)


def test_a_wrong_key_is_shown_in_the_form(sandbox):
    client = anb.Client("sd_sandbox_of_somebody_else", base_url=sandbox.url)
    form = anb.TuneForm(client, pack=260, name="man", image_urls=[URL])
    assert "sd_…else was refused" in messages(form)
    with pytest.raises(AstriaError):
        form.submit()
    assert sandbox.received() == []


def test_a_new_form_says_that_the_key_is_wrong(sandbox):
    form = anb.TuneForm(anb.Client("sd_sandbox_of_somebody_else", base_url=sandbox.url))
    assert "api_key: sd_…else was refused" in messages(form)


def test_an_unreachable_service_is_reported_and_nothing_is_lost(form, sandbox):
    form.fill(pack=43, name="cat", image_urls=[URL])
    draft = form._draft.values()
    sandbox.stop()
    with pytest.raises(NotSentError):
        form.submit()
    assert "cannot be reached" in messages(form)
    assert form._draft.values() == draft
    assert not button(form, "Submit").disabled


def test_a_tune_whose_answer_was_lost_is_found_and_not_sent_again(form, sandbox):
    form.fill(pack=43, name="cat", image_urls=[URL])
    sandbox.fail("504", "POST /p/*/tunes", commit="yes")
    row = form.submit()
    assert row["id"].tolist() == [1000001]
    assert form.submit()["id"].tolist() == [1000001]
    assert sum(request.method == "POST" for request in sandbox.ledger) == 1


def test_a_tune_that_is_not_found_is_looked_up_at_the_next_click(form, sandbox):
    form.fill(pack=43, name="cat", image_urls=[URL])
    sandbox.fail("504", "POST /p/*/tunes")
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError):
            form.submit()
        assert "its outcome is unknown" in messages(form)
        assert not button(form, "Submit").disabled
    assert sum(request.method == "POST" for request in sandbox.ledger) == 1


def test_unsettled_submissions_of_an_earlier_kernel_are_named_and_looked_up(form, sandbox):
    client = sandbox.client()
    log = anb.ExperimentLog()
    tune = anb.Tune(pack=43, title="lost", name="cat", image_urls=[URL])
    asked = Request.from_tune(tune, client.service, "json")
    log.change(log.change(log.plan(asked, 0), "sending", attempt=1), "unknown")
    client.create_tune(43, encode(tune))
    after = anb.TuneForm(client)
    assert "Submitted with unknown outcome: lost" in messages(after)
    button(after, "Look them up").click()
    until(lambda: "lost was found on the account" in messages(after))
    assert log.frame()["id"].tolist() == [1000001]


def test_who_cancels_a_look_up_reads_that_the_tune_was_sent_before(sandbox, monkeypatch):
    monkeypatch.setattr("astria_nb.submission._settle_time.SETTLE_SECONDS", PATIENCE)
    client, log = sandbox.client(), anb.ExperimentLog()
    sandbox.fail("504", "POST /p/*/tunes", commit="yes")
    fields = {"pack": 43, "title": "lost", "name": "cat", "image_urls": [URL]}
    with pytest.raises(OutcomeUnknownError):
        anb.submit(anb.Tune(**fields), client, log=log, timeout=PATIENCE / 2)
    form = anb.TuneForm(client, log=log, **fields)

    def cancel(change):
        if "giving the service time to finish" in change["new"]:
            form._panel.upload.cancel()

    form._panel.upload._text.observe(cancel, "value")
    button(form, "Submit").click()
    until(lambda: form.status == "failed")
    shown = str(form._panel.upload.message)
    assert "The submission was sent before, and it is not known yet whether the tune was created" in shown
    assert "and the look-up was cancelled; submit it again, which looks for it first" in shown
    assert sum(request.method == "POST" for request in sandbox.ledger) == 1
    monkeypatch.setattr("astria_nb.submission._settle_time.SETTLE_SECONDS", 0)
    form._panel.upload._text.unobserve(cancel, "value")
    button(form, "Submit").click()
    until(lambda: form.status == "submitted")
    assert sum(request.method == "POST" for request in sandbox.ledger) == 1
    form._panel.training.stop()


def test_markup_is_shown_as_text(form, sandbox):
    evil = '<img src=x onerror="alert(1)">'
    form.fill(pack=43, name="cat", title=evil, image_urls=[URL], characteristics={"eye_color": evil})
    form.submit()
    page = form._repr_mimebundle_()[0]["text/html"]
    for content in (markup(form), page):
        assert evil not in content
        assert "&lt;img src=x" in content


def test_where_no_widget_runs_the_filled_form_is_shown(form, photos):
    form.fill(pack=260, name="man", images=photos, characteristics={"eye_color": "blue eyes"})
    bundle, _ = form._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "<br>".join(path.name for path in photos) in bundle["text/html"]
    assert "eye_color: blue eyes" in bundle["text/html"]
    assert bundle["text/plain"] == repr(form)
    assert "0x" not in repr(form)


def test_in_colab_the_output_names_the_manager_that_can_show_it(form, monkeypatch):
    widget = "application/vnd.jupyter.widget-view+json"
    assert form._repr_mimebundle_()[1] == {}
    # Colab's module, as far as anywidget asks it.
    colab = SimpleNamespace(
        enable_custom_widget_manager=lambda: None, _widgets=SimpleNamespace(_installed_url=URL)
    )
    monkeypatch.setitem(sys.modules, "google.colab.output", colab)
    assert form._repr_mimebundle_()[1] == {widget: {"colab": {"custom_widget_manager": {"url": URL}}}}


def test_no_trait_holds_the_key(form, sandbox):
    form.fill(pack=43, name="cat", image_urls=[URL])
    form.submit()
    states = [str(widget.get_state()) for widget in descendants(form)]
    assert not any(sandbox.api_key in state for state in states)


def test_without_a_key_a_form_uses_a_sandbox_and_says_so(monkeypatch):
    for name in ("ASTRIA_API_KEY", "ASTRIA_BASE_URL", "ASTRIA_SANDBOX_URL", "ASTRIA_SANDBOX_KEY"):
        monkeypatch.delenv(name, raising=False)
    form = anb.TuneForm()
    assert form.client.base_url.startswith("http://127.0.0.1:")
    assert "no API key: a rehearsal on the built-in sandbox, nothing is charged" in messages(form)
    assert "run anb.login() and this cell again" in messages(form)
    assert "no API key" not in messages(anb.TuneForm(form.client))


def test_an_unknown_field_names_the_nearest_one(form):
    with pytest.raises(TypeError, match="did you mean 'image_urls'"):
        form.fill(image_url=[URL])


@pytest.mark.parametrize(
    ("keyword", "when_made", "when_filled"),
    [
        ("max_cots", "did you mean 'max_cost'", "did you mean 'max_cost', an option of anb.TuneForm"),
        ("draft", None, "it is an option of anb.TuneForm"),
        ("encoding", "it is an option of form.submit", "it is an option of form.submit"),
        ("timeout", "it is an option of anb.submit", "it is an option of anb.submit"),
    ],
)
def test_an_option_is_no_field_and_the_call_that_takes_it_is_named(form, keyword, when_made, when_filled):
    if when_made is not None:
        with pytest.raises(TypeError, match=rf"no field '{keyword}'; {when_made}\??$"):
            anb.TuneForm(form.client, **{keyword: 1})
    with pytest.raises(TypeError, match=rf"no field '{keyword}'; {when_filled}\??$"):
        form.fill(**{keyword: 1})


def test_all_options_of_a_form_are_known(form):
    for name in inspect.signature(anb.TuneForm.__init__).parameters.keys() - {"self", "fields"}:
        with pytest.raises(TypeError, match=f"no field '{name}'; it is an option of anb.TuneForm$"):
            form.fill(**{name: None})


def test_rarely_used_fields_are_kept(form):
    form.fill(
        pack=43,
        name="cat",
        image_urls=[URL],
        preset="flux-lora-fast",
        brief="warm light\nno props",
        auto_extend=False,
        branch="fast",
        prompt_ids=[7],
        prompt_attributes={"num_images": 2, "film_grain": True, "aspect_ratio": "1:1"},
    )
    assert form.tune == anb.Tune(**form._draft.values())
    assert (form.tune.preset, form.tune.auto_extend, form.tune.branch) == ("flux-lora-fast", False, "fast")
    assert form.tune.brief == "warm light\nno props"
    prompts = "Prompts · 7, with a brief, num_images: 2, film_grain: True, aspect_ratio: 1:1"
    assert prompts in form._draft.sections.titles
    assert form.tune.prompt_attributes == {"num_images": 2, "film_grain": True, "aspect_ratio": "1:1"}


def test_every_menu_shows_what_is_chosen(sandbox):
    form = anb.TuneForm(sandbox.client(), preset="flux-lora-fast")
    menus = [widget for widget in descendants(form) if isinstance(widget, widgets.Dropdown)]
    assert all(menu.label for menu in menus)
    assert {"automatic", "flux-lora-fast", "real"} <= {menu.label for menu in menus}


def test_sample_photos_are_offered_to_somebody_without_photos(form):
    samples = button(form, "Use sample photos of a woman")
    form.fill(pack=797)
    assert samples.description == "Use sample photos of a cat"
    form.fill(name="dog")
    assert samples.description == "Use sample photos of a dog"
    samples.click()
    assert [image.filename for image in form.tune.images] == [f"dog-{number}.jpg" for number in (1, 2, 3, 4)]
    assert form.status == "ready"
    assert only(form, SamplePhotos).layout.display == "none"
    form.fill(images=None)
    assert only(form, SamplePhotos).layout.display is None


def test_with_the_sample_photos_the_class_is_theirs(form):
    form.fill(pack=260, name="man")
    button(form, "Use sample photos of a woman").click()
    assert form.tune.name == "woman"
    form.fill(images=None, pack=None, name=None)
    button(form, "Use sample photos of a woman").click()
    form.fill(images=None)
    form.fill(pack=260)
    assert form.to_dict().get("name") is None  # their class is forgotten with them
    form.fill(pack=None)
    button(form, "Use sample photos of a woman").click()
    form.fill(pack=260)
    assert form.tune.name == "woman"


def test_a_pack_of_which_there_are_no_samples_offers_none(form):
    form.fill(pack=1204)
    assert only(form, SamplePhotos).layout.display == "none"


def test_on_an_account_no_samples_are_offered(sandbox, monkeypatch):
    monkeypatch.setattr("astria_nb.form._draft.is_sandbox", lambda client: False)
    assert only(anb.TuneForm(sandbox.client()), SamplePhotos).layout.display == "none"


def test_the_inspection_is_offered_once_there_are_photos_and_a_class(form, photos):
    bar = only(form, InspectBar)
    assert bar.layout.display == "none"
    form.fill(pack=260, images=photos)
    assert bar.layout.display is None
    assert button(bar, "Inspect").disabled
    form.fill(name="woman")
    assert not button(bar, "Inspect").disabled
    assert button(bar, "Fill characteristics").layout.display == "none"


def test_an_incomplete_photo_is_not_sent(form, photos):
    whole = photos[0].read_bytes()
    photos[0].write_bytes(whole[: len(whole) // 2])
    form.fill(pack=260, name="woman", images=photos)
    until(lambda: button(form, "Submit").disabled)
    assert "photo-0.jpg is incomplete; re-save it or remove it" in messages(form)
    form.fill(images=photos[1:])
    assert not button(form, "Submit").disabled
    keeping = anb.TuneForm(form.client, pack=260, name="woman", keep_damaged=True, images=photos)
    until(lambda: keeping._draft._images.damaged)
    assert (keeping.problems, keeping.status) == ([], "ready")


def test_photos_that_are_only_sent_smaller_name_the_switch(form, photos, tmp_path):
    (tmp_path / "IMG_1.HEIC").write_bytes(samples.heic())
    Image.new("L", (12000, 9000)).save(tmp_path / "large.jpg")
    form.fill(pack=260, name="woman", images=[*photos, tmp_path / "large.jpg", tmp_path / "IMG_1.HEIC"])
    assert form.status == "incomplete"
    assert [problem.what for problem in form.problems] == ["'large.jpg' has 108 megapixels, too many to send"]
    with_switch = 'make it smaller with "Make photos smaller" turned on; 1 more needs it, too'
    assert with_switch in messages(form)
    with pytest.raises(TuneError, match="108 megapixels"):
        form.submit()
    only(form, widgets.Checkbox, "Make photos smaller").value = True
    assert (form.problems, form.status) == ([], "ready")
    sent = form.submit()
    assert sent["title"].item() == form.tune.title
