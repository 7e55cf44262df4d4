"""How long `log.frame()` takes, beside what one would write without it.

Run ``python tests/benchmarks/log_frame.py [TUNES]``.

The log is filled as by submitting (the same tables, bodies and segments, a trained tune of four images in
each row), but with many submissions in a transaction. The alternative is `pandas.read_sql` and `json.loads`
of each record, which gives the content of the records no columns and no types.
"""

import argparse
import gc
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from astria_nb.log import Log
from astria_nb.log import _frames as frames
from astria_nb.log import _serialization as serialization
from astria_nb.log._schema import body, event, submission
from astria_nb.tune import ImageRecord, Request

SERVICE = "https://api.astria.ai"
START = 1_790_000_000_000_000  # microseconds
STEP = 10_000  # rows in a transaction
READ_SQL = """
    SELECT s.id, s.service, s.title, s.state, s.planned_at, s.problem, b.json
    FROM submission s JOIN body b ON b.sha256 = s.record ORDER BY s.id
"""


def a_reply(number: int) -> dict[str, Any]:
    title = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(START / 1e6 + number))
    return {
        "id": 1_000_000 + number,
        "title": title,
        "name": "woman",
        "eta": at,
        "started_training_at": at,
        "trained_at": at,
        "expires_at": at.replace("2026", "2027"),
        "created_at": at,
        "updated_at": at,
        "url": f"https://www.astria.ai/tunes/{1_000_000 + number}.json",
        "orig_images": [
            f"https://sdbooth2-production.s3.amazonaws.com/{title[: 28 - image]}" for image in range(4)
        ],
        "pack": 260,
        "encoding": "multipart",
        "image_sha256": [hashlib.sha256(f"{number} {image}".encode()).hexdigest() for image in range(4)],
        "tune_ids": None,
    }


def fill(log: Log, tunes: int) -> None:
    """Write submissions of trained tunes, each with its three events."""
    first = log.plan(Request(SERVICE, 260, "first", "json", {"title": "first", "name": "woman"}))
    log.change(first, "not_sent")
    with log._database.store.read() as connection:
        (session,) = connection.execute(sa.select(submission.c.session)).one()
    for start in range(0, tunes, STEP):
        tables: dict[sa.Table, list[dict[str, Any]]] = {body: [], submission: [], event: []}
        for number in range(start, min(start + STEP, tunes)):
            for table, row in _rows(number, session):
                tables[table].append(row)
        with log._database.store.write() as connection:
            for table, rows in tables.items():
                connection.execute(table.insert(), rows)
        frames.seal(log._database)
        print(f"\r{min(start + STEP, tunes):,} tunes written", end="", flush=True)
    print()


def _rows(number: int, session: str) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    reply = a_reply(number)
    images = tuple(ImageRecord(f"/photos/{image}.jpg", f"{image}.jpg", 1_000_000, 5) for image in range(4))
    request = Request(
        SERVICE, 260, reply["title"], "multipart", {"title": reply["title"], "name": "woman"}, images
    )
    hashes = []
    for value in (serialization.of_request(request.recorded()), reply):
        text = json.dumps(value, separators=(",", ":"))
        hashes.append(hashlib.sha256(text.encode()).digest())
        yield body, {"sha256": hashes[-1], "json": text}
    at, id = START + number * 1_000_000, number + 2  # noqa: A001  the column's own name
    shared = {"service": SERVICE, "title": reply["title"], "session": session, "attempt": 1}
    shared |= {"state": "done", "tune_id": reply["id"], "fingerprint": request.fingerprint}
    yield submission, shared | {
        "id": id, "version": 2, "request": hashes[0], "record": hashes[1], "planned_at": at, "changed_at": at,
        "image_sha256": json.dumps(reply["image_sha256"]),
    }  # fmt: skip
    for kind in ("planned", "sending", "done"):
        yield (
            event,
            shared
            | {"at": at, "kind": kind, "submission": id, "reply": hashes[1] if kind == "done" else None},
        )


def seconds(work: Callable[[], Any], times: int) -> float:
    durations = []
    for _ in range(times):
        gc.collect()
        started = time.perf_counter()
        result = work()
        durations.append(time.perf_counter() - started)
        del result
    return statistics.median(durations)


def by_read_sql(path: Path) -> pd.DataFrame:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        frame = pd.read_sql(sa.text(READ_SQL), connection)
    engine.dispose()
    return frame.assign(json=[json.loads(text) for text in frame["json"]])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tunes", nargs="?", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--dir", help="where to keep the log, for another run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(options.dir or name) / f"log-{options.tunes}.sqlite"
        filled, log = path.exists(), Log(path)
        if not filled:
            fill(log, options.tunes)
        print(f"{path.stat().st_size / 1e6:,.0f} MB")
        ours, theirs = (
            seconds(log.frame, options.times), seconds(lambda: by_read_sql(path), min(options.times, 2))
        )  # fmt: skip
        assert len(log.frame()) == options.tunes + 1
        print(f"frame: {ours:.2f} s, read_sql and json.loads: {theirs:.2f} s, {theirs / ours:.1f} times")
        log.close()


if __name__ == "__main__":
    main()
