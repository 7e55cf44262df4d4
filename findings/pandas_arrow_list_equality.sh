#!/usr/bin/env bash
# pandas 2.3.3 and 3.0.0 with pyarrow 21.0.0: a column of Arrow lists or structs is unequal to itself, in silence.
#
# Expected: s == s is True where there is a value and NA where there is none, as for an Arrow column of numbers or
# text; or an error.
# Seen on Python 3.11, Linux: for list<int64>, list<string> and struct<a: int64> every element of `s == s` is False
# (missing ones too, although the result's type is bool[pyarrow]), every element of `s != s` is True, and
# `s.compare(s)` lists every row as a difference, while `s.equals(s)` says True. So `(before != after).any()` reports
# changes of a frame with such a column where there are none. pandas 2.2.2 raises ArrowNotImplementedError instead.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/equal.py" <<'P'
import pandas as pd
import pyarrow as pa

COLUMNS = [
    (pa.int64(), [1, None]),
    (pa.list_(pa.int64()), [[1, 2], None]),
    (pa.list_(pa.string()), [["a"], None]),
    (pa.struct([("a", pa.int64())]), [{"a": 1}, None]),
]
for kind, values in COLUMNS:
    column = pd.Series(values, dtype=pd.ArrowDtype(kind))
    try:
        equal = [None if value is pd.NA else bool(value) for value in column == column.copy()]
    except pa.ArrowNotImplementedError as error:
        equal = type(error).__name__
    print(kind, equal, column.equals(column.copy()), sep="; ")
P
check() {
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/pip" install -q "pandas==$1" "pyarrow==$2" "numpy==2.3.4"
    seen=$("$folder/$1/bin/python" "$folder/equal.py")
    printf 'pandas %s, pyarrow %s\n%s\n' "$1" "$2" "$seen"
    [ "$seen" = "int64; [True, None]; True
list<item: int64>; $3; True
list<item: string>; $3; True
struct<a: int64>; $3; True" ]
}
check 2.2.2 21.0.0 ArrowNotImplementedError
check 2.3.3 21.0.0 "[False, False]"
check 3.0.0 21.0.0 "[False, False]"
