"""Packs, tunes and prompts chosen by their pictures, in a real JupyterLab, by mouse and by keys."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from PIL import Image
from playwright.sync_api import Locator, Page, expect

import astria_nb as anb
import helpers.jupyterlab as lab

EVIL = "<img src=x onerror='window.caught = true'><script>window.caught = true</script>"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[anb.Sandbox]:
    """A service on which somebody has made three packs and thirty tunes."""
    with anb.Sandbox() as running, requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {running.api_key}"
        for title in ("Summer", EVIL, "Noir"):
            session.post(f"{running.url}/packs", json={"pack": {"title": title}}).raise_for_status()
        fields = {"title": EVIL, "name": EVIL, "image_urls": [f"{running.url}/gone.jpg"]}
        session.post(f"{running.url}/tunes", json={"tune": fields}).raise_for_status()
        photo = io.BytesIO()
        Image.new("RGB", (64, 64), "teal").save(photo, "JPEG")
        for number in range(1, 30):
            session.post(
                f"{running.url}/p/43/tunes",
                data={
                    "tune[title]": f"{'early' if number < 12 else 'late'} {number}",
                    "tune[name]": ("cat", "man")[number % 2],
                },
                files={"tune[images][]": ("photo.jpg", photo.getvalue(), "image/jpeg")},
            ).raise_for_status()
        yield running


@pytest.fixture(scope="module")
def page(tab: Page, address: str, folder: Path, sandbox: anb.Sandbox) -> Iterator[Page]:
    """A notebook whose first cell makes a form."""
    client = f"anb.Client({sandbox.api_key!r}, base_url={sandbox.url!r})"
    lab.write_notebook(folder / "form.ipynb", f"import astria_nb as anb\nform = anb.TuneForm({client})\nform")
    lab.open_notebook(tab, address, "form.ipynb")
    yield tab
    lab.shut_down(tab)


@pytest.fixture
def form(page: Page, sandbox: anb.Sandbox) -> Iterator[Locator]:
    """A fresh form."""
    sandbox.heal()
    lab.show_form(page, 0, 1)
    form = page.locator(".astria-form")
    expect(form).to_have_count(1)
    expect(form.get_by_text("Still needed: pack, class, photos")).to_be_visible()
    yield form
    assert page.evaluate("() => window.caught === undefined")


def browse(form: Locator, noun: str) -> Locator:
    form.get_by_role("button", name=f"Browse {noun}s").click()
    picker = form.get_by_role("group", name=f"Browse {noun}s")
    expect(picker.get_by_role("searchbox")).to_be_focused()
    expect(picker.get_by_role("option").first).to_be_visible()
    return picker


def card(picker: Locator, text: str) -> Locator:
    return picker.get_by_role("option").filter(has_text=text)


@pytest.fixture
def late_scripts(page: Page) -> Iterator[None]:
    """As on a busy page: anywidget's two seconds are over before a script is there."""
    page.evaluate("""() => {
        window.itsTimeout = AbortSignal.timeout;
        AbortSignal.timeout = (ms) => window.itsTimeout.call(AbortSignal, ms === 2000 ? 0 : ms); }""")
    yield
    page.evaluate("() => { AbortSignal.timeout = window.itsTimeout; }")


def test_scripts_that_are_late_show_what_python_has_told_since(late_scripts: None, form: Locator):
    picker = browse(form, "pack")
    card(picker, "Portraits").click()
    expect(form.get_by_text("Portraits · 43")).to_be_visible()
    form.get_by_text("Request · cURL").click()
    expect(form.get_by_role("tabpanel")).to_have_text("The request appears here once the form is complete.")


def test_a_pack_is_searched_and_chosen_with_the_mouse(form: Locator, page: Page, sandbox: anb.Sandbox):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    gallery = browse(form, "pack")
    expect(gallery.get_by_role("option")).to_have_text(
        [re.compile(text) for text in ("Noir", "img", "Summer", "797", "260", "43")]
    )
    gallery.get_by_role("searchbox").fill("headshots WOMAN")
    expect(gallery.get_by_role("status")).to_have_text("1 of 6 packs matches “headshots WOMAN”")
    flux = card(gallery, "260")
    expect(flux).to_contain_text("man · 28 pictures · $3.31")
    expect(flux.locator("img")).to_have_attribute("src", re.compile("^blob:"))
    flux.click()
    expect(gallery).to_be_hidden()
    expect(form.get_by_text("Corporate Headshots · 260")).to_be_visible()
    expect(form.get_by_role("button", name="woman · 35 pictures · $3.60")).to_be_visible()
    assert not any(url.startswith(sandbox.url) for url in asked)


def test_a_pack_is_chosen_by_keys_alone(form: Locator, page: Page):
    cells = page.locator(".jp-Cell").count()
    form.get_by_label("Pack", exact=True).focus()
    for key in ("Tab", "Enter"):
        page.keyboard.press(key)
    search = form.get_by_role("searchbox", name="Search packs")
    expect(search).to_be_focused()
    options = form.get_by_role("listbox", name="packs").get_by_role("option")
    expect(options).to_have_count(6)
    for key, focused in (("ArrowDown", options.first), ("End", options.last), ("ArrowLeft", options.nth(4))):
        page.keyboard.press(key)
        expect(focused).to_be_focused()
    below = options.nth(4).bounding_box()
    page.keyboard.press("ArrowUp")
    above = page.locator(":focus").bounding_box()
    assert above
    assert below
    assert above["x"] == below["x"]
    assert above["y"] < below["y"]
    for key, focused in (
        ("ArrowDown", options.nth(4)),
        ("Home", options.first),
        ("ArrowRight", options.nth(1)),
    ):
        page.keyboard.press(key)
        expect(focused).to_be_focused()
    # A letter is a command to JupyterLab elsewhere: this one makes a cell.
    page.keyboard.press("b")
    expect(page.locator(".jp-Cell")).to_have_count(cells)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    expect(search).to_be_focused()
    page.keyboard.type("pets")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(form.get_by_role("button", name="dog · 8 pictures · $1.98")).to_be_visible()
    button = form.get_by_role("button", name="Browse packs")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(search).to_be_focused()
    page.keyboard.press("Escape")  # takes back what was typed
    expect(search).to_have_value("")
    page.keyboard.press("Escape")
    expect(search).to_be_hidden()
    expect(button).to_be_focused()


def test_a_typed_slug_is_chosen_in_the_gallery_too(form: Locator):
    field = form.get_by_label("Pack", exact=True)
    field.fill("portraits")
    field.press("Enter")
    expect(form.get_by_text("Portraits · 43")).to_be_visible()
    expect(field).to_have_value("portraits")
    gallery = browse(form, "pack")
    expect(gallery.locator("[aria-selected=true]")).to_contain_text("43 · in the gallery")


def test_markup_is_text_everywhere(form: Locator, page: Page):
    gallery = browse(form, "pack")
    gallery.get_by_role("searchbox").fill(EVIL + "?")
    expect(gallery.get_by_role("status")).to_have_text(f"None of 6 packs matches “{EVIL}?”")
    gallery.get_by_role("searchbox").fill("onerror")
    evil = gallery.get_by_role("option")
    expect(evil).to_contain_text(EVIL)
    expect(evil.locator("img")).to_be_visible()
    evil.click()
    expect(form.get_by_text(f"{EVIL} · 100002")).to_be_visible()
    assert page.locator("img[src='x']").count() == 0


def test_a_failed_list_is_retried(form: Locator, sandbox: anb.Sandbox):
    gallery = browse(form, "pack")
    options, alert = gallery.get_by_role("option"), gallery.get_by_role("alert")
    pets = card(gallery, "797")
    expect(pets).to_contain_text("cat · 8 pictures")
    sandbox.fail("401", "GET /packs", message=EVIL)
    gallery.get_by_role("button", name="Reload").click()
    expect(alert).to_contain_text("was refused")
    expect(alert).to_contain_text(EVIL)
    expect(options).to_have_count(6)
    expect(pets).to_contain_text("cat · 8 pictures")
    sandbox.fail("401", "GET /gallery/packs")
    gallery.get_by_role("button", name="Retry").click()
    expect(options).to_have_count(4)
    expect(pets).to_contain_text("cat · 8 pictures")
    gallery.get_by_role("button", name="Retry").click()
    expect(alert).to_be_hidden()
    expect(options).to_have_count(6)


def test_existing_tunes_are_chosen_and_more_are_loaded(form: Locator, page: Page, sandbox: anb.Sandbox):
    form.get_by_text("Existing tunes instead").click()
    before = len(sandbox.ledger)
    picker = browse(form, "tune")
    options = picker.get_by_role("option")
    expect(options).to_have_count(24)
    expect(options.first).to_contain_text("late 29")
    expect(picker.get_by_role("status")).to_have_text("24 tunes loaded; there are more")
    expect(options.first.locator("img")).to_be_visible()
    fetched = [request for request in sandbox.ledger[before:] if request.path.startswith("/pictures/")]
    assert len(fetched) < 24  # those in view

    picker.get_by_role("searchbox").fill("cat man")
    expect(picker.get_by_role("status")).to_have_text(
        "None of 24 tunes loaded matches “cat man”; others may match once they are loaded"
    )
    picker.get_by_role("searchbox").fill("Early")
    picker.get_by_role("button", name="Load more").focus()
    page.keyboard.press("Enter")
    expect(picker.get_by_role("status")).to_have_text("11 of 30 tunes match “Early”")
    expect(card(picker, "early 5man")).to_be_focused()
    page.keyboard.press("Space")
    picker.get_by_role("searchbox").fill("")
    options.nth(1).click()

    ids = form.get_by_label("Tunes", exact=True)
    expect(ids).to_have_value("1000006, 1000029")
    expect(form.get_by_text("Existing tunes instead of photos · 1000006, 1000029")).to_be_visible()
    ids.fill("1000030")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(options.nth(1)).to_have_attribute("aria-selected", "false")
    picker.get_by_role("button", name="Clear selection").click()
    expect(ids).to_have_value("")
    expect(options.first).to_have_attribute("aria-selected", "false")


def test_the_end_of_a_long_list_loads_more_by_itself(form: Locator):
    form.get_by_text("Existing tunes instead").click()
    picker = browse(form, "tune")
    options = picker.get_by_role("option")
    expect(options).to_have_count(24)
    options.last.scroll_into_view_if_needed()
    expect(options).to_have_count(30)
    expect(picker.get_by_role("button", name="Load more")).to_be_hidden()
    options.last.scroll_into_view_if_needed()
    expect(options.last).to_contain_text(re.compile(f"no preview{re.escape(EVIL)}{re.escape(EVIL)} · "))


def test_prompts_are_chosen_by_their_pictures(form: Locator):
    field = form.get_by_label("Pack", exact=True)
    field.fill("43")
    field.press("Enter")
    form.get_by_role("button", name=re.compile("^cat · ")).click()
    form.get_by_text("Prompts · all in the pack").click()
    picker = browse(form, "prompt")
    expect(picker.get_by_role("status")).to_have_text(
        "24 prompts · all prompts of the class are used unless you choose some"
    )
    first = picker.get_by_role("option").first
    expect(first).to_contain_text("Prompt 43017cat")
    expect(first.locator("img")).to_be_visible()
    first.click()
    card(picker, "43018").click()
    expect(form.get_by_label("Prompts", exact=True)).to_have_value("43017, 43018")
    expect(form.get_by_text("Prompts · 43017, 43018")).to_be_visible()
    form.get_by_role("button", name=re.compile("^man · ")).click()
    expect(first).to_contain_text("Prompt 43001man")
    expect(card(picker, "43018")).to_have_attribute("aria-selected", "true")
