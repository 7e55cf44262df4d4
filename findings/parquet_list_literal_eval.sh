#!/usr/bin/env bash
# pandas 3.1.1 with pyarrow 22.0.0: lists of text that went through Parquet and CSV are read back as one text.
#
# Expected: a column of lists, written with to_parquet, read with read_parquet and written with to_csv, can be read by
# ast.literal_eval, as it can when it goes to CSV directly.
# Seen on Python 3.11, Linux: read_parquet gives numpy arrays, and to_csv writes them as numpy prints them, without
# commas: ['a' 'b']. Python joins two texts that stand side by side, so literal_eval returns ['ab'] and raises nothing.
# A list of numbers, [1 2], raises SyntaxError instead.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pandas==3.1.1 pyarrow==22.0.0
seen=$(cd "$folder" && venv/bin/python - <<'P'
import ast

import pandas as pd

frame = pd.DataFrame({"files": [["a.jpg", "b.jpg"]], "numbers": [[1, 2]]})
frame.to_csv("direct.csv", index=False)
frame.to_parquet("frame.parquet")
pd.read_parquet("frame.parquet").to_csv("through.csv", index=False)
for name in ("direct.csv", "through.csv"):
    cells = pd.read_csv(name).iloc[0]
    try:
        numbers = ast.literal_eval(cells["numbers"])
    except SyntaxError as error:
        numbers = type(error).__name__
    print(name, ast.literal_eval(cells["files"]), numbers)
P
)
printf '%s\n' "$seen"
[ "$seen" = "direct.csv ['a.jpg', 'b.jpg'] [1, 2]
through.csv ['a.jpgb.jpg'] SyntaxError" ]
