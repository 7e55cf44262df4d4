"""The frame of a long log, beside reading the same rows with pandas and the `json` module."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

READ_SQL = """
    SELECT s.id, s.service, s.title, s.state, s.planned_at, s.problem, b.json
    FROM submission s JOIN body b ON b.sha256 = s.record ORDER BY s.id
"""


@contextmanager
def prepare(folder: Path, tunes: int) -> Iterator[dict[str, Any]]:
    from benchmarks.long_log import long_log

    yield {"path": str(long_log(folder, tunes))}


def peer(path: str, tunes: int) -> dict[str, Any]:
    import json
    import sqlite3
    import time

    import pandas as pd

    started = time.perf_counter()
    with closing(sqlite3.connect(path)) as connection:
        frame = pd.read_sql(READ_SQL, connection)
    frame = frame.assign(json=[json.loads(text) for text in frame["json"]])
    assert len(frame) == tunes
    return {"seconds": time.perf_counter() - started}


def ours(path: str, tunes: int) -> dict[str, Any]:
    import time

    import pandas  # noqa: F401  as the peer has it

    import astria_nb as anb

    started = time.perf_counter()
    with closing(anb.ExperimentLog(path)) as log:
        assert len(log.frame()) == tunes
        return {"seconds": time.perf_counter() - started}


CASE = Case(
    what="`frame()` of a long log, in a new process, the file cached",
    against="`read_sql` and `json.loads`",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(
        Figure("seconds", "time", most=1 / 25),
        Figure("memory", "memory of the process", most=0.2, unit="B"),
    ),
    sizes={"tunes": 1_000_000},
    small={"tunes": 20},
    rounds=3,
)
