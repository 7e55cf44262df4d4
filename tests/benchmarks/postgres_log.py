"""What the log on a server costs: beside a bare INSERT there, and beside the log in a file.

Run ``python tests/benchmarks/postgres_log.py [--appends 300] [--rows 100000]``.

A server of PostgreSQL is started, which waits for its disk as it does by default. Each of the log's writes
alternates with an INSERT of a row with the same content into a table without anything else, with RETURNING
and COMMIT; the ratio is that of the medians. Then a log of many trained tunes is copied from a file to the
server, and the time of `frame()` is compared; the first call on a server writes the segments.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from log_append import a_reply, a_request  # noqa: E402

from astria_nb.log import Log, Submission  # noqa: E402
from benchmarks.long_log import fill  # noqa: E402
from helpers.postgres_server import PostgresServer  # noqa: E402  found by the line above

DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on", "shared_buffers": "128MB"}


def seconds(work: Callable[[], Any], times: int) -> float:
    durations = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        durations.append(time.perf_counter() - started)
    return statistics.median(durations)


def append(address: str, times: int) -> None:
    """Time each write of a submission beside a bare row."""
    log, bare = Log(address), psycopg.connect(address)
    bare.execute("CREATE TABLE line (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, json text)")
    bare.commit()
    log.plan(a_request("first"))
    timings: dict[str, list[float]] = {name: [] for name in ("bare", "sending", "done", "poll")}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        returned = work()
        timings[name].append(time.perf_counter() - started)
        return returned

    def row(number: int) -> None:
        content = json.dumps({"request": a_request(str(number)).parameters, "reply": a_reply(number)})
        bare.execute("INSERT INTO line (json) VALUES (%s) RETURNING id", (content,)).fetchone()
        bare.commit()

    for number in range(times):
        reply = a_reply(number)
        steps: dict[str, Callable[[Submission], Any]] = {
            "sending": lambda _, number=number: log.plan(a_request(str(number)), sending=True),
            "done": lambda sending, reply=reply: log.change(sending, "done", reply=reply),
            "poll": lambda done, reply=reply: log.record_event("poll", submission=done, reply=reply),
        }
        submission: Any = None
        for name, step in steps.items():
            timed("bare", lambda number=number: row(number))
            submission = timed(name, lambda step=step, before=submission: step(before))
    log.close()
    bare.close()
    base = statistics.median(timings.pop("bare"))
    print(f"a bare row: {base * 1e3:.2f} ms")
    for name, durations in timings.items():
        median = statistics.median(durations)
        print(f"{name}: {median * 1e3:.2f} ms, {median / base:.2f} bare rows")


def compare_frames(address: str, rows: int, times: int) -> None:
    """Time `frame()` of a file and of a server with the same log."""
    with tempfile.TemporaryDirectory() as folder:
        file, server = Log(Path(folder) / "log.sqlite"), Log(address)
        fill(file, Path(folder) / "log.sqlite", rows)
        started = time.perf_counter()
        copied = file.copy_to(server)
        print(f"copied {copied:,} submissions in {time.perf_counter() - started:.1f} s")
        print(f"first frame: {seconds(server.frame, 1):.2f} s on the server")
        assert len(server.frame()) == len(file.frame())
        in_file, on_server = seconds(file.frame, times), seconds(server.frame, times)
        ratio = on_server / in_file
        print(
            f"frame of {rows:,}: {in_file:.2f} s in a file, {on_server:.2f} s on a server, {ratio:.2f} times"
        )
        file.close()
        server.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--appends", type=int, default=300)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    server = PostgresServer(DURABLE).start()
    try:
        with psycopg.connect(server.address(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE frames")
        # Not on the main thread, where each call has a thread of its own: a pool's threads write.
        appending = threading.Thread(target=append, args=(server.address(), options.appends))
        appending.start()
        appending.join()
        compare_frames(server.address("frames"), options.rows, options.times)
    finally:
        server.remove()


if __name__ == "__main__":
    main()
