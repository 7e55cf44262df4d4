#!/usr/bin/env bash
# pandas 2.2.2, 2.3.3 and 3.0.0 with pyarrow 21.0.0: convert_dtypes() of a frame with an Arrow list, struct or map column
# raises KeyError with nothing but the type.
#
# Expected: the column stays as it is; with dtype_backend="pyarrow" it does.
# Seen on Python 3.11, Linux: frame.convert_dtypes() raises KeyError, from the table of Arrow types and their numpy
# counterparts. One such column keeps the whole frame from being converted.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/convert.py" <<'P'
import pandas as pd
import pyarrow as pa

KINDS = {
    "list": (pa.list_(pa.int64()), [[1]]),
    "struct": (pa.struct([("a", pa.int64())]), [{"a": 1}]),
    "map": (pa.map_(pa.string(), pa.int64()), [[("a", 1)]]),
}
for name, (kind, values) in KINDS.items():
    frame = pd.DataFrame({"a": [1], "nested": pd.Series(values, dtype=pd.ArrowDtype(kind))})
    try:
        plain = str(frame.convert_dtypes().dtypes["nested"])
    except KeyError:
        plain = "KeyError"
    kept = frame.convert_dtypes(dtype_backend="pyarrow").dtypes["nested"] == frame["nested"].dtype
    print(name, plain, kept)
P
check() {
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/pip" install -q "pandas==$1" pyarrow==21.0.0 numpy==2.3.4
    seen=$("$folder/$1/bin/python" "$folder/convert.py")
    printf 'pandas %s\n%s\n' "$1" "$seen"
    [ "$seen" = "list KeyError True
struct KeyError True
map KeyError True" ]
}
check 2.2.2
check 2.3.3
check 3.0.0
