"""The frame of a log on a server of PostgreSQL, beside that of a file with the same tunes."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on", "shared_buffers": "128MB"}


@contextmanager
def prepare(folder: Path, tunes: int) -> Iterator[dict[str, Any]]:
    import astria_nb as anb
    from benchmarks.long_log import long_log
    from helpers.postgres_server import PostgresServer

    server = PostgresServer(DURABLE).start()
    try:
        path, address = long_log(folder, tunes), server.address()
        with closing(anb.ExperimentLog(path)) as log, closing(anb.ExperimentLog(address)) as shared:
            log.copy_to(shared)
            shared.frame()  # makes the segments
        yield {"path": str(path), "address": address}
    finally:
        server.remove()


def frame(place: str, tunes: int) -> dict[str, Any]:
    import time

    import astria_nb as anb

    with closing(anb.ExperimentLog(place)) as log:
        assert len(log.frame()) == tunes
        started = time.perf_counter()
        log.frame()
        return {"seconds": time.perf_counter() - started}


def peer(path: str, tunes: int, **_: Any) -> dict[str, Any]:
    return frame(path, tunes)


def ours(address: str, tunes: int, **_: Any) -> dict[str, Any]:
    return frame(address, tunes)


CASE = Case(
    what="`frame()` of a log on a server",
    against="of a file",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(Figure("seconds", "time", most=3),),
    sizes={"tunes": 100_000},
    small={"tunes": 20},
    rounds=3,
)
