#!/usr/bin/env bash
# matplotlib 3.10.6 with pyparsing 3.3.3, which its requirements allow: importing pyplot warns of a deprecated name of
# pyparsing, so a test suite that turns warnings into errors cannot import it. matplotlib 3.10.7 does not warn.
#
# Expected: a patch release that declares "pyparsing >= 2.3.1" imports without a warning; pip installs this pair.
# Seen on Python 3.11: PyparsingDeprecationWarning: 'oneOf' deprecated - use 'one_of'.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
python="$folder/venv/bin/python"
export MPLCONFIGDIR="$folder/config" MPLBACKEND=agg
"$folder/venv/bin/pip" install -q matplotlib==3.10.6 pyparsing==3.3.3
if said=$("$python" -W error -c 'import matplotlib.pyplot' 2>&1); then
    echo "matplotlib 3.10.6 imports without a warning"
    exit 1
fi
printf '3.10.6: %s\n' "$(printf '%s\n' "$said" | tail -n 1)"
printf '%s\n' "$said" | grep -q "PyparsingDeprecationWarning: 'oneOf' deprecated"
"$folder/venv/bin/pip" install -q matplotlib==3.10.7
"$python" -W error -c 'import matplotlib.pyplot'
echo '3.10.7: no warning'
