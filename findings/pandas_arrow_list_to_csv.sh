#!/usr/bin/env bash
# pandas 2.3.3 and 3.0.0 with pyarrow 21.0.0: to_csv cuts long values of an Arrow list column, in silence.
#
# Expected: every element is in the file, as for a column of Python lists (dtype object), or an error.
# Seen on Python 3.11, Linux: the value is written as numpy prints an array: no commas between elements, and of a list
# of more than 1000 elements only the first and last three with "..." between them; long lists of text are also broken
# over lines. What the file holds depends on numpy.set_printoptions. to_json and to_parquet write everything.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/write.py" <<'P'
import json

import numpy as np
import pandas as pd
import pyarrow as pa

values = list(range(1001))
arrow = pd.DataFrame({"ids": pd.Series([values], dtype=pd.ArrowDtype(pa.list_(pa.int64())))})
python = pd.DataFrame({"ids": pd.Series([values], dtype=object)})
print(arrow.to_csv(index=False).splitlines())
print(len(json.loads(python.to_csv(index=False).splitlines()[1].strip('"'))))
print(len(json.loads(arrow.to_json())["ids"]["0"]))
with np.printoptions(threshold=10, edgeitems=1):
    print(arrow.head().to_csv(index=False).splitlines()[1])
P
check() {
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/pip" install -q "pandas==$1" pyarrow==21.0.0 numpy==2.3.4
    seen=$("$folder/$1/bin/python" "$folder/write.py")
    printf 'pandas %s\n%s\n' "$1" "$seen"
    [ "$seen" = "['ids', '[   0    1    2 ...  998  999 1000]']
1001
1001
[   0 ... 1000]" ]
}
check 2.3.3
check 3.0.0
