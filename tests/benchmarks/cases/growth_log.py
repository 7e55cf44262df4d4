"""Appending to a log that becomes long: the intent and the outcome of each submission."""

from contextlib import closing
from typing import Any

from benchmarks.growth import LAST_STEP, grown, until_counts
from benchmarks.protocol import Case


def ours(counts: list[int]) -> dict[str, Any]:
    import tempfile

    import astria_nb as anb
    from astria_nb.tune import Request
    from benchmarks.long_log import SERVICE, a_reply

    with tempfile.TemporaryDirectory() as folder, closing(anb.ExperimentLog(f"{folder}/log.sqlite")) as log:

        def submit(number: int) -> None:
            reply = a_reply(number)
            fields = {"title": reply["title"], "name": "woman", "image_urls": reply["orig_images"]}
            submission = log.plan(Request(SERVICE, 260, reply["title"], "json", fields), sending=True)
            log.change(submission, "done", reply=reply)

        return grown(until_counts(submit, counts), counts)


CASE = Case(
    what="intent and outcome of 100,000 submissions, one after the other",
    against="itself",
    ours=ours,
    figures=(LAST_STEP,),
    sizes={"counts": [100, 1_000, 10_000, 100_000]},
    small={"counts": [1, 2, 4]},
    rounds=1,
)
