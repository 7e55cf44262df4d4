"""Pictures in a real JupyterLab: in the form as they arrive, enlarged, liked, and in the saved file."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

import astria_nb as anb
import benchmarks.gallery as benchmark
import helpers.jupyterlab as lab
from helpers.waiting import until

EVIL = "<img src=x onerror='window.caught = true'><script>window.caught = true</script>"
URL = "https://example.com/1.jpg"
SAVE = """async () => {
    await window.jupyterapp.commands.execute('docmanager:save'); return true; }"""

BACKGROUND = "element => getComputedStyle(element).backgroundColor"
TOGGLE_SIDE_BAR = """async () => {
    await window.jupyterapp.commands.execute('application:toggle-left-area'); return true; }"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(speed=300) as running:
        yield running


@pytest.fixture(scope="module")
def folder(folder: Path, sandbox: anb.Sandbox) -> Path:
    """A notebook with a form, a gallery of its tune, and a gallery of hundreds of pictures."""
    form = (
        f"import astria_nb as anb\nclient = anb.Client({sandbox.api_key!r}, base_url={sandbox.url!r})\n"
        "form = anb.TuneForm(client, log=anb.ExperimentLog('log.sqlite'), title='mine', pack=797, name='cat',"
        f" image_urls=[{URL!r}], characteristics={{'fur_color': {EVIL!r}}},"
        " prompt_attributes={'num_images': 2})\nform"
    )
    lab.write_notebook(
        folder / "pictures.ipynb",
        form,
        "anb.gallery(form.row, client)",
        "anb.gallery(anb.rows.tune_frame(list(client.tunes())), client)",
        "anb.gallery(anb.rows.tune_frame(list(client.tunes(title='mine'))), client, by='template')",
    )
    return folder


@pytest.fixture(scope="module")
def page(tab: Page, address: str) -> Iterator[Page]:
    lab.open_notebook(tab, address, "pictures.ipynb")
    yield tab
    lab.shut_down(tab)


@pytest.fixture(scope="module")
def form(page: Page) -> Locator:
    """The form, once its pictures have arrived."""
    lab.run_cells(page, 0, 1)
    form = page.locator(".astria-form")
    form.get_by_role("button", name=re.compile("^Submit")).click()
    expect(summary(form)).to_have_text(re.compile(r"^No pictures yet|^0 of 16"))
    expect(form.get_by_role("button", name="Stop watching")).to_be_visible()
    expect(summary(form)).to_have_text("16 pictures", timeout=60_000)
    return form


def summary(within: Locator) -> Locator:
    return within.locator(".astria-pictures-summary")


def tiles(within: Locator) -> Locator:
    return within.locator(".astria-pictures-tile")


def liked(sandbox: anb.Sandbox) -> list[bool]:
    """Return whether each prompt is liked at the service, oldest first."""
    client = sandbox.client()
    (tune,) = client.tunes(title="mine")
    return [bool(prompt["liked"]) for prompt in client.prompts(tune["id"])][::-1]


def test_a_picture_is_enlarged_and_liked_by_keyboard(form: Locator, page: Page, sandbox: anb.Sandbox):
    cells = page.locator(".jp-Cell").count()
    frames = form.get_by_role("button", name=re.compile("^Enlarge: "))
    expect(tiles(form).first.locator("img")).to_be_visible()
    expect(tiles(form).filter(has_text="<script>").first).to_be_visible()
    frames.first.focus()
    page.keyboard.press("ArrowRight")
    expect(frames.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Picture 2 of 16")
    expect(dialog).to_be_visible()
    large = dialog.locator("img")
    expect(large).to_have_js_property("naturalWidth", 896)
    first = dialog.get_by_role("link", name="Open the original").get_attribute("href")
    page.keyboard.press("ArrowRight")
    dialog = page.get_by_role("dialog", name="Picture 3 of 16")
    link = dialog.get_by_role("link", name="Open the original").get_attribute("href")
    assert link is not None
    assert link != first
    assert sandbox.client().picture(link)
    page.keyboard.press("b")  # makes a cell elsewhere in JupyterLab
    like = dialog.get_by_role("button", name="Like", exact=True)
    like.focus()
    page.keyboard.press("Enter")
    # The third picture is the first of the second prompt.
    expect(dialog.get_by_role("button", name="Liked")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(frames.nth(2)).to_be_focused()
    for index in (2, 3):
        expect(tiles(form).nth(index).get_by_role("button", name="Liked")).to_be_visible()
    until(lambda: liked(sandbox) == [False, True, *[False] * 6])  # a like is shown before it is sent
    assert page.locator(".jp-Cell").count() == cells
    assert page.evaluate("() => window.caught === undefined")


def test_pictures_are_saved_on_the_readers_computer(
    form: Locator, page: Page, sandbox: anb.Sandbox, tmp_path: Path
):
    client = sandbox.client()
    row = anb.rows.tune_frame(list(client.tunes(title="mine")))
    files = {Path(file).name: Path(file).read_bytes() for file in anb.download(row, client, tmp_path)["file"]}
    files["manifest.jsonl"] = (tmp_path / "manifest.jsonl").read_bytes()
    sandbox.fail("slow", "GET /pictures/*", seconds=60)
    form.get_by_role("button", name="Download all").click()
    expect(form.get_by_role("progressbar", name="Download")).to_be_visible()
    form.get_by_role("button", name="Cancel download").click()
    expect(form.get_by_text("Download cancelled")).to_be_visible()
    sandbox.heal()
    form.get_by_role("button", name="Download all").focus()
    with page.expect_download() as downloading:
        page.keyboard.press("Enter")
    assert downloading.value.suggested_filename == "astria_pictures.zip"
    with zipfile.ZipFile(downloading.value.path()) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
    expect(form.get_by_text("Saved 16 pictures in astria_pictures.zip")).to_be_visible()
    expect(form.get_by_role("button", name="Download all")).to_be_focused()
    tiles(form).nth(1).locator(".astria-pictures-frame").click()
    dialog = page.get_by_role("dialog", name="Picture 2 of 16")
    with page.expect_download() as downloading:
        dialog.get_by_role("button", name="Download").click()
    name = downloading.value.suggested_filename
    assert name.endswith("-2.jpg")
    assert downloading.value.path().read_bytes() == files[name]
    expect(dialog.get_by_text(f"Saved {name}")).to_be_visible()
    page.keyboard.press("Escape")


def test_a_like_that_is_refused_is_taken_back_with_a_message(form: Locator, sandbox: anb.Sandbox):
    before = liked(sandbox)
    sandbox.fail("422", "POST /prompts/*/likes", message="not today")
    tiles(form).first.get_by_role("button", name="Like").click()
    expect(form.get_by_role("alert").filter(has_text="not today")).to_be_visible()
    expect(tiles(form).first.get_by_role("button", name="Like", exact=True)).to_have_attribute(
        "aria-pressed", "false"
    )
    assert liked(sandbox) == before


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_gallery_is_accessible(form: Locator, page: Page, theme: str):
    lab.change_theme(page, theme)
    try:
        assert lab.violations(page, ".astria-pictures") == []
        tiles(form).first.locator(".astria-pictures-frame").click()
        dialog = page.get_by_role("dialog", name="Picture 1 of 16")
        expect(dialog.locator("img")).to_have_js_property("naturalWidth", 896)
        assert lab.violations(page, ".astria-pictures-overlay") == []
        close = dialog.get_by_role("button", name="Close")
        assert close.evaluate(BACKGROUND) != dialog.evaluate(BACKGROUND)  # it is seen to be a button
        close.click()
    finally:
        lab.change_theme(page, "JupyterLab Light")


def test_the_saved_file_shows_the_pictures_without_a_kernel(form: Locator, page: Page, folder: Path):
    lab.run_cells(page, 1, 2)
    expect(summary(page.locator(".jp-Cell").nth(1))).to_have_text("16 pictures")
    page.evaluate(SAVE)
    file = folder / "pictures.ipynb"
    _, copy = nbformat.read(file, 4).cells[1].outputs
    html = copy.data["text/html"]
    assert html.count('<img src="data:image/jpeg;base64,') == 16
    assert "<script>" not in html
    assert "16 pictures" in html
    assert file.stat().st_size < 1_000_000


def test_the_form_is_restored_after_a_reload_and_in_the_next_kernel(form: Locator, page: Page):
    page.evaluate(SAVE)
    lab.load_again(page, ".astria-pictures-tile")
    expect(tiles(form).first.locator("img")).to_be_visible()
    expect(tiles(form).nth(2).get_by_role("button", name="Liked")).to_be_visible()
    lab.restart_kernel(page)
    lab.run_cells(page, 0, 1)
    expect(form.get_by_text("Last seen: Pictures · 8 of 8 prompts done")).to_be_visible()
    expect(form.locator(".astria-row table")).to_contain_text("trained")
    expect(tiles(form).first.locator("img")).to_be_visible()
    again = form.get_by_role("button", name="Check again")
    again.click()
    expect(again).to_be_hidden()
    expect(form.get_by_text("Last seen")).to_be_hidden()
    expect(tiles(form).nth(2).get_by_role("button", name="Liked")).to_be_visible()


def test_a_tune_is_kept_longer_after_a_question(form: Locator, page: Page, sandbox: anb.Sandbox):
    form.get_by_role("button", name="Keep longer").focus()
    page.keyboard.press("Enter")
    question = form.get_by_role("group", name="Keep this tune and its pictures")
    expect(question).to_contain_text("about $0.50 a month")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    assert [request for request in sandbox.ledger if request.method == "PATCH"] == []
    form.get_by_role("button", name="Keep longer").click()
    assert lab.violations(page, ".astria-form .astria-pictures") == []
    question.get_by_role("button", name="Keep for about $0.50 a month").click()
    expect(form.get_by_text("Kept longer, about $0.50 a month")).to_be_visible()
    assert len([request for request in sandbox.ledger if request.method == "PATCH"]) == 1


def test_only_the_pictures_in_view_are_sent(form: Locator, page: Page, sandbox: anb.Sandbox):
    client = sandbox.client()
    many = {"image_urls": [URL], "prompt_attributes": {"num_images": 4}}
    row = anb.submit(anb.Tune(pack=260, title="many", name="woman", **many), client)
    sandbox.advance(3600)
    assert (anb.wait(row, client, until="prompts", poll=0.1)["status"] == "trained").all()
    before = len(sandbox.ledger)
    lab.run_cells(page, 2, 3)
    cell = page.locator(".jp-Cell").nth(2)
    expect(summary(cell)).to_have_text("156 pictures")
    expect(tiles(cell)).to_have_count(156)
    expect(tiles(cell).first.locator("img")).to_be_visible()
    page.wait_for_timeout(1000)
    fetched = [request for request in sandbox.ledger[before:] if request.path.startswith("/pictures/")]
    assert len(fetched) <= 24 + 40  # those of the saved file, and those in view
    assert tiles(cell).locator("img").count() <= 40
    cell.locator(".astria-pictures-grid").scroll_into_view_if_needed()
    frames = page.evaluate(lab.SCROLL, ".jp-Cell:nth-of-type(3) .astria-pictures-grid")
    assert len(frames) > 20  # how long they take, tests/benchmarks/gallery.py measures
    expect(tiles(cell).last.locator("img")).to_be_visible()


def test_two_tunes_are_compared_by_keyboard(form: Locator, page: Page, sandbox: anb.Sandbox):
    client = sandbox.client()
    anb.submit(
        anb.Tune(pack=797, title="not mine", name="cat", image_urls=[URL], prompt_ids=[797001]), client
    )
    sandbox.advance(3600)
    lab.run_cells(page, 3, 4)
    cell = page.locator(".jp-Cell").nth(3)
    expect(cell.get_by_role("columnheader")).to_have_text(
        [re.compile("^Template"), re.compile("^not mine"), re.compile("^mine")]
    )
    rows = cell.locator("tbody tr:visible")  # the saved copy beside the widget is hidden
    expect(rows).to_have_count(16)
    expect(rows.first.locator("td img")).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("no picture 2")
    cell.locator("td").first.locator(".astria-pictures-frame").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Picture 2 of 17 · mine")
    expect(dialog.locator("img")).to_have_js_property("naturalWidth", 896)
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("dialog", name="Picture 1 of 17 · not mine")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("dialog", name="Picture 3 of 17 · mine")).to_be_visible()
    page.keyboard.press("Escape")
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        lab.change_theme(page, theme)
        assert lab.violations(page, ".jp-Cell:nth-of-type(4) .astria-pictures") == []
    page.evaluate(TOGGLE_SIDE_BAR)
    page.set_viewport_size({"width": 480, "height": 1400})
    try:
        table = cell.locator(".astria-pictures-comparison")
        # Two tunes are side by side, and more are reached by scrolling.
        assert table.evaluate("area => area.scrollWidth <= area.clientWidth")
        page.set_viewport_size({"width": 400, "height": 1400})
        scrolled, beside = table.evaluate("""area => {
            area.scrollLeft = 999;
            const left = node => node.getBoundingClientRect().left;
            return [area.scrollLeft, left(area.querySelector('tbody th')) - left(area)]; }""")
        assert scrolled > 0
        assert beside == 0  # the template stays in sight
    finally:
        page.set_viewport_size({"width": 1180, "height": 1400})
        page.evaluate(TOGGLE_SIDE_BAR)


def test_once_the_kernel_is_shut_down_the_copies_take_the_place_of_the_widgets(page: Page, form: Locator):
    lab.shut_down(page)
    expect(form).to_be_hidden()
    expect(page.locator(".astria-saved:visible").first).to_contain_text("Run this cell")


def test_its_benchmark_prints_its_figures(
    page: Page, address: str, folder: Path, capsys: pytest.CaptureFixture[str]
):
    lab.shut_down(page)
    benchmark.measure(page, address, folder, tunes=1, pictures=2, seconds=0)
    printed = capsys.readouterr().out
    assert "Gallery(16 pictures" in printed
    assert "all 16 copies made in" in printed
    assert re.search(r"second scroll: [1-9]\d* frames, median [\d.]+ of", printed)
