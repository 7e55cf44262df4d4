"""JupyterLab in a browser: one server and one page for all tests; for each file of them, a folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import helpers.jupyterlab as lab

_BROWSER = lab.find_browser()
# Playwright's own five seconds are for a machine that does nothing else.
expect.set_options(timeout=60_000)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each test of this folder."""
    item.add_marker("browser")


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Where JupyterLab serves from, and its address."""
    root = tmp_path_factory.mktemp("notebooks")
    with lab.serving(root, tmp_path_factory.mktemp("private")) as address:
        yield root, address


@pytest.fixture(scope="module")
def folder(server: tuple[Path, str], request: pytest.FixtureRequest) -> Path:
    """An empty folder, served."""
    folder = server[0] / request.module.__name__.rpartition(".")[2]
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def address(server: tuple[Path, str], folder: Path) -> str:
    """The address of a notebook in the folder, but for its name."""
    return server[1].format(f"{folder.name}/{{}}")


@pytest.fixture(scope="package")  # for Playwright's event loop would be in the way of others
def browser(server: tuple[Path, str]) -> Iterator[Browser]:
    assert _BROWSER is not None, "no Chromium or Chrome: apt-get install chromium-headless-shell"
    with lab.browsing(_BROWSER) as running:
        yield running


@pytest.fixture(scope="package")
def tab(browser: Browser) -> Page:
    """A page for all tests: JupyterLab is loaded once, which takes longer than most tests."""
    context = browser.new_context(
        viewport={"width": 1180, "height": 1400}, permissions=["clipboard-read", "clipboard-write"]
    )
    return context.new_page()
