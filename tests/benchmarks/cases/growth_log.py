"""Appending to a log that has become long: the intent and the outcome of a submission.

Those before are written with many in a transaction: one by one, a hundred thousand take minutes.
"""

from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.growth import LAST_STEP, of_items
from benchmarks.protocol import Case


def appending(path: Path, before: int, count: int, appends: int) -> float:
    """Return the seconds of a processor that a submission takes, once a log of some has so many."""
    import time

    import astria_nb as anb
    from astria_nb.tune import Request
    from benchmarks.long_log import SERVICE, a_reply, fill

    with closing(anb.ExperimentLog(path)) as log:
        fill(log, path, range(before, count))

        def submit(number: int) -> None:
            reply = a_reply(number)
            fields = {"title": reply["title"], "name": "woman", "image_urls": reply["orig_images"]}
            submission = log.plan(Request(SERVICE, 260, reply["title"], "json", fields), sending=True)
            log.change(submission, "done", reply=reply)

        submit(count)  # checks the indexes, once in a process
        started = time.process_time()
        for number in range(count + 1, count + 1 + appends):
            submit(number)
        return (time.process_time() - started) / appends


def ours(counts: list[int], appends: int) -> dict[str, Any]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        ends = counts[1:]  # of the steps
        starts = [0, *(count + 1 + appends for count in ends)]
        path = Path(folder) / "log.sqlite"
        items = [appending(path, *step, appends) for step in zip(starts, ends, strict=False)]
    return of_items(items, counts)


CASE = Case(
    what="intent and outcome of a submission, at the end of each step to 100,000 of them",
    against="itself",
    ours=ours,
    figures=(LAST_STEP,),
    sizes={"counts": [100, 1_000, 10_000, 100_000], "appends": 1_000},
    small={"counts": [1, 10, 20], "appends": 2},
    rounds=3,
)
