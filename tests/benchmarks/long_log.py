"""Logs of many trained tunes, filled as by submitting, but with many submissions in a transaction."""

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import astria_nb as anb
from astria_nb.log import Log
from astria_nb.log import _serialization as serialization
from astria_nb.tune import ImageRecord, Request

SERVICE = "https://api.astria.ai"
START = 1_790_000_000_000_000  # microseconds
STEP = 10_000  # rows in a transaction
TAG, TAGGED = "liked", 1_000  # tunes, all over the log
Row = tuple[str, dict[str, Any]]


def a_reply(number: int) -> dict[str, Any]:
    """Return what the service and we know of a trained tune of four images."""
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


def long_log(folder: Path, tunes: int) -> Path:
    """Return the path of a log of so many tunes, which is made unless another case has: it takes minutes."""
    path = folder.parent / f"log-{tunes}.sqlite"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        with closing(anb.ExperimentLog(unfinished)) as log:
            fill(log, unfinished, range(tunes))
            frame = log.frame()  # has their segments made
            log.tag(frame.iloc[:: max(1, tunes // TAGGED)].head(TAGGED), TAG)
        unfinished.rename(path)
    return path


def fill(log: Log, path: Path, numbers: range) -> None:
    """Write submissions of trained tunes, each with its three events; the first is number 0."""
    session = log.register()
    log.close()
    with closing(sqlite3.connect(path)) as connection:
        for start in range(numbers.start, numbers.stop, STEP):
            tables: dict[str, list[dict[str, Any]]] = {"body": [], "submission": [], "event": []}
            for number in range(start, min(start + STEP, numbers.stop)):
                for table, row in _rows(number, session):
                    tables[table].append(row)
            with connection:
                for table, rows in tables.items():
                    values = ", ".join(f":{name}" for name in rows[0])
                    connection.executemany(
                        f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({values})", rows
                    )


def _rows(number: int, session: str) -> Iterator[Row]:
    reply = a_reply(number)
    images = tuple(ImageRecord(f"/photos/{image}.jpg", f"{image}.jpg", 1_000_000, 5) for image in range(4))
    request = Request(
        SERVICE, 260, reply["title"], "multipart", {"title": reply["title"], "name": "woman"}, images
    )
    hashes = []
    for value in (serialization.of_request(request.recorded()), reply):
        text = json.dumps(value, separators=(",", ":"))
        hashes.append(hashlib.sha256(text.encode()).digest())
        yield "body", {"sha256": hashes[-1], "json": text}
    at, row_id = START + number * 1_000_000, number + 1
    shared = {"service": SERVICE, "title": reply["title"], "session": session, "attempt": 1}
    shared |= {"state": "done", "tune_id": reply["id"], "fingerprint": request.fingerprint}
    yield "submission", shared | {
        "id": row_id, "version": 2, "request": hashes[0], "record": hashes[1], "planned_at": at,
        "changed_at": at, "image_sha256": json.dumps(reply["image_sha256"]),
    }  # fmt: skip
    for kind in ("planned", "sending", "done"):
        reply_hash = hashes[1] if kind == "done" else None
        yield "event", shared | {"at": at, "kind": kind, "submission": row_id, "reply": reply_hash}
