#!/usr/bin/env bash
# ipywidgets 8.1.9: a widget whose constructor failed is closed when it is deleted.
#
# Expected: an object whose __init__ raised before Widget.__init__ was called is deleted in silence.
# Seen on Python 3.11, Linux: Widget.__del__ calls close() on it as well. An override of close that uses an attribute
# of its own, set in __init__, prints "Exception ignored in: <function Widget.__del__ …>" with an AttributeError, long
# after the error that matters; where warnings are errors, as in pytest, the run fails. comm is None for such an object.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q ipywidgets==8.1.9
cat >"$folder/failing.py" <<'P'
import gc
import sys

import ipywidgets

ignored = []
sys.unraisablehook = lambda raised: ignored.append((type(raised.exc_value).__name__, raised.object.__qualname__))


class Clock(ipywidgets.HTML):
    def __init__(self, zone: str) -> None:
        if zone != "UTC":
            raise ValueError(zone)
        self.ticks = []
        super().__init__()

    def close(self) -> None:
        self.ticks.clear()
        super().close()


try:
    Clock("local")
except ValueError as error:
    print(error)
gc.collect()
print(ignored)
P
seen=$("$folder/venv/bin/python" "$folder/failing.py")
printf '%s\n' "$seen"
[ "$seen" = "local
[('AttributeError', 'Widget.__del__')]" ]
