"""What a submission costs in a short log and in a long one, and beside another version of this package.

Run ``python tests/benchmarks/submit.py [--rows 100 300000] [--other CHECKOUT] [--python PYTHON]``, where
CHECKOUT is another version of this repository, such as a git worktree, and PYTHON has what it needs.

Each version submits to a log of its own of each size, in a process that stays open, as a notebook does: one
after the other, in turn, to the same sandbox in this process. A log is filled with copies of its first
submission: its row, its events, and as many bodies of JSON. A sandbox serves a few rounds, so that no account
has more tunes than a page lists.
"""

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROMISED_SHORT, PROMISED_LONG = 1.05, 0.2  # of the time that version 5517d8a takes
LONG = 100_000  # rows
TUNES = 100  # of an account
SERVICE = "https://api.astria.ai"


def work(log_path: str) -> None:
    """Submit a tune for each line of JSON, and print its seconds and those of the processor."""
    import astria_nb as anb

    type.__setattr__(anb.Client, "service", SERVICE)  # each sandbox would be a service of its own
    log = anb.ExperimentLog(log_path)
    for line in sys.stdin:
        title, url, key = json.loads(line)
        tune = anb.Tune(pack=797, name="cat", title=title, image_urls=[f"https://example.com/{title}.jpg"])
        client = anb.Client(key, base_url=url)
        client.pack(797)  # connects
        started, processor = time.perf_counter(), time.process_time()
        anb.submit(tune, client, log=log, say=lambda *_: None, on_sent=lambda *_: None)
        print(time.perf_counter() - started, time.process_time() - processor, flush=True)
        if title.endswith("first"):
            log.close()


class Process:
    """A process that submits with one version of the package to one log."""

    def __init__(self, python: str, checkout: Path, log: Path) -> None:
        self.log, self.opening, self.seconds = log, 0.0, list[tuple[float, float]]()
        self._process = subprocess.Popen(
            [python, __file__, "--work", log],
            env={**os.environ, "PYTHONPATH": str(checkout), "NO_PROXY": "*"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def submit(self, *order: str) -> tuple[float, float]:
        """Return the seconds, and those of the processor, that a submission took."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        wall, processor = map(float, self._process.stdout.readline().split())
        return wall, processor

    def close(self) -> None:
        self._process.communicate()


def fill(path: Path, rows: int) -> None:
    """Copy the first submission of a log until it has so many rows."""
    with closing(sqlite3.connect(path)) as file, file:
        copied = {
            "id": "number",
            "title": "'copy ' || number",
            "tune_id": "number",
            "content_fingerprint": "'copy ' || number",
            "sealed": "1",
            "checksum": "NULL",
        }
        columns = [name for _, name, *_ in file.execute("PRAGMA table_info(submission)")]
        values = ", ".join(copied.get(name, name) for name in columns)
        event = "at, kind, session, service, title, attempt, state, fingerprint, reply"
        numbers = "WITH RECURSIVE n(number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM n LIMIT ?)"
        for statement in (
            "INSERT INTO body SELECT randomblob(32), json FROM body, n",
            f"INSERT INTO submission ({', '.join(columns)}) SELECT {values} FROM submission, n",
            f"INSERT INTO event (submission, {event}) SELECT number, {event} FROM event, n",
        ):
            file.execute(f"{numbers} {statement}", (rows - 1,))
    file.close()


def run(processes: dict[tuple[str, int], Process], rounds: int) -> None:
    """Fill the logs, and submit in turn."""
    from astria_nb.sandbox import SandboxServer

    for start in range(0, rounds, block := TUNES // len(processes)):
        with SandboxServer() as sandbox:
            account = sandbox.url, sandbox.api_key
            for (_, rows), process in processes.items():
                if start == 0:
                    process.submit(f"{process.log.stem}-first", *account)
                    fill(process.log, rows)
                    process.opening, _ = process.submit(f"{process.log.stem}-opens", *account)
            for number in range(start, min(start + block, rounds)):
                for process in processes.values():
                    process.seconds.append(process.submit(f"{process.log.stem}-{number}", *account))


def report(processes: dict[tuple[str, int], Process]) -> bool:
    """Print the medians, and return whether a promise was broken."""
    medians, is_broken = {}, False
    for (version, rows), process in processes.items():
        wall, processor = (1e3 * statistics.median(column) for column in zip(*process.seconds, strict=True))
        medians[version, rows] = wall
        print(f"{version}, {rows:,} rows: {wall:.1f} ms, processor {processor:.1f} ms", end="")
        print(f"; the first in a filled log {process.opening * 1e3:.0f} ms")
    for (version, rows), wall in medians.items():
        if version == "this" and ("other", rows) in medians:
            ratio, promised = wall / medians["other", rows], PROMISED_LONG if rows >= LONG else PROMISED_SHORT
            print(f"this / other, {rows:,} rows: {ratio:.2f}   promised beside 5517d8a: at most {promised}")
            is_broken = is_broken or ratio > promised
    return is_broken


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 300_000])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--other", type=Path, help="a checkout of another version")
    parser.add_argument("--python", default=sys.executable, help="that has what the other version needs")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work)
        return 0
    versions = {"this": (sys.executable, ROOT)}
    if options.other:
        versions["other"] = options.python, options.other.resolve()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        processes = {
            (version, rows): Process(python, checkout, Path(folder) / f"{version}-{rows}.sqlite")
            for rows in options.rows
            for version, (python, checkout) in versions.items()
        }
        for process in processes.values():
            running.callback(process.close)
        run(processes, options.rounds)
        return report(processes)


if __name__ == "__main__":
    sys.exit(main())
