"""A thousand tunes of a long log, some columns of them, in a process that has had the whole frame."""

from datetime import UTC, datetime
from typing import Any

from benchmarks.cases.frame import prepare
from benchmarks.protocol import Case, Figure

COLUMNS = ["id", "title", "status", "created_at"]


def peer(path: str, tunes: int) -> dict[str, Any]:
    import time

    import astria_nb as anb

    log = anb.ExperimentLog(path)
    assert len(log.frame()) == tunes
    started = time.perf_counter()
    log.frame()
    seconds = time.perf_counter() - started
    log.close()
    return dict.fromkeys(("tagged", "recent"), seconds)


def ours(path: str, tunes: int) -> dict[str, Any]:
    import time

    import astria_nb as anb
    from benchmarks.long_log import START, TAG, TAGGED

    log, seconds = anb.ExperimentLog(path), {}
    count = min(TAGGED, tunes)
    recent = datetime.fromtimestamp(START / 1e6 + tunes - count, UTC)
    selections: dict[str, dict[str, Any]] = {
        "tagged": {"tag": TAG, "since": datetime(2020, 1, 1, tzinfo=UTC)},
        "recent": {"since": recent},
    }
    for name, selection in selections.items():
        for _ in range(2):
            started = time.perf_counter()
            frame = log.frame(columns=COLUMNS, **selection)
            seconds[name] = time.perf_counter() - started
        assert len(frame) == count
    log.close()
    return seconds


CASE = Case(
    what="`frame(columns=…, since=…, tag=…)` of 1,000 of 1,000,000 tunes, the second call of a process",
    against="the whole frame, its second call",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(
        Figure("tagged", "tagged all over the log", most=0.02),
        Figure("recent", "the latest", most=0.02),
    ),
    sizes={"tunes": 1_000_000},
    small={"tunes": 20},
    rounds=3,
)
