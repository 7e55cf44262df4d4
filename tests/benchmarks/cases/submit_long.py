"""A submission in a long log, in a process that stays open, as a notebook does."""

import sqlite3
from contextlib import closing
from typing import Any

from benchmarks.protocol import Case, Figure

SERVICE = "https://api.astria.ai"


def fill(path: str, rows: int) -> None:
    """Copy the first submission of a log until it has so many rows, with their events and bodies."""
    copied = {
        "id": "number",
        "title": "'copy ' || number",
        "tune_id": "number",
        "content_fingerprint": "'copy ' || number",
        "sealed": "1",
        "checksum": "NULL",
    }
    event = "at, kind, session, service, title, attempt, state, fingerprint, reply"
    numbers = "WITH RECURSIVE n(number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM n LIMIT ?)"
    with closing(sqlite3.connect(path)) as file, file:
        columns = [name for _, name, *_ in file.execute("PRAGMA table_info(submission)")]
        values = ", ".join(copied.get(name, name) for name in columns)
        for statement in (
            "INSERT INTO body SELECT randomblob(32), json FROM body, n",
            f"INSERT INTO submission ({', '.join(columns)}) SELECT {values} FROM submission, n",
            f"INSERT INTO event (submission, {event}) SELECT number, {event} FROM event, n",
        ):
            file.execute(f"{numbers} {statement}", (rows - 1,))


def submit(rows: int, times: int) -> dict[str, Any]:
    import statistics
    import tempfile
    import time

    import astria_nb as anb

    type.__setattr__(anb.Client, "service", SERVICE)  # each sandbox would be a service of its own
    durations, processor = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as folder, anb.Sandbox() as sandbox:
        path, client = f"{folder}/log.sqlite", sandbox.client()
        log = anb.ExperimentLog(path)
        for number in range(times + 2):
            title = f"t{number}"
            tune = anb.Tune(
                pack=797, name="cat", title=title, image_urls=[f"https://example.com/{title}.jpg"]
            )
            started, worked = time.perf_counter(), time.process_time()
            anb.submit(tune, client, log=log, say=lambda *_: None, on_sent=lambda *_: None)
            durations.append(time.perf_counter() - started)
            processor.append(time.process_time() - worked)
            if number == 0:
                log.close()  # the next submission opens it again
                fill(path, rows)
        log.close()
    warm = {"seconds": statistics.median(durations[2:]), "processor": statistics.median(processor[2:])}
    return {**warm, "first": durations[1]}


def peer(rows: int, times: int) -> dict[str, Any]:
    return submit(min(rows, 100), times)


def ours(rows: int, times: int) -> dict[str, Any]:
    return submit(rows, times)


CASE = Case(
    what="`submit` in a log of 300,000 rows",
    against="in a log of 100 rows",
    ours=ours,
    peer=peer,
    figures=(
        Figure("seconds", "time", most=1.2),
        Figure("processor", "processor", most=1.2),
        Figure("first", "the first of a process, which opens the log", beside=None),
    ),
    sizes={"rows": 300_000, "times": 40},
    small={"rows": 5, "times": 2},
    rounds=3,
)
