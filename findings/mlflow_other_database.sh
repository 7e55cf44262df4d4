#!/usr/bin/env bash
# mlflow-skinny 3.6.0: a tracking address of another program's SQLite file gets MLflow's tables, without a word.
#
# Expected: an error, since the file has tables but none of MLflow's: it is not a store, nor a new one.
# Seen on Python 3.11, Linux, with SQLAlchemy 2.0.44 and alembic 1.17.1: the first use of the store adds some tens of
# tables to the file, beside the program's own, which stay. A path that was mistyped, or completed to the wrong file in a
# folder of several, is found out when the other program checks its schema.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/store.py" <<'P'
import logging
import sqlite3
import sys

logging.disable(logging.INFO)
path = sys.argv[1]
with sqlite3.connect(path) as database:
    database.execute("CREATE TABLE invoice (id INTEGER PRIMARY KEY, amount REAL)")
    database.execute("PRAGMA user_version = 7")
database.close()

import mlflow

mlflow.set_tracking_uri(f"sqlite:///{path}")
mlflow.set_experiment("first")
database = sqlite3.connect(path)
names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
print({"invoice", "experiments", "runs"} <= names, len(names) > 10)
P
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q mlflow-skinny==3.6.0 SQLAlchemy==2.0.44 alembic==1.17.1 sqlparse==0.5.3
seen=$(MLFLOW_DISABLE_TELEMETRY=true "$folder/venv/bin/python" "$folder/store.py" "$folder/bills.sqlite" 2>/dev/null)
printf 'both programs have tables in the file: %s\n' "$seen"
[ "$seen" = "True True" ]
