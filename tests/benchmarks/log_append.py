"""What the log costs: beside a line in a plain file, and when submitting to a service that takes 50 ms.

Run ``python tests/benchmarks/log_append.py [--tunes 2000] [--workers 1]``.

First, each of the log's writes alternates with writing a line of JSON of the same content to a file, flushed
with fdatasync; the ratio is that of the medians. The minimum for SQLite is timed in the same way: the line as
a row of a table without anything else. Then tunes are submitted to a service that answers each request after
50 ms, with the log and with one that writes nothing, in turn, up to fifty tunes each.
"""

import argparse
import itertools
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import astria_nb as anb
from astria_nb.log import Log, Submission
from astria_nb.tune import Request

SERVICE_SECONDS = 0.05
BLOCK = 50  # tunes
URLS = [f"https://example.com/{number}.jpg" for number in range(4)]


def a_request(title: str) -> Request:
    fields = {"title": title, "name": "cat", "image_urls": URLS}
    return Request("https://api.astria.ai", 43, title, "json", fields)


def a_reply(number: int) -> dict[str, Any]:
    at = "2026-01-01T12:00:00.000Z"
    return {
        "id": number, "title": str(number), "name": "cat", "eta": at, "created_at": at, "updated_at": at,
        "url": f"https://www.astria.ai/tunes/{number}.json", "orig_images": URLS,
    }  # fmt: skip


def append(folder: Path, times: int) -> None:
    """Time each write of a submission beside a line in a file."""
    log = Log(folder / "append.sqlite")
    log.plan(a_request("first"))
    bare = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    for pragma in ("journal_mode = wal", "synchronous = full"):
        bare.execute(f"PRAGMA {pragma}")
    bare.execute("CREATE TABLE line (id INTEGER PRIMARY KEY, json TEXT)")
    names = ("line", "SQLite alone", "sending", "done", "poll")
    timings: dict[str, list[float]] = {name: [] for name in names}
    with (folder / "lines.jsonl").open("ab", buffering=0) as lines:

        def timed(name: str, work: Callable[[], Any]) -> Any:
            started = time.perf_counter()
            returned = work()
            timings[name].append(time.perf_counter() - started)
            return returned

        def content(number: int) -> str:
            return json.dumps({"request": a_request(str(number)).parameters, "reply": a_reply(number)})

        def line(number: int) -> None:
            lines.write(content(number).encode() + b"\n")
            os.fdatasync(lines.fileno())

        def row(number: int) -> None:
            bare.execute("BEGIN IMMEDIATE")
            bare.execute("INSERT INTO line (json) VALUES (?)", (content(number),))
            bare.execute("COMMIT")

        for number in range(times):
            reply = a_reply(number)
            steps: dict[str, Callable[[Submission], Any]] = {
                "sending": lambda _, number=number: log.plan(a_request(str(number)), sending=True),
                "done": lambda sending, reply=reply: log.change(sending, "done", reply=reply),
                "poll": lambda done, reply=reply: log.record_event("poll", submission=done, reply=reply),
            }
            submission: Any = None
            timed("SQLite alone", lambda number=number: row(number))
            for name, step in steps.items():
                timed("line", lambda number=number: line(number))
                submission = timed(name, lambda step=step, before=submission: step(before))
    log.close()
    bare.close()
    base = statistics.median(timings.pop("line"))
    print(f"a line: {base * 1e3:.2f} ms")
    for name, durations in timings.items():
        median = statistics.median(durations)
        print(f"{name}: {median * 1e3:.2f} ms, {median / base:.2f} lines, {(median - base) * 1e3:+.2f} ms")


class NullLog(Log):
    """A log that stores nothing: what submitting costs without one."""

    def __init__(self) -> None:
        super().__init__("nowhere")
        self._ids = itertools.count(1)

    def unsettled(self, service: str, account: str | None = None) -> list[Submission]:
        return []

    def find(self, service: str, title: str, account: str | None = None) -> None:
        """Find nothing."""

    def plan(
        self, request: Request, newest_known_id: int | None = None, *, sending: bool = False, **_: Any
    ) -> Submission:
        at = datetime.now(UTC)
        return Submission(
            id=next(self._ids), service=request.service, title=request.title,
            state="sending" if sending else "planned", attempt=int(sending),
            tune_id=None, newest_known_id=newest_known_id, request=request, planned_at=at, changed_at=at,
            record=None, problem=None, session="", version=0, uptime=None,
        )  # fmt: skip

    def change(self, submission: Submission, state: str, *, reply: Any = None, **_: Any) -> Submission:
        return replace(submission, state=state, record=reply)


class SlowService(BaseHTTPRequestHandler):
    """A service that answers every request correctly, after a delay."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    ids = itertools.count(1)

    def do_GET(self) -> None:
        self._answer(200, {"id": 43, "costs": {"cat": {"cost": 1}}} if "/p/" in self.path else [])

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(201, a_reply(next(self.ids)))

    def _answer(self, status: int, content: Any) -> None:
        time.sleep(SERVICE_SECONDS)
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowService)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def batch(folder: Path, tunes: int, workers: int) -> None:
    """Submit many tunes, with a log and without."""
    logs: dict[str, Any] = {"with": Log(folder / "batch.sqlite"), "without": NullLog()}
    seconds = dict.fromkeys(logs, 0.0)
    with service() as url, ThreadPoolExecutor(workers) as pool:
        client = anb.Client("sd_benchmark", base_url=url)

        def submit(title: str, log: Any) -> None:
            tune = anb.Tune(pack=43, name="cat", title=title, image_urls=URLS)
            anb.submit(tune, client, log=log, say=lambda *_: None, on_sent=lambda *_: None)

        for start in range(0, tunes, BLOCK):
            numbers = range(start, min(start + BLOCK, tunes))
            for name, log in logs.items():
                titles = [f"{name} {number}" for number in numbers]
                started = time.perf_counter()
                list(pool.map(lambda title, log=log: submit(title, log), titles))
                seconds[name] += time.perf_counter() - started
            print(f"\r{numbers.stop} of {tunes}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    logged, bare = seconds.values()
    print(f"{tunes} tunes, {workers} at a time: {logged:.1f} s with a log, {bare:.1f} s without")
    print(f"{logged / bare - 1:+.1%}, {(logged - bare) / tunes * 1e3:.2f} ms for each tune")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--appends", type=int, default=400)
    parser.add_argument("--tunes", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--dir", help="on which disk; default that of temporary files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as name:
        append(Path(name), options.appends)
        if options.tunes:
            batch(Path(name), options.tunes, options.workers)


if __name__ == "__main__":
    main()
