#!/usr/bin/env bash
# pandas 2.3.3 and 3.0.0: while one thread is in DataFrame.to_html, another thread's repr is longer.
#
# Expected: to_html of one frame has no effect on how another frame is displayed at that moment.
# Seen on Python 3.11, Linux: to_html sets display.max_colwidth to None while it formats a column, and the options of
# pandas belong to the process, not to the thread. A table that a notebook's cell displays just then is not cut at 50
# characters, so that the same cell has another output in the next run.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/display.py" <<'P'
import threading

import pandas as pd

inside, seen = threading.Event(), threading.Event()


class Slow:
    def __str__(self) -> str:
        inside.set()
        seen.wait(20)
        return "slow"


def longest(frame: pd.DataFrame) -> int:
    return max(map(len, frame._repr_html_().splitlines()))


long = pd.DataFrame({"text": ["x" * 200]})
alone = longest(long)
thread = threading.Thread(target=pd.DataFrame({"value": [Slow()]}).to_html)
thread.start()
inside.wait(20)
meanwhile = longest(long)
seen.set()
thread.join()
print(alone < 100, meanwhile > 200, longest(long) == alone)
P
check() {
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/pip" install -q "pandas==$1" numpy==2.3.4
    seen=$("$folder/$1/bin/python" "$folder/display.py")
    printf 'pandas %s: cut alone, not cut meanwhile, cut afterwards: %s\n' "$1" "$seen"
    [ "$seen" = "True True True" ]
}
check 2.3.3
check 3.0.0
