#!/usr/bin/env bash
# ipywidgets 8.1.8: close() replaces a subclass's _repr_mimebundle_ by None.
#
# Expected: a widget whose class defines its own _repr_mimebundle_, such as one with a plain copy for pages without
# widgets, is displayed by that method after close() as well; only the view of the widget is gone.
# Seen on Python 3.11, Linux: close() sets an attribute of that name on the instance. IPython then finds no method and
# displays the repr; whoever calls the method, as a container that shows its parts does, gets a TypeError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/closed.py" <<'P'
import ipywidgets


class Report(ipywidgets.VBox):
    def _repr_mimebundle_(self, **options: object) -> dict[str, str]:
        return {"text/html": "<p>the report</p>", "text/plain": "the report"}


report = Report()
print(report._repr_mimebundle_()["text/plain"])
report.close()
print(report._repr_mimebundle_, "_repr_mimebundle_" in vars(report))
P
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q ipywidgets==8.1.8 ipython==9.7.0
seen=$("$folder/venv/bin/python" "$folder/closed.py")
printf '%s\n' "$seen"
[ "$seen" = "the report
None True" ]
