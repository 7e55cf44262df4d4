#!/usr/bin/env bash
# anywidget 0.11.0: a widget whose script takes more than two seconds to load is shown, and never hears from Python.
#
# Expected: messages from Python that come before a widget's script is there wait for it, as those of the first two
# seconds do, and those that come after it arrive.
# Seen: two seconds after the widget was made, what messages wait for is rejected, for good. The script is loaded and
# draws the widget all the same, what the user does reaches Python, and each later message ends in "Failed to initialize
# model." On a busy page, or a slow computer, the script need not be slow itself: timers come before it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps anywidget==0.11.0
cp "$("$folder/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/anywidget/nbextension/index.js" "$folder"
cat >"$folder/late.mjs" <<'J'
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

process.on("unhandledRejection", () => {});
URL.createObjectURL = (blob) => blob.url; // Node imports no blob: URLs
globalThis.Blob = class { constructor([text]) { this.url = `data:text/javascript,${encodeURIComponent(text)}`; } };
console.debug = () => {};

class DOMWidgetModel {
  initialize({ _esm }) { this.state = { _esm, _anywidget_id: "demo" }; }
  get(name) { return this.state[name]; }
  set() {} save_changes() {} send() {} on() {} off() {} once() {}
  async _handle_comm_msg(message) { return `got ${message}`; }
}
class DOMWidgetView {}

let widgets;
globalThis.define = (_, make) => { widgets = make({ DOMWidgetModel, DOMWidgetView }); };
new Function(readFileSync(process.argv[2], "utf8"))();

for (const seconds of [1, 3]) {
  const esm = `await new Promise((done) => setTimeout(done, ${seconds * 1000})); export default { initialize() { globalThis.loaded = ${seconds}; } };`;
  const model = new widgets.AnyModel();
  model.initialize({ _esm: esm });
  await sleep(4000);
  const outcome = await model._handle_comm_msg("news").catch((error) => error.message);
  console.log(`script after ${seconds} s, loaded ${globalThis.loaded === seconds}: ${outcome}`);
}
J
seen=$(node "$folder/late.mjs" "$folder/index.js")
printf '%s\n' "$seen"
[ "$seen" = "script after 1 s, loaded true: got news
script after 3 s, loaded true: [anywidget] Failed to initialize model." ]
