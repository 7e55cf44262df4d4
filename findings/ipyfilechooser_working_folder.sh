#!/usr/bin/env bash
# ipyfilechooser 0.6.0: the folder that FileChooser() opens is the working folder of the moment of the *import*, and
# the import itself fails where there is no working folder.
#
# Expected: FileChooser() without a path opens the working folder of the moment when it is made, as os.listdir() and
# Path() without one do; importing a library asks for no folder (ipywidgets does not).
# Seen on Python 3.11, Linux: after os.chdir (or %cd) the chooser still opens the old folder, and `import ipyfilechooser`
# in a process whose working folder was removed raises FileNotFoundError from the line `path: str = os.getcwd()`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q ipyfilechooser==0.6.0 ipywidgets==8.1.9
mkdir "$folder/first" "$folder/second" "$folder/removed"
seen=$(cd "$folder/first" && "$folder/venv/bin/python" - <<'P'
import os

from ipyfilechooser import FileChooser

os.chdir("../second")
print("cwd:", os.path.basename(os.getcwd()))
print("chooser:", os.path.basename(FileChooser().default_path.rstrip("/")))
P
)
removed=$(cd "$folder/removed" && rmdir "$folder/removed" && PYTHONSAFEPATH=1 "$folder/venv/bin/python" -c '
import importlib
for name in ("ipywidgets", "ipyfilechooser"):
    try:
        importlib.import_module(name)
        print(name, "imported")
    except FileNotFoundError:
        print(name, "FileNotFoundError")
')
printf '%s\n%s\n' "$seen" "$removed"
[ "$seen" = "cwd: second
chooser: first" ]
[ "$removed" = "ipywidgets imported
ipyfilechooser FileNotFoundError" ]
