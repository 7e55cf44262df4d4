"""The form on a narrow touch screen, where nothing can be hovered over or dragged."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

import astria_nb as anb
import helpers.jupyterlab as lab

NARROW = """async () => { window.jupyterapp.shell.collapseLeft(); return true; }"""


@pytest.fixture(scope="module")
def folder(folder: Path) -> Iterator[Path]:
    """A notebook with a form, and photos beside it."""
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        Image.effect_noise((640, 520), 80).convert("RGB").save(folder / name)
    with anb.Sandbox(speed=300) as sandbox:
        client = f"anb.Client({sandbox.api_key!r}, base_url={sandbox.url!r})"
        code = f"import astria_nb as anb\nanb.TuneForm({client}, log=anb.ExperimentLog('log.sqlite'))"
        lab.write_notebook(folder / "touch.ipynb", code)
        yield folder


@pytest.fixture(scope="module")
def page(tab: Page, folder: Path, address: str) -> Iterator[Page]:
    size, screen = tab.viewport_size, tab.context.new_cdp_session(tab)
    assert size is not None
    tab.set_viewport_size({"width": 480, "height": 1000})
    screen.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    lab.open_notebook(tab, address, "touch.ipynb")
    tab.evaluate(NARROW)
    lab.show_form(tab, 0, 1)
    yield tab
    lab.shut_down(tab)
    screen.detach()
    tab.set_viewport_size(size)


# For each line of the form's heading, whether the point in front of it is in sight.
POINTS = """facts => {
    const {left} = facts.getBoundingClientRect();
    const points = [...facts.querySelectorAll('i')].map(point => point.getBoundingClientRect());
    const lines = Map.groupBy(points, ({top}) => top);
    return [...lines.values()].map(([first]) => first.right > left + 1); }"""


# How far the buttons of the classes stand from the column of the fields, in pixels.
STEP_OUT_OF_COLUMN = """form => {
    const left = selector => form.querySelector(selector).getBoundingClientRect().left;
    return Math.abs(left('.widget-toggle-button') - left('.astria-pack input')); }"""


def tap(target: Locator) -> None:
    """Tap with a finger; Playwright's own `tap` needs a page that was opened as a touch screen."""
    target.click(trial=True)  # waits until it can be tapped
    box = target.bounding_box()
    assert box is not None
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    screen = target.page.context.new_cdp_session(target.page)
    screen.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    screen.detach()


def expect_to_be_touchable(button: Locator) -> None:
    """Expect a button to be visible without hovering, and large enough for a finger."""
    assert button.evaluate("each => each.checkVisibility({opacityProperty: true})")
    box = button.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 24


def test_a_long_address_stays_within_the_list_of_errors(page: Page):
    form = page.locator(".astria-form")
    form.get_by_role("tab", name="URLs").click()
    form.locator(".astria-urls textarea").fill("https://example.com/صورة-العائلة.jpg")
    errors = form.locator(".astria-summary")
    expect(errors).to_contain_text("percent-encoded")
    assert errors.evaluate("list => list.scrollWidth <= list.clientWidth")
    form.locator(".astria-urls textarea").fill("")
    expect(errors).to_be_hidden()
    form.get_by_role("tab", name="From this computer").click()


def test_a_tune_is_trained_by_touch(page: Page, folder: Path):
    form = page.locator(".astria-form")
    expect(form.locator(".astria-heading")).to_contain_text("practice balance")
    lines = form.locator(".astria-facts").evaluate(POINTS)
    assert len(lines) > 1  # the heading wraps
    assert not any(lines)
    assert page.evaluate("() => matchMedia('(hover: none)').matches")
    tap(form.get_by_role("button", name="Browse packs"))
    tap(form.get_by_role("option").filter(has_text="797"))
    expect(form.get_by_role("button", name=re.compile("^cat · "))).to_be_visible()
    page.set_viewport_size({"width": 380, "height": 1000})
    assert form.evaluate(STEP_OUT_OF_COLUMN) <= 4  # however wide a class is
    page.set_viewport_size({"width": 480, "height": 1000})
    tap(form.get_by_role("button", name=re.compile("^cat · ")))
    with page.expect_file_chooser() as dialog:
        tap(form.get_by_label("Choose photos"))
    dialog.value.set_files([folder / f"{number}.jpg" for number in (1, 2, 3)])
    expect(form.locator(".astria-tile img")).to_have_count(3)
    names = form.locator(".astria-caption div:first-child")
    for word in ("Move left", "Move right", "Remove"):
        expect_to_be_touchable(form.get_by_role("button", name=f"{word}: 2.jpg"))
    tap(form.get_by_role("button", name="Move left: 2.jpg"))
    expect(names).to_have_text(["2.jpg", "1.jpg", "3.jpg"])
    tap(form.get_by_role("button", name="Move right: 1.jpg"))
    expect(names).to_have_text(["2.jpg", "3.jpg", "1.jpg"])
    tap(form.get_by_role("button", name="Remove: 3.jpg"))
    expect(names).to_have_text(["2.jpg", "1.jpg"])
    section = form.get_by_role("button", name=re.compile("^Characteristics"))
    tap(section)
    expect(section).to_have_attribute("aria-expanded", "true")

    tap(form.get_by_role("button", name=re.compile("^Submit")))
    expect(form.locator(".astria-pictures-tile img").first).to_be_visible(timeout=60_000)
    tap(form.get_by_role("button", name=re.compile("^Enlarge: ")).first)
    overlay = page.get_by_role("dialog", name=re.compile("^Picture 1 of"))
    expect(overlay).to_be_visible()
    for button in overlay.get_by_role("button").all():
        expect_to_be_touchable(button)
    tap(overlay.get_by_role("button", name="Next"))
    overlay = page.get_by_role("dialog", name=re.compile("^Picture 2 of"))
    expect(overlay).to_be_visible()
    tap(overlay.get_by_role("button", name="Close"))
    expect(overlay).to_be_hidden()
