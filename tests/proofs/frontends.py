"""Fill in and submit the form in the widget managers of VS Code and Colab, which cannot be run here.

python tests/proofs/frontends.py vscode|colab [--pictures FOLDER]

The managers are the ones that the frontends use: the bundle of VS Code's Jupyter extension, and the base
manager of ipywidgets in the way that Colab's own manager uses it. They run in a headless Chromium, in a frame
of another origin inside a page that scrolls, as in the frontends, with a kernel of a Jupyter server. Needs
node, npm and axe-playwright-python; npm installs the pinned packages of `frontends/package.json` into a
folder that is deleted afterwards.
"""

import argparse
import mimetypes
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Error, Frame, Page, Route

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from frontend_steps import STEPS, THEMES, Visit, photos  # noqa: E402

import astria_nb as anb  # noqa: E402
import helpers.jupyterlab as lab  # noqa: E402

PAGES = HERE / "frontends"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("frontend", choices=THEMES)
    parser.add_argument("--pictures", type=Path, help="a folder for screenshots")
    options = parser.parse_args()
    browser = lab.find_browser()
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    missing += ["chromium"] if browser is None else []
    if browser is None or missing:
        sys.exit(f"needs {', '.join(missing)} on the PATH")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "private").mkdir()
        build(options.frontend, folder / "built")
        photos(folder / "notebooks")
        with (
            anb.Sandbox(speed=300, min_images=2) as sandbox,
            lab.serving(folder / "notebooks", folder / "private") as address,
            lab.browsing(browser) as running,
            opened(running, address, options.frontend, folder / "built") as (page, frame),
        ):
            visit = Visit(options.frontend, page, frame, sandbox, folder / "notebooks", options.pictures)
            return run(visit)


def run(visit: Visit) -> int:
    """Run the steps in order; return 1 at the first that fails, else 0."""
    for step in STEPS:
        name = step.__name__.replace("_", " ")
        try:
            step(visit)
        except (AssertionError, Error):
            print(f"failed: {name}\n{traceback.format_exc(limit=-2)}", flush=True)
            visit.screenshot("failed")
            return 1
        print(f"ok: {name}", flush=True)
    return 0


def build(frontend: str, folder: Path) -> None:
    """Install the packages and bundle the scripts of the page."""
    shutil.copytree(PAGES, folder)
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(["npm", "install", *quiet], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    sources = {"vscode": ["vscode.js"], "colab": ["colab.js", "colab.css", "bare.css"]}[frontend]
    esbuild = ["node", "node_modules/esbuild/bin/esbuild", *sources, "--bundle", "--format=esm"]
    options = ["--outdir=.", "--allow-overwrite", "--loader:.svg=dataurl", "--log-level=error"]
    subprocess.run([*esbuild, *options], cwd=folder, check=True)
    shutil.copy(folder / "node_modules" / "requirejs" / "require.js", folder)


@contextmanager
def opened(browser: Browser, address: str, frontend: str, built: Path) -> Iterator[tuple[Page, Frame]]:
    """Open the page that shows the output in a frame; its scripts have the server's origin."""
    url = urlsplit(address)
    environment = Path(sys.prefix) / "share" / "jupyter"

    def answer(route: Route) -> None:
        name = urlsplit(route.request.url).path.removeprefix("/proof/")
        path = environment / name if name.startswith("nbextensions/") else built / name
        if not path.is_file():
            route.fulfill(status=404)
            return
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        route.fulfill(body=path.read_bytes(), content_type=kind)

    page = browser.new_page(viewport={"width": 1180, "height": 1700})
    page.context.grant_permissions(
        ["local-network-access"]
    )  # a page from a route needs it to reach the server
    page.route("**/proof/**", answer)
    page.on("pageerror", lambda error: print(f"error in the page: {error}", flush=True))
    page.goto(f"{url.scheme}://{url.netloc}/proof/notebook.html?frontend={frontend}")
    frame = page.frame(name="output")
    assert frame is not None
    frame.wait_for_function("() => window.proof")
    (token,) = parse_qs(url.query)["token"]
    frame.evaluate("token => window.proof.start(token)", token)
    try:
        yield page, frame
    finally:
        frame.evaluate("() => window.proof.end()")


if __name__ == "__main__":
    sys.exit(main())
