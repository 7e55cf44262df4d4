"""A notebook that is opened again, or made a page: form, row and pictures are there without a kernel."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter, MarkdownExporter, SlidesExporter
from playwright.sync_api import Browser, Page, expect

import astria_nb as anb
import helpers.jupyterlab as lab

URL = "https://example.com/1.jpg"
SAVE = """async state => {
    const {commands} = window.jupyterapp;
    if (state) await commands.execute('@jupyter-widgets/jupyterlab-manager:saveWidgetState');
    await commands.execute('docmanager:save');
    return true; }"""
TWO_IN_A_ROW = """() => {
    const images = [...document.querySelectorAll('.jp-Cell:nth-of-type(2) .astria-saved img')];
    const [first, second, third] = images.map(image => image.getBoundingClientRect().top);
    return first === second && second < third; }"""
NARROW = """async () => {
    const app = window.jupyterapp;
    if (!app.shell.leftCollapsed) await app.commands.execute('application:toggle-left-area');
    return true; }"""
EMBEDDED = '<img src="data:image/jpeg;base64,'


@pytest.fixture(scope="module")
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(speed=300) as running:
        yield running


@pytest.fixture(scope="module")
def saved(tab: Page, address: str, folder: Path, sandbox: anb.Sandbox) -> Path:
    """The folder with ``results.ipynb`` as saved, and with the state of its widgets as ``state.ipynb``."""
    form = (
        f"import astria_nb as anb\nclient = anb.Client({sandbox.api_key!r}, base_url={sandbox.url!r})\n"
        "form = anb.TuneForm(client, log=anb.ExperimentLog('log.sqlite'), title='$5 or $9', pack=797,"
        f" name='cat', image_urls=[{URL!r}])\nform"
    )
    nested = "import ipywidgets\nipywidgets.VBox([anb.gallery(form.row, client)])"
    lab.write_notebook(folder / "results.ipynb", form, "anb.gallery(form.row, client)", nested)
    page, size = tab, tab.viewport_size
    assert size is not None
    page.set_viewport_size({"width": 1180, "height": 2400})  # all galleries are in view
    lab.open_notebook(page, address, "results.ipynb")
    lab.run_cells(page, 0, 1)
    shown = page.locator(".astria-form")
    shown.get_by_role("button", name=re.compile("^Submit")).click()
    expect(shown.locator(".astria-row table")).to_be_visible()
    lab.run_cells(page, 1, 3)  # long before the pictures
    for gallery in page.locator(".astria-pictures").all():
        expect(gallery.locator(".astria-pictures-summary")).to_have_text("8 pictures", timeout=60_000)
    # The copies are in the notebook, and hidden beside the widgets.
    expect(page.locator(".astria-saved img")).to_have_count(16, timeout=60_000)
    for copy in page.locator(".astria-saved").all():
        expect(copy).to_be_hidden()
    page.evaluate(SAVE, False)
    plain = (folder / "results.ipynb").read_bytes()
    page.evaluate(SAVE, True)
    (folder / "state.ipynb").write_bytes((folder / "results.ipynb").read_bytes())
    (folder / "results.ipynb").write_bytes(plain)
    lab.restart_kernel(page)
    expect(page.locator(".astria-saved").first).to_be_visible()
    expect(shown).to_be_hidden()
    lab.shut_down(page)
    page.set_viewport_size(size)
    return folder


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1180, "height": 2400})
    yield page
    page.close()


@pytest.fixture(scope="module")
def later(browser: Browser, saved: Path) -> Iterator[Page]:
    """JupyterLab as loaded on another day: it has not seen the widgets that made the notebooks."""
    page = browser.new_page(viewport={"width": 1180, "height": 2400})
    yield page
    page.close()


def test_the_saved_file_has_the_latest_state(saved: Path):
    notebook = nbformat.read(saved / "results.ipynb", 4)
    nbformat.validate(notebook)
    form, gallery, _ = (cell.outputs for cell in notebook.cells[:3])
    for outputs in (form, gallery):
        widget, copy = outputs
        assert "application/vnd.jupyter.widget-view+json" in widget.data
        assert copy.data["text/html"].count(EMBEDDED) == 8
        assert "pending" not in str(outputs)
    assert "<td>trained</td>" in form[1].data["text/html"]
    assert (saved / "results.ipynb").stat().st_size < 600_000


@pytest.mark.parametrize("name", ["results.ipynb", "state.ipynb"])
def test_opened_again_everything_is_there(later: Page, address: str, name: str):
    page = later
    lab.open_notebook(page, address, name)
    form, gallery = page.locator(".astria-saved").all() if _await_copies(page, 2) else []
    expect(form).to_contain_text("Created tune 1000001")
    expect(form).to_contain_text("Run this cell")
    expect(form.locator("table").filter(has_text="trained")).to_be_visible()
    for copy in (form, gallery):
        expect(copy.locator("img")).to_have_count(8)
        expect(copy.locator("img").last).to_be_visible()
        assert copy.locator("img").last.evaluate("image => image.naturalWidth") > 100
    expect(page.get_by_text("Error displaying widget").locator("visible=true")).to_have_count(
        0 if name == "state.ipynb" else 1  # the box around the third gallery
    )
    if name == "state.ipynb":  # the box has only its state
        nested = page.locator(".astria-pictures:visible")
        expect(nested).to_contain_text("This gallery has no kernel, so its buttons are off. Run the cell")
        expect(nested.locator("img:visible")).to_have_count(8)
        expect(nested.get_by_role("button", name="Like").first).to_be_disabled()
        # The form's gallery is hidden, so axe does not look at it.
        assert lab.violations(page, ".astria-pictures") == []
    assert lab.violations(page, ".astria-saved") == []
    expect(form.get_by_role("cell", name="$5 or $9")).to_have_count(2)  # no formula
    page.evaluate(NARROW)
    page.set_viewport_size({"width": 480, "height": 2400})
    lab.await_condition(page, TWO_IN_A_ROW)
    lab.shut_down(page)


def test_somebody_elses_notebook_shows_it_too(saved: Path, page: Page, address: str):
    notebook = nbformat.read(saved / "results.ipynb", 4)
    notebook.cells[0].source += "\n# signed by nobody"
    nbformat.write(notebook, saved / "untrusted.ipynb")
    page.goto(lab.elsewhere(address, "notebooks").format("untrusted.ipynb"))
    form, gallery = page.locator(".astria-saved").all() if _await_copies(page, 2) else []
    expect(form).to_contain_text("Created tune 1000001")
    expect(gallery.locator("img").last).to_be_visible()
    expect(page.get_by_text("Error displaying")).to_have_count(0)


@pytest.mark.parametrize("name", ["results.ipynb", "state.ipynb"])
@pytest.mark.parametrize("exporter", [HTMLExporter, SlidesExporter], ids=["html", "slides"])
def test_as_a_page_without_internet_the_pictures_are_there(
    saved: Path, page: Page, name: str, exporter: type
):
    body, _ = exporter().from_filename(saved / name)
    target = saved / f"{exporter.__name__}-{name}.html"
    target.write_text(body)
    page.route(re.compile("^https?:"), lambda route: route.abort())
    page.goto(target.as_uri())
    pictures = page.locator(".astria-saved img")
    expect(pictures).to_have_count(16)
    sizes = pictures.evaluate_all("images => images.map(image => image.naturalWidth)")
    assert min(sizes) > 100
    if exporter is HTMLExporter:
        expect(pictures.last).to_be_visible()


def test_as_markdown_the_pictures_are_there(saved: Path):
    body, _ = MarkdownExporter().from_filename(saved / "results.ipynb")
    assert body.count(EMBEDDED) == 16


def test_in_a_manual_of_sphinx_the_pictures_are_there(saved: Path, tmp_path: Path):
    (tmp_path / "conf.py").write_text("extensions = ['myst_nb']\nnb_execution_mode = 'off'\n")
    for source, name in (("results", "index"), ("state", "state")):
        notebook = nbformat.read(saved / f"{source}.ipynb", 4)
        notebook.cells.insert(0, nbformat.v4.new_markdown_cell("# Results"))
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    build = ["-q", "-b", "html", str(tmp_path), str(tmp_path / "pages")]
    subprocess.run([sys.executable, "-m", "sphinx", *build], check=True)
    for name in ("index", "state"):
        assert (tmp_path / "pages" / f"{name}.html").read_text().count(EMBEDDED) == 16


def _await_copies(page: Page, count: int) -> bool:
    expect(page.locator(".astria-saved")).to_have_count(count, timeout=60_000)
    expect(page.locator(".astria-saved").last).to_be_visible()
    return True


LINES = """cell => {
    const text = document.createRange();
    text.selectNodeContents(cell);
    return text.getClientRects().length; }"""  # of text without markup


def test_a_narrow_page_breaks_no_label_and_a_long_title_leaves_room(
    page: Page, sandbox: anb.Sandbox, tmp_path: Path
):
    title = "a title " + "w" * 200
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    form = anb.TuneForm(sandbox.client(), log=log, pack=797, name="cat", title=title, image_urls=[URL])
    form.submit()
    form._panel.training.stop()
    page.set_viewport_size({"width": 420, "height": 1300})
    page.set_content(form._saved_output._wrapped(form._copy.saved()))
    fields, row = page.locator("table").all()
    for label in fields.locator("th").all():
        assert label.evaluate(LINES) <= len(label.inner_text().split())
    cell = row.locator("td", has_text="a title")
    box = cell.bounding_box()
    assert box is not None
    assert box["width"] < 420
    assert cell.get_attribute("title") == title
