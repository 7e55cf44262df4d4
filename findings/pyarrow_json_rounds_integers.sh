#!/usr/bin/env bash
# pyarrow 26.0.1: `pyarrow.json` rounds integers beside fractions, which everything else in Arrow refuses to do.
#
# Expected: as `pa.array`, `Table.from_pylist`, `concat_tables` and a cast do: ArrowInvalid for an integer that no float holds, so
# that whoever reads decides what to do with it. Ids and seeds of services have such values.
# Seen: `read_json` of lines in which a field is an integer here and a fraction there makes the column a float one, and another
# number of the integer, without a word; two integers become one. Without the fraction they are exact.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pyarrow==26.0.1
seen=$("$folder/venv/bin/python" - <<'P'
import io

import pyarrow as pa
import pyarrow.json

WHOLE, NEXT, FRACTION = 2**53, 2**53 + 1, 0.5


def lines(*values):
    return io.BytesIO("".join(f'{{"seed": {value}}}\n' for value in values).encode())


def shown(read):
    try:
        column = read()
    except pa.ArrowInvalid:
        return "ArrowInvalid"
    return f"{column.type}: {column.to_pylist()}"


def tables(*values):
    return pa.concat_tables([pa.table({"seed": [value]}) for value in values], promote_options="permissive")


print("pyarrow", pa.__version__)
print("pa.array,", shown(lambda: pa.array([WHOLE, NEXT, FRACTION])))
print("from_pylist,", shown(lambda: pa.Table.from_pylist([{"seed": NEXT}, {"seed": FRACTION}])["seed"]))
print("concat_tables,", shown(lambda: tables(NEXT, FRACTION)["seed"]))
print("cast,", shown(lambda: pa.array([NEXT]).cast(pa.float64())))
print("read_json without a fraction,", shown(lambda: pyarrow.json.read_json(lines(WHOLE, NEXT))["seed"]))
print("read_json,", shown(lambda: pyarrow.json.read_json(lines(WHOLE, NEXT, FRACTION))["seed"]))
P
)
printf '%s\n' "$seen"
diff <(printf '%s\n' "$seen") - <<'EXPECTED'
pyarrow 26.0.1
pa.array, ArrowInvalid
from_pylist, ArrowInvalid
concat_tables, ArrowInvalid
cast, ArrowInvalid
read_json without a fraction, int64: [9007199254740992, 9007199254740993]
read_json, double: [9007199254740992.0, 9007199254740992.0, 0.5]
EXPECTED
echo "as described"
