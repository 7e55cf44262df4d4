"""The progress of a batch, in a cell that runs: what it shows, and that Cancel reaches the kernel."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import astria_nb as anb
import helpers.jupyterlab as lab

BATCH = """
import astria_nb as anb, pandas as pd
client = anb.Client(api_key={key!r}, base_url={url!r})
tunes = pd.DataFrame({{"key": range(200), "pack": 797, "name": "cat"}})
tunes["image_urls"] = [[f"https://example.com/{{number}}.jpg"] for number in range(200)]
rows = anb.submit_many(tunes, client, max_workers=2, log=anb.ExperimentLog("batch.sqlite"))
print("RETURNED", len(rows), rows["state"].eq("done").sum())
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox() as running:
        yield running


def test_cancel_works_while_the_cell_runs_and_the_file_says_what_became_of_it(
    tab: Page, address: str, folder: Path, sandbox: anb.Sandbox
):
    sandbox.fail("slow", "POST /p/*/tunes", count=None, seconds=0.3)
    lab.write_notebook(folder / "batch.ipynb", BATCH.format(key=sandbox.api_key, url=sandbox.url))
    lab.open_notebook(tab, address, "batch.ipynb")
    tab.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); return true; }")
    widget = tab.locator(".astria-batch")
    expect(widget).to_contain_text(re.compile(r"200 tunes · about \$"))
    expect(widget.locator(".astria-batch-text")).to_contain_text(
        re.compile(r"[1-9]\d* of 200 done · \d under way · \d+ waiting .*\$")
    )
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        lab.change_theme(tab, theme)
        assert lab.violations(tab, ".astria-batch") == []
    cancel = widget.get_by_role("button", name="Cancel")
    cancel.focus()
    tab.keyboard.press("Enter")
    expect(widget.get_by_role("status")).to_contain_text(
        re.compile(r"Cancelled\. \d+ of 200 done · 1\d\d not sent · \$[\d.,]+\. The same call continues")
    )
    lab.await_idle(tab)
    printed = tab.get_by_text(re.compile(r"RETURNED 200 \d+")).inner_text()
    made = sum(len(request.tune_ids) for request in sandbox.ledger)
    assert int(printed.split()[-1]) == made < 100
    tab.evaluate("""async () => {
        await window.jupyterapp.commands.execute('docmanager:save'); return true; }""")
    saved = json.loads((folder / "batch.ipynb").read_text("utf-8"))["cells"][0]["outputs"]
    assert saved[0]["data"]["text/plain"] in ("Submitting:", ["Submitting:"])
    assert f"Cancelled. {made} of 200 done" in "".join(saved[1]["data"]["text/html"])
    sandbox.heal()
    lab.shut_down(tab)
