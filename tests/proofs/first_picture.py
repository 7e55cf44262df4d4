"""How long it takes, and how many clicks, from `astria-nb lab` to the first picture, in a real browser.

Run ``python tests/proofs/first_picture.py``. It starts the command in an empty folder, opens the address that
it prints, and does what the first notebook says: a click into its first cell, and Shift+Enter for each cell,
when the one before has ended; then the same by the menu, *Run all cells*. The time begins with the command.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import helpers.jupyterlab as lab  # noqa: E402

SECONDS, CLICKS = 60, 6  # promised
IDLE, RUNNING = ".jp-Notebook-ExecutionIndicator[data-status=idle]", '.jp-InputPrompt:text("[*]") >> nth=0'
PICTURE = ".astria-pictures img >> visible=true"


def by_keyboard(page: Page) -> tuple[int, int]:
    """Return clicks and keys until there is a picture."""
    page.locator(".jp-Notebook .jp-Cell").first.click()
    keys = 0
    while not page.locator(PICTURE).count():
        page.locator(IDLE).wait_for(timeout=SECONDS * 1000)
        page.locator(RUNNING).wait_for(state="detached", timeout=SECONDS * 1000)
        page.keyboard.press("Shift+Enter")
        keys += 1
    return 1, keys


def by_menu(page: Page) -> tuple[int, int]:
    """Return clicks and keys until there is a picture."""
    # Before the kernel answers, JupyterLab runs nothing, and says nothing of it.
    page.get_by_text("| Idle").wait_for(timeout=SECONDS * 1000)
    page.locator(".lm-MenuBar-item").get_by_text("Run", exact=True).click()
    page.locator(".lm-Menu-item").get_by_text("Run All Cells", exact=True).click()
    page.locator(PICTURE).first.wait_for(timeout=SECONDS * 1000)
    return 2, 0


def main() -> int:
    late = 0
    for way in (by_keyboard, by_menu):
        with tempfile.TemporaryDirectory() as name:
            environment = {**os.environ, "JUPYTER_RUNTIME_DIR": f"{name}/runtime", "HOME": name}
            started = time.monotonic()
            command = [sys.executable, "-m", "astria_nb.cli", "lab", "--no-browser"]
            with subprocess.Popen(
                command, cwd=name, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
            ) as process:
                try:
                    assert process.stdout
                    address = process.stdout.readline().strip()
                    page_after = time.monotonic() - started
                    with lab.browsing(lab.find_browser()) as browser:
                        page = browser.new_page(viewport={"width": 1280, "height": 900})
                        page.goto(address)
                        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=SECONDS * 1000)
                        clicks, keys = way(page)
                        seconds = time.monotonic() - started
                finally:
                    os.killpg(process.pid, signal.SIGTERM)
        print(
            f"{way.__name__}: the first picture after {seconds:.1f} s (its address: {page_after:.1f} s), "
            f"{clicks} clicks and {keys} keys; promised: {SECONDS} s, {CLICKS} clicks"
        )
        late += seconds > SECONDS or clicks > CLICKS
    return late


if __name__ == "__main__":
    sys.exit(main())
