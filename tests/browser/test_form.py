"""The whole form in a real browser: by keyboard alone, across reloads and restarts, in other frontends."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import requests
from PIL import Image
from playwright.sync_api import Locator, Page, expect

import astria_nb as anb
import helpers.jupyterlab as lab
from helpers.waiting import until

# Each sets `window.caught` if it is treated as more than text: on its own, by leaving an attribute or an
# element that holds text, by being decoded once too often, or as a template.
CORPUS = (
    "<img src=x onerror='window.caught = 1'>",
    "<script>window.caught = 1</script>",
    "<svg/onload=window.caught=1>",
    '"><img src=x onerror=window.caught=1>',
    "' autofocus onfocus=window.caught=1 x='",
    "</textarea><script>window.caught = 1</script>",
    "</title></style></pre><img src=x onerror=window.caught=1>",
    "<details open ontoggle=window.caught=1>x</details>",
    "<iframe srcdoc='<script>parent.caught = 1</script>'></iframe>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=x onerror=window.caught=1>'>",
    "&lt;img src=x onerror=window.caught=1&gt;",
    "\\u003cimg src=x onerror=window.caught=1\\u003e",
    "${window.caught=1}{{constructor.constructor('window.caught=1')()}}",
    "[x](javascript:window.caught=1) ![x](x' onerror='window.caught=1)",
)
EVIL = " ".join(CORPUS)

# For a second cell; the first makes the form.
BATCH = """tunes = [anb.Tune(pack=797, name="cat", title=f"batch {number}",
                  image_urls=[f"https://example.com/{number}/{photo}.jpg" for photo in "ab"])
         for number in range(200)]
rows = anb.submit_many(tunes, form.client, max_workers=2, log=anb.ExperimentLog("batch.sqlite"))
print("RETURNED", len(rows), rows["state"].eq("done").sum())"""

# Runs code in the open notebook's kernel, and does not wait for its end.
REQUEST = (
    """code => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code})"""
)

# On a dark page Colab has JupyterLab's light colours, except for these.
COLAB_IN_THE_DARK = """
.jp-OutputArea-output, .jp-OutputArea-output .jupyter-widgets {
    --jp-widgets-color: #d5d5d5;
    --jp-ui-font-color1: #d5d5d5;
    --jp-layout-color2: #424242;
    --jp-widgets-input-background-color: #424242;
    --jp-widgets-input-color: var(--jp-ui-font-color1);
    --jp-widgets-label-color: var(--jp-widgets-color);
}
.jp-OutputArea-output { background: #383838; color: #d5d5d5; }
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[anb.Sandbox]:
    """A service that requires two photos, with packs whose titles try to run a script; see `finish`."""
    with anb.Sandbox(speed=1, min_images=2) as running:
        for title in CORPUS:
            requests.post(
                f"{running.url}/packs",
                json={"pack": {"title": title}},
                headers={"Authorization": f"Bearer {running.api_key}"},
                timeout=10,
            ).raise_for_status()
        yield running


@pytest.fixture(scope="module")
def folder(folder: Path, sandbox: anb.Sandbox) -> Path:
    """Notebooks with a form each, and photos beside them."""
    for name, size in {
        "sharp.jpg": (640, 530),
        "wearing_hat.jpg": (700, 540),
        "tiny.jpg": (300, 200),
    }.items():
        Image.effect_noise(size, 80).convert("RGB").save(folder / name)
    client = f"anb.Client({sandbox.api_key!r}, base_url={sandbox.url!r})"
    for name, options in {"form": "", "draft": ", draft='cats'", "app": ""}.items():
        lab.write_notebook(
            folder / f"{name}.ipynb",
            f"import astria_nb as anb\nform = anb.TuneForm({client}, log=anb.ExperimentLog('{name}.sqlite')"
            f"{options})\nform",
        )
    lab.write_notebook(
        folder / "two_windows.ipynb",
        f"import astria_nb as anb\nanb.TuneForm({client}, log=anb.ExperimentLog('two_windows.sqlite'),"
        " pack=797, name='cat', image_urls=['https://example.com/1.jpg', 'https://example.com/2.jpg'])",
    )
    return folder


@pytest.fixture(scope="module")
def page(tab: Page, address: str) -> Iterator[Page]:
    """JupyterLab with the first notebook."""
    lab.open_notebook(tab, address, "form.ipynb")
    yield tab
    lab.shut_down(tab)


@pytest.fixture
def other(tab: Page) -> Iterator[Page]:
    """A page for another application than JupyterLab."""
    page = tab.context.new_page()
    yield page
    page.close()
    tab.bring_to_front()


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


def fill(form: Locator, folder: Path, *photos: str) -> None:
    """Fill in what a tune needs."""
    form.get_by_label("Pack", exact=True).fill("797")
    form.get_by_label("Pack", exact=True).press("Enter")
    form.get_by_role("button", name=re.compile("^cat · ")).click()
    if photos:
        form.get_by_role("tab", name="From this computer").click()
        with form.page.expect_file_chooser() as dialog:
            form.get_by_label("Choose photos").click()
        dialog.value.set_files([str(folder / name) for name in photos])
        for name in photos:
            expect(form.locator(".astria-tile").filter(has_text=name).locator("img")).to_be_visible()


def submit(form: Locator) -> Locator:
    return form.get_by_role("button", name=re.compile("^Submit"))


def tab_to(page: Page, target: Locator, most: int = 40) -> None:
    """Press Tab until a control has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("each => each === document.activeElement"):
            return
    focused = page.evaluate("() => document.activeElement.outerHTML.slice(0, 200)")
    raise AssertionError(f"not focused after {most} times Tab; the focus is at {focused}")


@contextmanager
def busy_kernel(page: Page, folder: Path) -> Iterator[None]:
    """Let Python do something else, so that it hears of what happens on the page only afterwards."""
    end = folder / "end"
    page.evaluate(
        """code => {
            window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code});
            return true; }""",
        f"import pathlib, time\nwhile not pathlib.Path({str(end)!r}).exists(): time.sleep(0.05)",
    )
    yield
    end.touch()


def test_a_tune_is_trained_by_keys_alone(form: Locator, page: Page, folder: Path, sandbox: anb.Sandbox):
    form.get_by_label("Pack", exact=True).focus()
    page.keyboard.type("797")
    page.keyboard.press("Enter")
    cat = form.get_by_role("button", name=re.compile("^cat · "))
    expect(cat).to_be_visible()
    tab_to(page, cat)
    page.keyboard.press("Space")
    tab_to(page, form.get_by_role("tab", name="From this computer"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    urls = form.locator(".astria-urls textarea")
    if not urls.is_visible():
        page.keyboard.press("Enter")
    tab_to(page, urls)
    page.keyboard.type("https://example.com/1.jpg")
    page.keyboard.press("Enter")
    page.keyboard.type("https://example.com/2.jpg")
    section = form.get_by_role("button", name=re.compile("^Characteristics"))
    tab_to(page, section)
    page.keyboard.press("Enter")
    expect(section).to_have_attribute("aria-expanded", "true")
    tab_to(page, form.get_by_role("button", name="Add a row").first)
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")  # the row comes before its button
    for word in ("fur_color", "red fur"):
        field = form.get_by_placeholder("key" if word == "fur_color" else "value").first
        field.focus()
        page.keyboard.type(word)
        page.keyboard.press("Tab")
    expect(form.get_by_text("Characteristics · fur_color: red fur")).to_be_visible()
    expect(form.get_by_text("Ready to submit")).to_be_visible()
    form.get_by_label("Title", exact=True).select_text()
    with busy_kernel(page, folder):
        page.keyboard.type("Rosi in the garden")
        tab_to(page, submit(form))
        page.keyboard.press("Enter")
        expect(form.get_by_text("Waiting for the kernel")).to_be_visible()
    expect(form.locator(".astria-row table")).to_contain_text("cat")
    params = sandbox.received()[-1].params
    assert params["characteristics"] == {"fur_color": "red fur"}
    assert params["title"] == "Rosi in the garden"  # all that was typed, though Python saw none of it yet
    form.get_by_role("button", name="Start another").focus()
    tab_to(page, form.get_by_label("Tags"))
    page.keyboard.type("good likeness")
    page.keyboard.press("Enter")
    expect(form.get_by_role("status").filter(has_text="saved")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("the eyes are dark")
    tab_to(page, form.get_by_role("checkbox", name="Notify me when it is done"))
    log = anb.ExperimentLog(folder / "form.sqlite")
    until(lambda: log.frame(tag="good likeness")["note"].tolist() == ["the eyes are dark"])
    log.close()
    page.keyboard.press("Space")
    expect(form.get_by_role("status").filter(has_text="This page may not show notifications")).to_be_visible()
    answer_by_keys(form, page, sandbox)


def answer_by_keys(form: Locator, page: Page, sandbox: anb.Sandbox) -> None:
    """Submit the same again, cancel the question, and then use the earlier tune."""
    sent = len(sandbox.received())
    another = form.get_by_role("button", name="Start another")
    another.focus()
    page.keyboard.press("Enter")
    expect(submit(form)).to_be_focused()
    page.keyboard.press("Enter")
    question = form.get_by_role("group", name=re.compile("^The same request was sent .* as tune"))
    use = question.get_by_role("button", name=re.compile("^Use tune"))
    expect(use).to_be_focused()
    for name in ("Send again", "Cancel"):
        page.keyboard.press("Tab")
        expect(question.get_by_role("button", name=name)).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(submit(form)).to_be_focused()
    page.keyboard.press("Enter")
    expect(use).to_be_focused()
    assert violations_in_each_theme(page, ".astria-repeat") == []
    use.focus()
    page.keyboard.press("Enter")
    expect(form.get_by_role("status").filter(has_text="Nothing was sent")).to_be_visible()
    expect(another).to_be_focused()
    assert len(sandbox.received()) == sent


def test_the_training_and_the_pictures_are_shown_in_the_form(
    form: Locator, folder: Path, sandbox: anb.Sandbox
):
    fill(form, folder, "sharp.jpg", "wearing_hat.jpg")
    submit(form).dblclick()
    expect(form.get_by_text(re.compile(r"^(Queued|Training) · ready at about \d\d:\d\d"))).to_be_visible()
    ask_for_notification(form)
    assert lab.violations(form.page, ".astria-notification") == []
    finish(sandbox)
    expect(form.locator(".astria-pictures img").first).to_be_visible(timeout=60_000)
    expect(form.get_by_text(re.compile(r"^Pictures · (\d+) of \1 prompts done"))).to_be_visible(
        timeout=60_000
    )
    expect(form.locator(".astria-row table")).to_contain_text("trained")
    expect(form.locator(".astria-row tbody tr")).to_have_count(1)
    expect_notification(form)


def test_a_rejection_is_shown_at_its_field_and_linked(
    form: Locator, page: Page, folder: Path, sandbox: anb.Sandbox
):
    fill(form, folder, "sharp.jpg")
    form.get_by_role("tab", name="URLs").click()
    submit(form).click()
    errors = form.locator(".astria-summary")
    expect(errors).to_contain_text("2")
    errors.get_by_role("link", name="Photos").click()
    expect(form.locator(".astria-at-images > .astria-error")).to_be_visible()
    assert page.evaluate("() => document.activeElement.closest('.astria-at-images') !== null")
    fill(form, folder, "wearing_hat.jpg")
    sandbox.fail("422", "POST /p/*/tunes", message=EVIL)
    send(form)
    expect(form.locator(".astria-message")).to_contain_text(EVIL[:300])


def test_an_error_is_tied_to_its_control(form: Locator, page: Page):
    form.get_by_role("tab", name="URLs").click()
    urls = form.locator(".astria-urls textarea")
    urls.fill("example.com/photo.jpg")
    expect(urls).to_have_attribute("aria-invalid", "true")
    described = page.locator(f"[id='{urls.get_attribute('aria-describedby')}']")
    expect(described).to_contain_text("'example.com/photo.jpg' is not a web address")
    assert lab.violations(page, ".astria-urls") == []  # it has a name as well
    urls.fill("")
    expect(urls).not_to_have_attribute("aria-invalid", "true")


def test_somebody_without_photos_has_a_tune_by_one_click_and_submit_in_sight(form: Locator, folder: Path):
    fill(form, folder)
    form.get_by_role("button", name="Use sample photos of a cat").click()
    expect(form.locator(".astria-tile img")).to_have_count(4)
    expect(submit(form)).to_be_enabled()
    zone, bar = form.locator(".astria-drop-zone").bounding_box(), submit(form).bounding_box()
    assert zone
    assert bar
    assert bar["y"] + bar["height"] - zone["y"] < 700  # px: what a window of 950 shows of a notebook


def test_a_bad_photo_has_a_badge_and_can_be_inspected(form: Locator, folder: Path):
    fill(form, folder, "tiny.jpg", "wearing_hat.jpg")
    tiny, hat = (
        form.locator(".astria-tile").filter(has_text=name) for name in ("tiny.jpg", "wearing_hat.jpg")
    )
    expect(tiny.get_by_text(re.compile(r"^Small \(300×200\)"))).to_be_visible()  # noqa: RUF001
    form.get_by_role("button", name="Inspect").click()
    expect(form.get_by_text(re.compile(r"^2 inspected · \d with (a )?warning"))).to_be_visible()
    expect(hat.get_by_text("a hat: the hair cannot be seen")).to_be_visible()
    form.get_by_role("button", name="Fill characteristics").click()
    expect(form.get_by_text(re.compile(r"^Characteristics · \w+: \w+"))).to_be_visible()
    expect(form.get_by_placeholder("value").first).not_to_have_value("")


def test_the_request_is_copied_as_it_would_be_sent_now(form: Locator, page: Page, folder: Path):
    fill(form, folder)
    form.get_by_role("tab", name="URLs").click()
    form.locator(".astria-urls textarea").fill("https://example.com/1.jpg")
    form.get_by_text("Request · cURL").click()
    form.get_by_label("Title").fill('It\'s "mine"')
    for part in ("It's", "https://example.com/1.jpg"):
        expect(form.get_by_role("tabpanel")).to_contain_text(part)
    form.get_by_role("button", name="Copy").click()
    expect(form.get_by_text("Copied")).to_be_visible()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith("curl -X POST http://127.0.0.1")
    assert 'Bearer $ASTRIA_API_KEY"' in copied
    assert copied == form.get_by_role("tabpanel").text_content()
    tabs = form.get_by_role("tablist", name="The request as code")
    tabs.get_by_role("tab", name="cURL").focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.get_by_role("tab", name="Python")).to_be_focused()
    expect(form.get_by_role("tabpanel")).to_contain_text("import")


def test_what_is_markup_elsewhere_is_text(form: Locator, page: Page, sandbox: anb.Sandbox):
    form.get_by_role("button", name="Browse packs").click()
    for title in CORPUS:
        expect(form.get_by_role("option").filter(has_text=title).first).to_be_visible()
        form.get_by_role("option").filter(has_text=title).first.hover()
    form.get_by_role("option").filter(has_text=CORPUS[0]).first.click()
    form.get_by_label("Title").fill(EVIL)
    form.get_by_role("tab", name="URLs").click()
    form.locator(".astria-urls textarea").fill("\n".join(CORPUS))
    expect(form.locator(".astria-summary")).to_contain_text("is not a web address")
    form.get_by_text("Request · cURL").click()
    form.get_by_text(re.compile("^Existing tunes instead")).click()
    form.get_by_label("Tunes", exact=True).fill(EVIL.replace(" ", "_"))
    expect(form.locator(".astria-summary li")).to_have_count(len(CORPUS) + 1)
    form.get_by_text(re.compile("^Characteristics")).click()
    form.get_by_role("button", name="Add a row").first.click()
    for part in ("key", "value"):
        form.get_by_placeholder(part).first.fill(EVIL)
    expect(form.get_by_text(re.compile("^Characteristics · <img"))).to_be_visible()
    page.wait_for_timeout(300)  # `onerror` of an image runs a moment later


def violations_in_each_theme(page: Page, selector: str) -> list[str]:
    """Return what keeps people out of a part of the page in the dark theme, and in the light one."""
    violations: list[str] = []
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        lab.change_theme(page, theme)
        violations += lab.violations(page, selector)
    return violations


def test_the_form_has_no_accessibility_violations(
    form: Locator, page: Page, folder: Path, sandbox: anb.Sandbox
):
    fill(form, folder, "sharp.jpg", "tiny.jpg")
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        lab.change_theme(page, theme)
        for section in form.locator(".jupyter-widget-Collapse-header").all():
            section.click()
            expect(section).to_have_attribute("aria-expanded", "true")
            assert lab.violations(page, ".astria-sections") == []
    form.get_by_label("Title").fill("")
    # Wait for its message, which moves everything below it: a click must not miss.
    expect(form.get_by_text("Enter a title, or press New for one.")).to_be_visible()
    form.get_by_text(re.compile("^Existing tunes instead")).click()
    form.get_by_label("Tunes", exact=True).fill("x")
    expect(form.locator(".astria-summary")).to_be_visible()
    assert violations_in_each_theme(page, ".astria-form") == []
    form.get_by_label("Tunes", exact=True).fill("")
    form.get_by_role("button", name="New", exact=True).click()
    send(form)
    expect(form.locator(".astria-row table")).to_contain_text("cat")
    finish(sandbox)
    expect(form.locator(".astria-pictures img").first).to_be_visible(timeout=60_000)
    assert violations_in_each_theme(page, ".astria-form") == []


def test_it_can_be_read_in_the_dark_where_a_frontend_changes_only_some_colours(
    form: Locator, page: Page, folder: Path
):
    fill(form, folder, "tiny.jpg")
    style = page.add_style_tag(content=COLAB_IN_THE_DARK)
    try:
        form.get_by_role("button", name="Browse packs").click()
        expect(form.get_by_role("option").nth(1)).to_be_visible()
        form.get_by_text("Request · cURL").click()
        form.get_by_role("tab", name="URLs").click()
        form.locator(".astria-urls textarea").fill("example.com/photo.jpg")
        expect(form.locator(".astria-summary")).to_be_visible()
        assert lab.violations(page, ".astria-form") == []
    finally:
        style.evaluate("style => style.remove()")


def style(locator: Locator, name: str, pseudo: str = "") -> str:
    value = "(element, [name, pseudo]) => getComputedStyle(element, pseudo)[name]"
    return str(locator.evaluate(value, [name, pseudo]))


def section(form: Locator, title: str) -> Locator:
    return form.locator(".jupyter-widget-Collapse-header").filter(has_text=title)


def right_edge(locator: Locator) -> float:
    return float(locator.evaluate("element => element.getBoundingClientRect().right"))


def test_with_the_colours_of_the_system_buttons_have_edges_and_what_is_chosen_and_open_is_seen(
    form: Locator, page: Page, folder: Path
):
    fill(form, folder)
    form.get_by_text("Request · cURL").click()
    page.emulate_media(forced_colors="active")
    try:
        buttons = form.get_by_role("button").and_(form.locator("button")).all()
        assert [button.inner_text() for button in buttons if style(button, "borderTopWidth") == "0px"] == []
        for options in (
            form.locator(".widget-toggle-button"),
            form.locator(".lm-TabBar-tab"),
            form.locator(".astria-request [role=tab]"),
        ):
            options.first.hover()  # the one that is chosen
            colours = [style(option, "backgroundColor") for option in options.all()]
            assert colours[0] not in [*colours[1:], style(options.first, "color")]
            assert "/" not in colours[0]  # nothing shines through
        edges = ("borderTopColor", "borderRightColor", "borderBottomColor", "borderLeftColor")
        for title, visible in (("Characteristics", "borderLeftColor"), ("Request", "borderTopColor")):
            triangle = partial(style, section(form, title), pseudo="::before")
            assert [edge for edge in edges if triangle(edge) != "rgba(0, 0, 0, 0)"] == [visible]
            assert triangle("forcedColorAdjust") == "none"  # else transparent edges are drawn
    finally:
        page.emulate_media(forced_colors="none")


def test_a_long_title_without_spaces_is_whole_in_the_list(form: Locator, folder: Path):
    fill(form, folder)
    form.get_by_role("tab", name="URLs").click()
    form.locator(".astria-urls textarea").fill("https://example.com/1.jpg\nhttps://example.com/2.jpg")
    add_by_keys(form, "w" * 200)
    assert right_edge(form.locator(".astria-list span").first) <= right_edge(form.locator(".astria-list"))


def test_on_a_page_from_right_to_left_the_form_is_laid_out_for_its_english_and_titles_for_theirs(
    form: Locator, page: Page, folder: Path
):
    fill(form, folder, "sharp.jpg")
    form.get_by_label("Title").fill("قطة 2026")
    page.evaluate("() => { document.documentElement.dir = 'rtl'; return true; }")
    try:
        for checkbox in form.get_by_role("checkbox").all():
            assert right_edge(checkbox) <= right_edge(checkbox.locator("xpath=../span"))
            expect(checkbox).to_be_in_viewport()
        for part in (form, form.locator(".astria-images-summary"), form.locator(".astria-caption").first):
            assert style(part, "direction") == "ltr"
        assert style(form.get_by_label("Title"), "unicodeBidi") == "plaintext"
    finally:
        page.evaluate("() => { document.documentElement.dir = 'ltr'; return true; }")


def test_a_draft_and_its_list_outlive_the_page_and_the_kernel(
    page: Page, tab: Page, address: str, folder: Path, sandbox: anb.Sandbox
):
    sandbox.heal()
    lab.open_notebook(tab, address, "draft.ipynb")
    lab.show_form(tab, 0, 1)
    form = tab.locator(".astria-form")
    fill(form, folder)
    form.get_by_role("tab", name="URLs").click()
    for title, photos in {"Too few": 1, "Happy cat": 2, "Not wanted": 2}.items():
        urls = [f"https://example.com/{title[0]}{number}.jpg" for number in range(photos)]
        form.locator(".astria-urls textarea").fill("\n".join(urls))
        add_by_keys(form, title)
    form.get_by_role("button", name="Remove").nth(2).press("Enter")
    expect(form.locator(".astria-list-count")).to_be_focused()
    fill(form, folder, "sharp.jpg", "wearing_hat.jpg")
    form.get_by_label("Title").fill("Grumpy cat")
    expect(form.get_by_text("Ready to submit")).to_be_visible()
    tab.reload()
    tab.wait_for_selector(".jp-Notebook", timeout=60_000)
    lab.restart_kernel(tab)
    lab.show_form(tab, 0, 1)
    expect(form).to_have_count(1)
    expect(form.get_by_label("Title")).to_have_value("Grumpy cat")
    expect(form.locator(".astria-tile").filter(has_text="sharp.jpg")).to_be_visible()
    expect(form.get_by_text("Ready to submit")).to_be_visible()
    send_the_list(form, sandbox)
    lab.shut_down(tab)


def posts(sandbox: anb.Sandbox) -> list[str]:
    return [
        request.path for request in sandbox.ledger if request.method == "POST" and "tunes" in request.path
    ]


def add_by_keys(form: Locator, title: str) -> None:
    """Name the tune and put it into the list, with the keyboard."""
    form.get_by_label("Title").fill(title)
    # ipywidgets sends a click at once, and a text only when Python has the one before.
    until(lambda: lab.run_code(form.page, "print(form.to_dict()['title'])").strip() == title)
    form.get_by_role("button", name="Add to the list").press("Enter")
    expect(form.locator(".astria-list")).to_contain_text(title)
    expect(form.get_by_label("Title")).to_be_focused()


def send_the_list(form: Locator, sandbox: anb.Sandbox) -> None:
    """Submit a restored list of two with the draft: one of the three has too few photos for the service."""
    lines = form.locator(".astria-list")
    expect(lines.get_by_role("status")).to_have_text("2 tunes in the list")
    expect(lines.get_by_text("about $1.98")).to_have_count(2)
    expect(lines).not_to_contain_text("Not wanted")
    made, sent = len(sandbox.received()), len(posts(sandbox))
    submit(form).click()
    expect(form.get_by_text("The submission failed for 1 of 3 tunes")).to_be_visible()
    submit(form).click()
    expect(form.get_by_text("The submission failed; see why in the list")).to_be_visible()
    assert len(sandbox.received()) - made == 2
    assert len(posts(sandbox)) - sent == 4
    expect(lines.get_by_text("are too few (minimum is 2); fix it and submit again")).to_be_visible()
    expect(lines.get_by_role("button", name="Edit")).to_have_count(1)
    assert violations_in_each_theme(form.page, ".astria-list") == []


def test_in_notebook_7(other: Page, address: str, folder: Path, sandbox: anb.Sandbox):
    other.goto(lab.elsewhere(address, "notebooks").format("app.ipynb"))
    other.wait_for_selector(".jp-Notebook", timeout=60_000)
    form = other.locator(".astria-form")
    other.locator(".jp-CodeCell .cm-content").first.click()
    lab.await_idle(other)
    other.keyboard.press("Shift+Enter")
    expect(form).to_be_visible(timeout=60_000)
    train(form, folder, sandbox)
    cancel_a_batch(other, sandbox)
    lab.shut_down(other)


def cancel_a_batch(page: Page, sandbox: anb.Sandbox) -> None:
    """Run `submit_many` in the cell below, and press Cancel while the cell runs."""
    sandbox.fail("slow", "POST /p/*/tunes", count=None, seconds=0.3)
    made = len(sandbox.received())
    page.locator(".jp-CodeCell .cm-content").last.click()
    page.keyboard.insert_text(BATCH)
    page.keyboard.press("Shift+Enter")
    progress = page.locator(".astria-batch")
    expect(progress).to_contain_text(re.compile(r"[1-9]\d* of 200 done · \d under way"))
    progress.get_by_role("button", name="Cancel").press("Enter")
    expect(progress.get_by_role("status")).to_contain_text(re.compile(r"Cancelled\. \d+ of 200 done"))
    sandbox.heal()
    done = int(page.get_by_text(re.compile(r"RETURNED 200 \d+")).inner_text().split()[-1])
    assert len(sandbox.received()) - made == done < 100


def test_as_an_app_in_voila(other: Page, address: str, folder: Path, sandbox: anb.Sandbox):
    other.goto(lab.elsewhere(address, "voila/render").format("app.ipynb"))
    form = other.locator(".astria-form")
    expect(form).to_be_visible(timeout=60_000)
    train(form, folder, sandbox)
    with other.expect_download() as downloading:  # there is no code to save the pictures with
        form.get_by_role("button", name="Download all").click()
    assert downloading.value.suggested_filename == "astria_pictures.zip"
    assert zipfile.is_zipfile(downloading.value.path())


def test_a_form_whose_kernel_another_window_restarted_says_so_at_the_first_click(
    tab: Page, other: Page, address: str, folder: Path
):
    lab.open_notebook(tab, address, "two_windows.ipynb")
    lab.show_form(tab, 0, 1)
    tab.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save'); return true; }")
    other.goto(address.format("two_windows.ipynb").removesuffix("&reset"))
    lab.await_idle(other)
    form, copy = other.locator(".astria-form"), other.locator(".astria-saved")
    expect(form.get_by_text("Ready to submit")).to_be_visible(timeout=60_000)
    form.get_by_role("button", name="New", exact=True).click()
    busy = tab.evaluate_handle(REQUEST, "import time; time.sleep(6)")
    form.get_by_role("button", name="New", exact=True).click()
    tab.evaluate("future => future.done.then(() => true)", busy)
    expect(form.get_by_text("Ready to submit")).to_be_visible()
    expect(form.get_by_text("no kernel")).to_have_count(0)
    lab.restart_kernel(tab)
    submit(form).click()
    expect(form.get_by_text("This form has no kernel")).to_have_count(1)
    expect(form).to_be_hidden()
    expect(copy).to_be_visible()
    lab.shut_down(tab)


def test_an_app_whose_kernel_the_server_ended_says_so(other: Page, address: str):
    kernels = f"{address.partition('/lab/')[0]}/api/kernels"
    token = {"token": address.rpartition("token=")[2].removesuffix("&reset")}
    before = {kernel["id"] for kernel in requests.get(kernels, token, timeout=10).json()}
    other.goto(lab.elsewhere(address, "voila/render").format("two_windows.ipynb"))
    form = other.locator(".astria-form")
    expect(form.get_by_text("Ready to submit")).to_be_visible(timeout=60_000)
    for kernel in requests.get(kernels, token, timeout=10).json():
        if kernel["id"] not in before:
            requests.delete(f"{kernels}/{kernel['id']}", params=token, timeout=10).raise_for_status()
    submit(form).click()
    expect(other.locator(".astria-saved")).to_be_visible()
    expect(form).to_be_hidden()


def send(form: Locator) -> None:
    """Press Submit, and "Send again" if another test has sent the same photos."""
    submit(form).click()
    again = form.get_by_role("button", name=re.compile("^Send again"))
    result = form.locator(".astria-row table, .astria-message")
    expect(again.or_(result).first).to_be_visible()
    if again.is_visible():
        again.click()


def finish(sandbox: anb.Sandbox) -> None:
    """Let the service's clock pass the end of every training and prompt."""
    sandbox.advance(3600)


# A headless browser shows no notifications, whatever it allows.
RECORD_NOTIFICATIONS = """() => {
    window.notifications = [];
    window.Notification = class {
        static permission = "default";
        static requestPermission = async () => "granted";
        constructor(title, { body }) { window.notifications.push(`${title}: ${body}`); }
    };
}"""


def ask_for_notification(form: Locator) -> None:
    form.page.evaluate(RECORD_NOTIFICATIONS)
    form.get_by_role("checkbox", name="Notify me when it is done").check()


def expect_notification(form: Locator) -> None:
    lab.await_condition(form.page, "() => window.notifications.length > 0")
    (text,) = form.page.evaluate("() => window.notifications")
    assert re.search(r": Pictures · (\d+) of \1 prompts done$", text)
    expect(form.get_by_role("checkbox", name="Notify me when it is done")).to_be_hidden()


def train(form: Locator, folder: Path, sandbox: anb.Sandbox) -> None:
    expect(form.get_by_text("Still needed: pack, class, photos")).to_be_visible(timeout=60_000)
    fill(form, folder, "sharp.jpg", "wearing_hat.jpg")
    send(form)
    expect(form.locator(".astria-row table")).to_contain_text("cat")
    ask_for_notification(form)
    finish(sandbox)
    expect_notification(form)
