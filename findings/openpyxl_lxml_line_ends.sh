#!/usr/bin/env bash
# openpyxl 3.1.5: whether a cell keeps its line ends depends on whether lxml happens to be installed.
#
# Expected: a workbook that is written and read by one release of openpyxl has the same text, whatever else is installed.
# Seen: without lxml, "\r\n" comes back as "\n" and "\r" as "\n"; with lxml 6.0.2, both come back as they were. The standard
# library's ElementTree writes a carriage return as it is, which each XML parser has to read as a line feed; lxml writes
# "&#13;". So a hash of a table's rows, taken before and after a way through Excel, agrees on one machine and not on another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps openpyxl==3.1.5 et_xmlfile==2.0.0
cat >"$folder/cell.py" <<'P'
import io

import openpyxl

workbook, file = openpyxl.Workbook(), io.BytesIO()
workbook.active.append(["on a beach\r\nat noon", "old\rMac", "a\nb"])
workbook.save(file)
print([cell.value for cell in openpyxl.load_workbook(file).active[1]])
P
alone=$("$folder/venv/bin/python" "$folder/cell.py")
"$folder/venv/bin/pip" install -q --no-deps lxml==6.0.2
beside_lxml=$("$folder/venv/bin/python" "$folder/cell.py")
printf 'without lxml: %s\nwith lxml:    %s\n' "$alone" "$beside_lxml"
[ "$alone" = "['on a beach\\nat noon', 'old\\nMac', 'a\\nb']" ]
[ "$beside_lxml" = "['on a beach\\r\\nat noon', 'old\\rMac', 'a\\nb']" ]
