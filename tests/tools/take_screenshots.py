"""Take the screenshots for the README and the notebooks, of the first notebook's form and of a comparison.

python tests/tools/take_screenshots.py [FOLDER]
"""

import argparse
import io
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import helpers.jupyterlab as lab  # noqa: E402
from astria_nb.cli import copy_notebooks  # noqa: E402

ONLY_THE_NOTEBOOK = """() => { window.jupyterapp.shell.collapseLeft(); return true; }"""
TO_THE_TOP = """part => { part.closest('.jp-Cell').scrollIntoView({block: 'start'}); }"""
SLOW = """
import time
from astria_nb.results.downloads._fetcher import Fetcher
fetch = Fetcher.fetch
Fetcher.fetch = lambda *arguments: (time.sleep(0.8), fetch(*arguments))[1]
"""  # as pictures of a real service
COMPARISON = 22  # the cell of `watch.ipynb`


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=HERE.parents[1] / "notebooks" / "pictures")
    folder = parser.parse_args().folder
    with opened() as (page, address):
        show(page, address, "02_image_urls.ipynb")  # nobody runs it
        copy = page.locator(".astria-saved").first
        copy.locator("img").last.wait_for(timeout=60_000)
        save(copy, folder / "reopened.png", height=620)
        lab.shut_down(page)

        show(page, address, "01_multipart.ipynb")
        lab.run_cells(page, 0, 5)
        form = page.locator(".astria-form")
        form.locator(".astria-tile img").nth(3).wait_for()
        save(form, folder / "form.png")

        form.get_by_role("button", name="Browse packs").click()
        form.get_by_role("option").nth(2).locator("img").wait_for()
        save(form, folder / "packs.png", height=640)
        page.keyboard.press("Escape")

        form.get_by_text("Request · cURL").click()
        form.get_by_role("tabpanel").get_by_text("curl").wait_for()
        save(form, folder / "request.png")
        form.get_by_text("Request · cURL").click()

        lab.change_theme(page, "JupyterLab Dark")
        form.get_by_role("button", name=re.compile("^Submit")).click()
        form.locator(".astria-pictures-tile:nth-child(-n + 10) img").nth(9).wait_for(timeout=60_000)
        save(form, folder / "pictures.png", top=form.locator(".astria-submit-bar"), height=600)

        gallery = form.locator(".astria-pictures")
        gallery.get_by_text("35 pictures", exact=True).wait_for(timeout=60_000)
        lab.run_code(page, SLOW)
        gallery.get_by_role("button", name="Download all").click()
        gallery.get_by_text(re.compile(r"^1\d of 35 pictures")).wait_for(timeout=60_000)
        save(gallery, folder / "download.png", height=420, wait=0)
        lab.shut_down(page)

        show(page, address, "watch.ipynb")
        lab.run_cells(page, 0, COMPARISON + 1)
        comparison = page.locator(".astria-pictures").filter(has=page.locator("table"))
        comparison.locator("td img").nth(5).wait_for()
        save(comparison, folder / "comparison.png", height=560)
        lab.shut_down(page)

        batch(page, address, folder)
        tunes(page, address, folder)


def show(page: Page, address: str, name: str) -> None:
    """Open a notebook, without the list of files beside it."""
    lab.open_notebook(page, address, name)
    page.evaluate(ONLY_THE_NOTEBOOK)


def tunes(page: Page, address: str, folder: Path) -> None:
    """Take the picture of the form's list of existing tunes."""
    show(page, address, "existing_tunes.ipynb")
    lab.run_cells(page, 0, 13)
    form = page.locator(".astria-form")
    form.get_by_text("Existing tunes instead of photos").click()
    form.get_by_role("button", name="Browse tunes").click()
    form.get_by_role("option").nth(1).locator("img").wait_for(timeout=60_000)
    section = form.get_by_text("Existing tunes instead of photos")
    save(form, folder / "tunes.png", top=section, height=420)
    lab.shut_down(page)


def batch(page: Page, address: str, folder: Path) -> None:
    """Take the picture of a batch on its way."""
    show(page, address, "batch.ipynb")
    lab.run_cells(page, 0, 4)
    lab.run_code(page, 'sandbox.fail("slow", "POST /p/*/tunes", count=None, seconds=2)')
    page.evaluate("""() => {
        window.jupyterapp.shell.currentWidget.content.activeCellIndex = 10;
        window.jupyterapp.commands.execute('notebook:run-cell'); return true; }""")
    progress = page.locator(".astria-batch")
    progress.get_by_text(re.compile("8 of 18 done .* left")).wait_for(timeout=60_000)
    save(progress, folder / "batch.png", wait=0)
    lab.await_idle(page)


@contextmanager
def opened() -> Iterator[tuple[Page, str]]:
    """Yield a page that shows nothing but the notebook, and the address of the notebooks."""
    browser = lab.find_browser()
    if browser is None:
        sys.exit("needs an installed Chromium or Chrome")
    with tempfile.TemporaryDirectory() as name:
        folder, private = Path(name) / "notebooks", Path(name) / "private"
        private.mkdir()
        copy_notebooks(folder)
        with lab.serving(folder, private) as address, lab.browsing(browser) as running:
            page = running.new_page(viewport={"width": 1180, "height": 1500})
            yield page, address
            lab.shut_down(page)


def save(
    form: Locator, path: Path, top: Locator | None = None, height: int | None = None, wait: float = 1000
) -> None:
    """Save the form as it is seen, or a part of it, with as many colours as a screen needs."""
    form.evaluate(TO_THE_TOP)
    form.page.wait_for_timeout(wait)
    with Image.open(io.BytesIO(form.screenshot())) as picture:
        above = 0 if top is None else round(_top(top) - _top(form))
        below = picture.height if height is None else above + height
        shown = picture.convert("RGB").crop((0, above, picture.width, below))
        shown.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def _top(part: Locator) -> float:
    box = part.bounding_box()
    assert box is not None
    return box["y"]


if __name__ == "__main__":
    main()
