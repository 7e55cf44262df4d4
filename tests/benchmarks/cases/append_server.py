"""What the log writes on a server of PostgreSQL, beside a row with the same content in a bare table."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on", "shared_buffers": "128MB"}
FIGURES = ("intent", "outcome", "poll")


@contextmanager
def prepare(folder: Path, **_: Any) -> Iterator[dict[str, Any]]:
    from helpers.postgres_server import PostgresServer

    server = PostgresServer(DURABLE).start()
    try:
        yield {"address": server.address()}
    finally:
        server.remove()


def ours(address: str, appends: int) -> dict[str, Any]:
    import statistics
    import time
    import uuid
    from contextlib import closing

    import astria_nb as anb
    from benchmarks.appends import a_reply, a_request

    seconds: dict[str, list[float]] = {name: [] for name in FIGURES}
    with closing(anb.ExperimentLog(address)) as log:
        log.plan(a_request(str(uuid.uuid4())))
        for number in range(appends):
            request, reply = a_request(str(uuid.uuid4())), a_reply(number)
            times = [time.perf_counter()]
            submission = log.plan(request, sending=True)
            times.append(time.perf_counter())
            submission = log.change(submission, "done", reply=reply)
            times.append(time.perf_counter())
            log.record_event("poll", submission=submission, reply=reply)
            times.append(time.perf_counter())
            for name, start, end in zip(FIGURES, times, times[1:], strict=False):
                seconds[name].append(end - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def peer(address: str, appends: int) -> dict[str, Any]:
    import json
    import statistics
    import time

    import psycopg

    from benchmarks.appends import a_reply, a_request

    seconds = []
    with psycopg.connect(address) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS line (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, json text)"
        )
        connection.commit()
        for number in range(3 * appends):
            started = time.perf_counter()
            content = {"request": a_request(str(number)).parameters, "reply": a_reply(number)}
            insert = "INSERT INTO line (json) VALUES (%s) RETURNING id"
            connection.execute(insert, (json.dumps(content),)).fetchone()
            connection.commit()
            seconds.append(time.perf_counter() - started)
    return dict.fromkeys(FIGURES, statistics.median(seconds))


CASE = Case(
    what="a submission in a log on a server: before it is sent, when it was answered, when it was asked for",
    against="`INSERT … RETURNING` and COMMIT there",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=tuple(Figure(name, name, most=2.5) for name in FIGURES),
    sizes={"appends": 200},
    small={"appends": 1},
)
