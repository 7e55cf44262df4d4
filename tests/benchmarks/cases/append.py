"""What the log writes before and after a submission, beside a line of JSON that is on the disk as well."""

from contextlib import closing
from typing import Any

from benchmarks.protocol import Case, Figure


def ours(appends: int) -> dict[str, Any]:
    import statistics
    import tempfile
    import time

    import astria_nb as anb
    from benchmarks.appends import a_reply, a_request

    seconds: dict[str, list[float]] = {"intent": [], "outcome": []}
    with tempfile.TemporaryDirectory() as folder, closing(anb.ExperimentLog(f"{folder}/log.sqlite")) as log:
        log.plan(a_request("first"))
        for number in range(appends):
            started = time.perf_counter()
            submission = log.plan(a_request(str(number)), sending=True)
            planned = time.perf_counter()
            log.change(submission, "done", reply=a_reply(number))
            seconds["outcome"].append(time.perf_counter() - planned)
            seconds["intent"].append(planned - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def peer(appends: int) -> dict[str, Any]:
    import json
    import os
    import statistics
    import tempfile
    import time

    from benchmarks.appends import a_reply, a_request

    seconds = []
    with tempfile.TemporaryFile(buffering=0) as lines:
        for number in range(2 * appends):
            started = time.perf_counter()
            content = {"request": a_request(str(number)).parameters, "reply": a_reply(number)}
            lines.write(json.dumps(content).encode() + b"\n")
            os.fdatasync(lines.fileno())
            seconds.append(time.perf_counter() - started)
    return dict.fromkeys(("intent", "outcome"), statistics.median(seconds))


CASE = Case(
    what="a submission in the log: durable before it is sent, and when it was answered",
    against="a line of JSON and `fdatasync`",
    ours=ours,
    peer=peer,
    figures=(Figure("intent", "intent", most=1.6), Figure("outcome", "outcome", most=1.6)),
    sizes={"appends": 1000},
    small={"appends": 3},
    rounds=7,
)
