#!/usr/bin/env bash
# ipykernel 7.4.0, ipywidgets 8.1.9: a click is handled before the text that was sent ahead of it.
#
# Expected: what a page sends to its widgets is handled in the order in which it was sent. JupyterLab sends all of it to
# one subshell, so that widgets answer while a cell runs; so it was with ipykernel 7.3.0.
# Seen: a message goes to the thread that last sent something over the same widget's connection, whatever its header
# says. A text field was last written by a cell, a button was last enabled from the subshell: while a cell runs, the
# text waits for its end on the one thread, and the click is handled at once on the other. A button that acts on what
# was typed acts on what was there before, and only waiting for Python's answer to the text prevents it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cat >"$folder/order.py" <<'P'
import importlib.metadata
import sys
import time

from jupyter_client import KernelManager

MAKE = """
import time, ipywidgets
seen = []
text, button = ipywidgets.Text("before"), ipywidgets.Button(disabled=True)
button.on_click(lambda _: seen.append(text.value))
print(text.comm.comm_id, button.comm.comm_id)
"""

manager = KernelManager()
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(60)


def send(kind, content, subshell=None):
    message = client.session.msg(kind, content)
    message["header"]["subshell_id"] = subshell
    client.shell_channel.send(message)


def run(code, subshell=None):
    """Run code, and return what it prints."""
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False, "user_expressions": {}}
    message = client.session.msg("execute_request", content)
    message["header"]["subshell_id"] = subshell
    client.shell_channel.send(message)
    printed = ""
    while True:
        answer = client.get_iopub_msg(timeout=60)
        if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        if answer["msg_type"] == "stream":
            printed += answer["content"]["text"]
        if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
            return printed.strip()


text, button = run(MAKE).split()
client.control_channel.send(client.session.msg("create_subshell_request", {}))
subshell = client.get_control_msg(timeout=60)["content"]["subshell_id"]
run("button.disabled = False", subshell)
send("execute_request", {"code": "time.sleep(3)", "silent": True, "store_history": False, "user_expressions": {}})
time.sleep(1)
send("comm_msg", {"comm_id": text, "data": {"method": "update", "state": {"value": "typed"}, "buffer_paths": []}}, subshell)
time.sleep(0.5)
send("comm_msg", {"comm_id": button, "data": {"method": "custom", "content": {"event": "click"}}}, subshell)
time.sleep(1)
clicked = run("print(seen)", subshell)
after = run("print(text.value)")
print(f"ipykernel {importlib.metadata.version('ipykernel')}: the click found {clicked}, later the text is {after}")
client.stop_channels()
manager.shutdown_kernel(now=True)
P
seen=""
for version in 7.3.0 7.4.0; do
    "$folder/venv/bin/pip" install -q "ipykernel==$version" jupyter_client==8.10.0 ipywidgets==8.1.9 comm==0.2.3
    seen+=$(PATH="$folder/venv/bin:$PATH" "$folder/venv/bin/python" "$folder/order.py" 2>/dev/null)$'\n'
done
printf '%s' "$seen"
[ "$seen" = "ipykernel 7.3.0: the click found ['typed'], later the text is typed
ipykernel 7.4.0: the click found ['before'], later the text is typed
" ]
