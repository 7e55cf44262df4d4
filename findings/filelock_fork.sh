#!/usr/bin/env bash
# filelock 3.25.2: a forked child that ends normally, without ever touching the lock, releases its parent's lock and
# deletes the lock file. 3.12.4 and 3.20.3 release it too, and leave the file; 4.0.0 keeps it held.
#
# Expected: the lock is held until the process that acquired it releases it or ends; a child that merely inherits the
# object (os.fork, multiprocessing "fork") does nothing to it.
# Seen on Python 3.11, Linux: another process that tries with timeout=0 gets the lock while the parent still has
# `lock.is_locked` True.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/fork.py" <<'P'
import os
import subprocess
import sys
import tempfile

from filelock import FileLock

TRY = """
import sys
from filelock import FileLock, Timeout
try:
    FileLock(sys.argv[1], timeout=0).acquire()
    print("free")
except Timeout:
    print("held")
"""
path = os.path.join(tempfile.mkdtemp(dir=sys.argv[1]), "x.lock")
lock = FileLock(path)
lock.acquire()


def seen_by_another_process():
    return subprocess.run([sys.executable, "-c", TRY, path], capture_output=True, text=True, check=True).stdout.strip()


before = seen_by_another_process()
child = os.fork()
if child == 0:
    sys.exit(0)
os.waitpid(child, 0)
has_file = os.path.exists(path)
print(before, seen_by_another_process(), lock.is_locked, has_file)
P
check() { # a pinned release, and what is seen with it
    rm -rf "$folder/venv"
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install -q "$1"
    seen=$("$folder/venv/bin/python" "$folder/fork.py" "$folder")
    echo "$1: $seen"
    [ "$seen" = "$2" ]
}
check filelock==3.12.4 "held free True True"
check filelock==3.20.3 "held free True True"
check filelock==3.25.2 "held free True False"
check filelock==4.0.0 "held held True True"
