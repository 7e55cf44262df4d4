"""The form and the gallery in marimo, which shows anywidgets but no box of ipywidgets."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from helpers.waiting import PATIENCE

APP = """
import marimo
app = marimo.App()

@app.cell
def _():
    import astria_nb as anb
    client = anb.Sandbox(speed=300).start().client()
    form = anb.TuneForm(client, pack=797, name="cat", title="mine", image_urls=["https://example.com/1.jpg"])
    form
    return anb, client, form

@app.cell
def _(anb, client, form):
    anb.gallery(form.submit(), client)
    return
"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A form, and the gallery of its tune."""
    folder = tmp_path_factory.mktemp("marimo")
    (folder / "app.py").write_text(APP)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Its settings and its log are kept apart from those of whoever runs the tests.
    environment = {**os.environ, "HOME": str(folder), "ASTRIA_NB_LOG": str(folder / "log.sqlite")}
    command = [sys.executable, "-m", "marimo", "--quiet", "run", "app.py"]
    command += ["--headless", "--no-token", f"--port={port}"]
    with (folder / "marimo.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        _await(f"http://127.0.0.1:{port}/health", server)
        page = browser.new_page(viewport={"width": 1100, "height": 1600})
        page.goto(f"http://127.0.0.1:{port}")
        yield page
        page.close()
    finally:
        server.terminate()
        server.wait(PATIENCE)


def test_the_form_says_what_to_do_and_the_gallery_is_alive(page: Page):
    expect(page.get_by_text("marimo does not show the form's fields")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("https://example.com/1.jpg")).to_be_visible()
    # The form's gallery, and the one of the second cell.
    for gallery in page.locator(".astria-pictures").all():
        expect(gallery.locator(".astria-pictures-summary")).to_have_text("8 pictures", timeout=60_000)
    pictures = page.locator(".astria-pictures-tile img")
    expect(pictures.last).to_be_visible()
    page.get_by_role("button", name="Enlarge: ").first.click()
    dialog = page.get_by_role("dialog", name="Picture 1 of 8")
    expect(dialog.locator("img")).to_have_js_property("naturalWidth", 896)
    dialog.get_by_role("button", name="Close").click()
    assert page.get_by_text("Traceback").count() == 0


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, "marimo ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError("marimo did not answer within a minute")
