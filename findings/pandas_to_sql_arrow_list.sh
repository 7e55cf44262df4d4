#!/usr/bin/env bash
# pandas 3.0.0 with pyarrow 22.0.0: DataFrame.to_sql writes a column of Arrow lists to SQLite as the raw memory of NumPy
# arrays, without an error or a warning. The same values as Python lists in an object column raise an error.
#
# Expected: an error for both, since SQLite has no type for a list.
# Seen on Python 3.11: [1, 2] is stored as a BLOB of 16 bytes, two little-endian int64; a list of texts as the
# addresses of Python objects, which mean nothing when they are read again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pandas==3.0.0 pyarrow==22.0.0
"$folder/venv/bin/python" - <<'P'
import sqlite3
import struct

import pandas as pd
import pyarrow as pa

connection = sqlite3.connect(":memory:")
numbers = pd.Series([[1, 2], [3]], dtype=pd.ArrowDtype(pa.list_(pa.int64())))
texts = pd.Series([["a", "b"], ["c"]], dtype=pd.ArrowDtype(pa.list_(pa.string())))
pd.DataFrame({"numbers": numbers, "texts": texts}).to_sql("arrow", connection, index=False)
first_numbers, first_texts = connection.execute("SELECT numbers, texts FROM arrow").fetchone()
print("numbers:", first_numbers, "texts:", type(first_texts).__name__, len(first_texts), "bytes")
assert first_numbers == struct.pack("<2q", 1, 2)
assert isinstance(first_texts, bytes) and len(first_texts) == 16

try:
    pd.DataFrame({"numbers": [[1, 2], [3]]}).to_sql("objects", connection, index=False)
except Exception as error:
    print("object column:", type(error).__name__, error)
else:
    raise SystemExit("an object column of lists is written as well")
P
