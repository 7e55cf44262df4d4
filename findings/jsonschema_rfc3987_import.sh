#!/usr/bin/env bash
# jsonschema 4.25.1 with rfc3987-syntax 1.1.0: `import jsonschema` builds a Lark grammar of all URIs, whether or not a
# format is ever checked. jupyter-events requires the extra that installs it (jsonschema[format-nongpl]), so in every
# Jupyter environment `import nbformat` pays for it.
#
# Expected: an optional format checker costs nothing until a schema with that format is validated.
# Seen on Python 3.11: the import takes 0.09 s without rfc3987-syntax and 0.98 s with it; the difference
# is in `rfc3987_syntax` (lark), by `python -X importtime`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
python="$folder/venv/bin/python"
seconds() { # processor time of the fastest of three imports
    for _ in 1 2 3; do "$python" -c 'import time, jsonschema; print(time.process_time())'; done | sort -g | head -1
}
"$folder/venv/bin/pip" install -q jsonschema==4.25.1
seconds >/dev/null # writes the byte code
without=$(seconds)
"$folder/venv/bin/pip" install -q rfc3987-syntax==1.1.0 lark==1.3.1
seconds >/dev/null
with=$(seconds)
echo "import jsonschema: $without s without rfc3987-syntax, $with s with it"
"$python" -c 'import sys, jsonschema; assert "lark" in sys.modules'
"$python" -c "assert $with > 2 * $without"
