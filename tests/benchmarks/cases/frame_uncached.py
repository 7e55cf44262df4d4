"""The frame of a long log whose file the system has not cached."""

from contextlib import closing
from typing import Any

from benchmarks.cases.frame import prepare
from benchmarks.protocol import Case, Figure


def forget(path: str) -> None:
    """Have the system forget what it has cached of a file."""
    import os

    if hasattr(os, "posix_fadvise"):
        with open(path, "rb") as file:  # noqa: PTH123  only its number is used
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_from_disk() -> int:
    """Return the bytes that this process had read from a disk; 0 where the system does not say."""
    from pathlib import Path

    counts = Path("/proc/self/io")
    lines = counts.read_text().splitlines() if counts.exists() else []
    return sum(int(line.split()[1]) for line in lines if line.startswith("read_bytes"))


def peer(path: str, **_: Any) -> dict[str, Any]:
    import sqlite3
    import time

    forget(path)
    started = time.perf_counter()
    before = read_from_disk()
    with closing(sqlite3.connect(path)) as connection:
        for _row in connection.execute("SELECT arrow FROM segment"):
            pass
    return {"seconds": time.perf_counter() - started, "read": read_from_disk() - before}


def ours(path: str, tunes: int) -> dict[str, Any]:
    import time

    import pandas  # noqa: F401  not read from this file

    import astria_nb as anb

    forget(path)
    started = time.perf_counter()
    with closing(anb.ExperimentLog(path)) as log:
        before = read_from_disk()
        assert len(log.frame()) == tunes
        return {"seconds": time.perf_counter() - started, "read": read_from_disk() - before}


CASE = Case(
    what="`frame()` of a long log, in a new process, the file not cached",
    against="reading its segments, which have all of it",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(Figure("seconds", "time"), Figure("read", "read from the disk", beside=None, unit="B")),
    sizes={"tunes": 1_000_000},
    small={"tunes": 20},
    rounds=3,
)
