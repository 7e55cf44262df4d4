"""Take the README's picture: the first notebook's form in JupyterLab.

python tests/pictures/take.py [PICTURE.png] [--dark] [--submitted]
"""

import argparse
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import lab  # noqa: E402  it lies beside the tests
from astria_nb.cli import copy_notebooks  # noqa: E402

THEME = """async theme => {
    await window.jupyterapp.commands.execute('apputils:change-theme', {theme}); return true; }"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("picture", nargs="?", type=Path, default=HERE / "form.png")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--submitted", action="store_true")
    options = parser.parse_args()
    browser = lab.find_browser()
    if browser is None:
        sys.exit("needs an installed Chromium or Chrome")
    with tempfile.TemporaryDirectory() as name:
        folder, private = Path(name) / "notebooks", Path(name) / "private"
        private.mkdir()
        first = copy_notebooks(folder)
        with lab.serving(folder, private) as address, lab.browsing(browser) as running:
            page = running.new_page(viewport={"width": 1180, "height": 1150})
            lab.open_notebook(page, address, first)
            if options.dark:
                page.evaluate(THEME, "JupyterLab Dark")
            page.evaluate(
                "async () => { await window.jupyterapp.commands.execute('application:toggle-left-area');"
                " return true; }"
            )
            lab.run_cells(page, 0, 4)
            form = page.locator(".astria-form")
            form.locator(".astria-tile img").nth(3).wait_for()
            if options.submitted:
                form.get_by_role("button", name="Submit").click()
                form.locator(".astria-row table").wait_for()
            form.get_by_text("Train a tune").scroll_into_view_if_needed()
            page.evaluate("""() => { const form = document.querySelector('.astria-form');
                form.closest('.jp-Cell').scrollIntoView({block: 'start'}); return true; }""")
            page.wait_for_timeout(1000)
            page.screenshot(path=options.picture)
            lab.shut_down(page)


if __name__ == "__main__":
    main()
