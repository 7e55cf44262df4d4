#!/usr/bin/env bash
# voila 0.5.11: importing it turns warnings back on that the user has turned off.
#
# Expected: `python -W ignore::DeprecationWarning` ignores them, whatever is imported.
# Seen on Python 3.11, Linux: voila puts a filter of its own in front of all others, "default" for DeprecationWarning of
# the module traitlets. Where voila is installed, jupyter_server imports it as an extension, and JupyterLab then prints
# deprecations of traitlets that it does not print without it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/filter.py" <<'P'
import warnings

before = warnings.filters[0][:3]
import voila.app

action, _, category, module, _ = warnings.filters[0]
print(before[0], before[2].__name__, "|", action, category.__name__, getattr(module, "pattern", module))
P
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q voila==0.5.11
seen=$("$folder/venv/bin/python" -W ignore::DeprecationWarning "$folder/filter.py")
printf '%s\n' "$seen"
[ "$seen" = "ignore DeprecationWarning | default DeprecationWarning traitlets" ]
