#!/usr/bin/env bash
# axe-core 4.12.1 (axe-playwright-python 0.1.8) and JupyterLab's page: text is never checked for contrast.
#
# Expected: light grey text on white is a violation of color-contrast, wherever on the page it is seen.
# Seen with Chromium on Linux: JupyterLab's body has `overflow: hidden`, and all that it holds is positioned absolutely,
# so that the body is 0 px high. axe takes what is in a box of no size that hides its overflow for hidden, and reports
# the text under neither violations nor incomplete: a test that asks for no violations passes with any colours. Once the
# body has a height, the same text is a violation. axe-core 4.4.3, of axe-playwright-python 0.1.4, reports it in both.
set -euo pipefail
browser=$(command -v chromium-headless-shell || command -v chromium || command -v google-chrome) || {
    echo "needs an installed Chromium or Chrome"
    exit 1
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/contrast.py" <<'P'
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

PAGE = """<!doctype html><html lang="en"><title>t</title>
<body style="margin: 0; overflow: hidden; HEIGHT">
<main style="position: absolute; inset: 0; background: white">
<p style="color: #bbb">This text has a contrast of 1.9 to 1.</p></main></body></html>"""
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=sys.argv[1], args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page()
    for height in ("", "height: 100vh"):
        page.set_content(PAGE.replace("HEIGHT", height))
        found = Axe().run(page).response
        print(page.evaluate("document.body.offsetHeight") > 0, [
            kind for kind in ("violations", "incomplete")
            if any(rule["id"] == "color-contrast" for rule in found[kind])
        ])
P
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q axe-playwright-python==0.1.8 playwright==1.65.2
seen=$("$folder/venv/bin/python" "$folder/contrast.py" "$browser")
printf '%s\n' "$seen"
[ "$seen" = "False []
True ['violations']" ]
