"""A real JupyterLab in a real browser, for tests and for the pictures in the README."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import TimeoutError as TooLate

# The headless shell needs a third less of the processor than the whole browser.
_BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
_FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_IS_IDLE = """() => {
    const panel = window.jupyterapp?.shell.currentWidget;
    const session = panel?.sessionContext;
    return session?.isReady && session.session?.kernel?.status === 'idle';
}"""

# Closes what is open, and opens another notebook.
_OPEN = """async path => {
    const { commands, shell } = window.jupyterapp;
    for (const widget of [...shell.widgets('main')]) widget.dispose();
    await commands.execute('docmanager:open', { path });
    return true; }"""
_IS_SHOWN = """theme => {
    const colour = getComputedStyle(document.body).getPropertyValue('--jp-layout-color0').trim();
    const isLight = theme.endsWith('Light');
    return document.body.dataset.jpThemeName === theme && (colour === 'white') === isLight; }"""
# The parts of a form that scripts draw, each by what it has once it shows what Python told it.
_DRAWN_BY_SCRIPTS = [".astria-drop", ".astria-images-summary:not(:empty)", ".astria-request [role=tab]"]
_IS_DRAWN = """selectors => [...document.querySelectorAll('.astria-form')].every(
    form => selectors.every(selector => form.querySelector(selector)))"""
_IS_OPEN = "path => window.jupyterapp?.shell.currentWidget?.context?.path === path"

# Scrolls what a selector finds to its end, as a hand does, and returns the milliseconds of each frame.
SCROLL = """async selector => {
    const scrolled = document.querySelector(selector);
    const frames = [];
    let before = await new Promise(requestAnimationFrame);
    while (scrolled.scrollTop + scrolled.clientHeight < scrolled.scrollHeight - 1) {
        scrolled.scrollTop += 120;
        const now = await new Promise(requestAnimationFrame);
        frames.push(now - before);
        before = now;
    }
    return frames; }"""


# What a notebook is shown without. Each page then loads with a quarter less of the processor.
_UNUSED_EXTENSIONS = (
    "celltags",
    "csvviewer",
    "debugger",
    "extensionmanager",
    "help",
    "htmlviewer",
    "hub",
    "imageviewer",
    "inspector",
    "json",
    "launcher",
    "logconsole",
    "lsp",
    "markdownviewer",
    "mermaid",
    "metadataform",
    "pdf",
    "pluginmanager",
    "running",
    "settingeditor",
    "terminal",
    "toc",
    "vega5",
    "workspaces",
)
_UNUSED_SERVERS = ("jupyter_lsp", "jupyter_server_terminals")

# JupyterLab starts a second earlier without the grammars that jsonschema builds for the format "iri".
_JUPYTERLAB = """
import sys
sys.modules["rfc3987_syntax"] = None
from jupyterlab.labapp import main
main()"""

_KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def find_browser() -> str | None:
    """Return the path of an installed Chromium or Chrome, or None."""
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


def write_notebook(path: Path, *cells: str) -> None:
    """Write a notebook of code."""
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(each) for each in cells], metadata=_KERNEL
    )
    nbformat.write(made, path)


@contextmanager
def serving(folder: Path, private: Path) -> Iterator[str]:
    """Run JupyterLab on a folder and yield its address; nobody's own settings are read or written."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("ASTRIA_", "JUPYTER_")) or key == "JUPYTER_PATH"
    }
    environment |= {
        f"JUPYTER_{name}_DIR": str(private / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")
    } | {"IPYTHONDIR": str(private / "ipython")}
    command = [sys.executable, "-c", _JUPYTERLAB, "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += [f"--port={port}", "--port-retries=0", f"--IdentityProvider.token={token}"]
    command += ["--JupyterNotebookApp.expose_app_in_browser=True"]
    _configure(private / "config")
    with (private / "lab.log").open("wb") as log:
        lab = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _await(url, token, lab)
        yield f"{url}/lab/tree/{{}}?token={token}&reset"
    finally:
        lab.terminate()
        lab.wait(30)


def elsewhere(address: str, application: str) -> str:
    """Return the address of the same notebooks in another application, such as ``voila/render``."""
    return address.replace("/lab/tree/", f"/{application}/").removesuffix("&reset")


@contextmanager
def browsing(executable: str) -> Iterator[Browser]:
    """Run a headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def open_notebook(page: Page, address: str, name: str) -> None:
    """Open a notebook and wait until its kernel is ready; in a page with JupyterLab, in place of others."""
    url = address.format(name)
    path = url.partition("/lab/tree/")[2].partition("?")[0]
    if page.evaluate("() => 'jupyterapp' in window"):
        page.evaluate(_OPEN, path)
        with suppress(TooLate):  # on a busy machine it may ask something, and open nothing more
            await_condition(page, _IS_OPEN, path)
            await_idle(page)
            return
    page.goto(url)
    await_condition(page, _IS_OPEN, path)
    await_idle(page)


def await_idle(page: Page) -> None:
    """Wait until the kernel has nothing to do."""
    await_condition(page, _IS_IDLE)


def await_condition(page: Page, script: str, argument: Any = None) -> None:
    """Wait until a function of the page returns something true.

    It is called ten times a second; Playwright's default is once a frame, and has the page draw all of them.
    """
    page.wait_for_function(script, arg=argument, timeout=60_000, polling=100)


def load_again(page: Page, selector: str) -> None:
    """Load the page again, and wait until a widget of its kernel is there."""
    for _ in range(2):
        page.reload()
        await_idle(page)
        try:
            page.wait_for_selector(selector, timeout=20_000)
        except TooLate:
            # JupyterLab gives a kernel four seconds to tell of all its widgets, which a busy machine may not
            # keep; whoever sits before it loads the page once more.
            continue
        return
    raise AssertionError(f"{selector} is not there after two loads of the page")


def shut_down(page: Page) -> None:
    """End the open notebook's kernel."""
    page.evaluate("""async () => {
        await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); return true; }""")


def restart_kernel(page: Page) -> None:
    """Start the open notebook's kernel anew, and wait until it is ready."""
    await_idle(page)  # JupyterLab waits for ever for one that is restarted while it is still connecting
    page.evaluate("""async () => {
        await window.jupyterapp.shell.currentWidget.sessionContext.restartKernel(); return true; }""")
    await_idle(page)


def run_cells(page: Page, start: int, stop: int) -> None:
    """Run the cells of the open notebook from one number to before another; those of text count."""
    page.evaluate(
        """at => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = at; return true; }""",
        start,
    )
    for _ in range(start, stop):
        page.evaluate("""async () => {
            await window.jupyterapp.commands.execute('notebook:run-cell-and-select-next'); return true; }""")
    await_idle(page)


def show_form(page: Page, start: int, stop: int) -> None:
    """Run cells of which the last one displays a form, and wait until its scripts have drawn their parts.

    The text that Python makes is there before.
    """
    run_cells(page, start, stop)
    await_condition(page, _IS_DRAWN, _DRAWN_BY_SCRIPTS)


def run_code(page: Page, code: str) -> str:
    """Run code in the open notebook's kernel, beside its cells, and return what it printed."""
    printed: str = page.evaluate(
        """async code => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const future = kernel.requestExecute({code, store_history: false});
            let text = '';
            future.onIOPub = ({header, content}) => {
                if (header.msg_type === 'stream') text += content.text;
                if (header.msg_type === 'error') text += content.traceback.join('\\n');
            };
            await future.done;
            return text; }""",
        code,
    )
    return printed


def change_theme(page: Page, theme: str) -> None:
    """Let JupyterLab be light or dark, and wait until it is: its colours come later than its name."""
    page.evaluate(
        """async theme => {
            await window.jupyterapp.commands.execute('apputils:change-theme', {theme}); return true; }""",
        theme,
    )
    await_condition(page, _IS_SHOWN, theme)


def violations(page: Page, selector: str) -> list[str]:
    """Return what keeps people out of a part of the page, by axe's own rules for serious and critical."""
    # JupyterLab's body has no height, so axe takes what is in it for hidden, and compares no colours.
    page.evaluate("() => { document.body.style.minHeight = '100vh'; return true; }")
    axe = Axe("true") if page.evaluate("() => 'axe' in window") else Axe()
    options = {"resultTypes": ["violations"], "preload": False}  # style sheets, for rules that are off
    results: Any = axe.run(page, context=selector, options=options).response
    return [
        f"{violation['id']}: {node['html']} {node['failureSummary']}"
        for violation in results["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def _configure(config: Path) -> None:
    """Turn off the search for news on the internet, and what no test uses."""
    folder = config / "labconfig"
    folder.mkdir(parents=True)
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    (folder / "default_setting_overrides.json").write_text(json.dumps(quiet))
    servers = {"ServerApp": {"jpserver_extensions": dict.fromkeys(_UNUSED_SERVERS, False)}}
    (config / "jupyter_server_config.json").write_text(json.dumps(servers))
    (folder / "page_config.json").write_text(
        json.dumps(
            {
                "disabledExtensions": {f"@jupyterlab/{name}-extension": True for name in _UNUSED_EXTENSIONS},
                "buildAvailable": False,
                "buildCheck": False,  # by Node, each time that a page is loaded
            }
        )
    )


def _await(url: str, token: str, lab: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if lab.poll() is not None:
            raise RuntimeError(f"JupyterLab ended with status {lab.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/api/status?token={token}", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("JupyterLab did not answer within a minute")
