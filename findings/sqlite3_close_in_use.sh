#!/usr/bin/env bash
# Python 3.11.7, 3.12.1 and 3.13.0, sqlite3: closing a connection while another thread executes a statement on it
# crashes the interpreter with a segmentation fault.
#
# Expected: sqlite3.ProgrammingError ("Cannot operate on a closed database") in the thread that executes. The module
# says that it may be shared so: sqlite3.threadsafety is 3, and check_same_thread=False was passed.
# Seen: close() drops the cache of statements first, and lets other threads run while SQLite finalizes them. The
# connection does not count as closed until later, so the other thread calls the cache that is not there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/close.py" <<'P'
import sqlite3
import sys
import threading
import time

print(sys.version.split()[0], "threadsafety", sqlite3.threadsafety, flush=True)


def use():
    has_begun.set()
    try:
        while True:
            connection.execute("SELECT sum(value) FROM json_each('[1, 2, 3, 4, 5, 6, 7, 8, 9]')").fetchone()
    except sqlite3.ProgrammingError:
        pass


for _ in range(5000):
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    for number in range(40):
        connection.execute(f"SELECT {number}").fetchone()
    has_begun = threading.Event()
    thread = threading.Thread(target=use)
    thread.start()
    has_begun.wait()
    time.sleep(0.0005)
    connection.close()
    thread.join()
P
status=0
python3 "$folder/close.py" || status=$?
echo "exit status $status"
[ "$status" = 139 ]
