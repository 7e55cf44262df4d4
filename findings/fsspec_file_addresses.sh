#!/usr/bin/env bash
# fsspec 2026.9.0: three file addresses as RFC 8089 and browsers write them do not lead to the file.
#
# Expected: file:///folder/a%20b.txt, file://localhost/folder/c.txt and FILE:///folder/c.txt are files of this machine,
# as for urllib.request.
# Seen on Python 3.11, Linux: %20 is not decoded; "localhost" is taken for a folder, and the path is relative to the
# working directory; a scheme in capitals is no known protocol.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q fsspec==2026.9.0
seen=$(cd "$folder" && venv/bin/python - <<'P'
import urllib.request
from pathlib import Path

import fsspec

folder = Path.cwd()
(folder / "a b.txt").write_text("one")
(folder / "c.txt").write_text("two")
for address in (f"file://{folder}/a%20b.txt", f"file://localhost{folder}/c.txt", f"FILE://{folder}/c.txt"):
    by_urllib = urllib.request.urlopen(address).read().decode()
    try:
        by_fsspec = fsspec.open(address).open().read().decode()
    except (OSError, ValueError) as error:
        by_fsspec = type(error).__name__
    print(by_urllib, by_fsspec)
protocol, path = fsspec.core.split_protocol(f"file://localhost{folder}/c.txt")
print(fsspec.filesystem("file")._strip_protocol(f"file://localhost{folder}/c.txt") == f"{folder}/localhost{folder}/c.txt")
P
)
printf '%s\n' "$seen"
[ "$seen" = "one FileNotFoundError
two FileNotFoundError
two ValueError
True" ]
