"""The site is built without a warning, its links lead somewhere, and each page fits a narrow screen."""

import inspect
import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from PIL import Image
from playwright.sync_api import Browser

import astria_nb as anb
from helpers.paths import ROOT

WIDTHS = (1280, 480)  # pixels


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (command,) = re.findall(r"sphinx-build (.*) build/site", (ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    build = [sys.executable, "-m", "sphinx", *command.split(), "-q", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


class Links(HTMLParser):
    """The addresses that a page leads to, and the places on it that others may lead to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets, self.anchors = list[str](), {"", "top"}
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value and not re.match(r"[a-z]+:", value):
                self.targets.append(value)


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = {page.name: page.read_text("utf-8") for page in site.rglob("*.html")}
    remote = re.compile(r'<(?:script|link|img)[^>]* (?:src|href)="https?:[^"]*"')
    assert {name: tags for name, text in pages.items() if (tags := remote.findall(text))} == {}


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {page: Links(page) for page in site.rglob("*.html")}
    dead = []
    for page, links in pages.items():
        for target in links.targets:
            path, anchor = urldefrag(unquote(target.partition("?")[0] if "#" not in target else target))
            to = (page.parent / path).resolve() if path else page
            if not to.is_file() or (to in pages and anchor not in pages[to].anchors):
                dead.append((page.relative_to(site).as_posix(), target))
    assert dead == []
    assert len(pages) > 30


def test_every_public_name_is_explained_with_its_parameters(site: Path) -> None:
    text = "".join(page.read_text("utf-8") for page in (site / "docs" / "reference").glob("*.html"))
    names = {f"astria_nb.{name}" for name in anb.__all__}
    for name in anb.__all__:
        value = getattr(anb, name)
        if inspect.isclass(value):
            public = {member for member in vars(value) if not member.startswith("_")}
            names |= {f"astria_nb.{name}.{member}" for member in public}
    assert {name for name in names if f'id="{name}"' not in text} == set()
    # Of the text "The address: use it in a tune" of a property, the first half would be shown as its type.
    types = re.findall(r'Type<span class="colon">:</span></dt>\s*<dd[^>]*><p>(.*?)</p>', text, re.DOTALL)
    assert [name for name in types if len(re.sub("<[^>]*>", "", name).split()) > 3] == []
    assert len(types) > 10


def test_the_plot_of_the_figures_follows_the_switch_of_the_page(site: Path, browser: Browser) -> None:
    tab = browser.new_page(color_scheme="light")
    tab.goto((site / "docs" / "figures.html").as_uri(), wait_until="load")
    grounds = []
    for theme in ("light", "dark"):
        tab.evaluate("theme => { document.body.dataset.theme = theme }", theme)
        picture = Image.open(io.BytesIO(tab.locator("img[src$='.svg']").first.screenshot())).convert("L")
        grounds.append(max(picture.getcolors())[1])
    tab.close()
    assert grounds[0] > 200 > 50 > grounds[1]


def test_each_page_fits_wide_and_narrow_screens(site: Path, browser: Browser) -> None:
    wider = []
    tab = browser.new_page()
    for page in sorted(site.rglob("*.html")):
        if page.parent.name in ("docs", "how-to", "reference", "notebooks"):
            tab.goto(page.as_uri(), wait_until="domcontentloaded")
            for width in WIDTHS:
                tab.set_viewport_size({"width": width, "height": 900})
                if tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    wider.append((width, page.name))
    tab.close()
    assert wider == []
