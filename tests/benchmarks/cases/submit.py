"""A submission in a process that has made some, beside the bare request and a row of its answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.protocol import Case, Figure

WARM = 5  # submissions that do not count
KEY = "sd_benchmark"


@contextmanager
def prepare(folder: Path, **_: Any) -> Iterator[dict[str, Any]]:
    from benchmarks.services import serving

    with serving("service.py", 0, 1, 0, 1) as url:  # an account that has one tune, and keeps no other
        yield {"url": url}


def fields(number: int) -> dict[str, Any]:
    addresses = [f"https://example.com/{number}-{image}.jpg" for image in range(4)]
    return {"title": f"benchmark {number}", "name": "cat", "image_urls": addresses}


def each(work: Any, tunes: int) -> dict[str, Any]:
    """Return the medians of what each of some calls takes."""
    import statistics
    import time

    took = []
    for number in range(WARM + tunes):
        started, processor = time.perf_counter(), time.process_time()
        work(number)
        took.append((time.perf_counter() - started, time.process_time() - processor))
    walls, processors = zip(*took[WARM:], strict=True)
    return {"seconds": statistics.median(walls), "processor": statistics.median(processors)}


def ours(url: str, tunes: int) -> dict[str, Any]:
    import os
    import tempfile

    import astria_nb as anb

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["ASTRIA_NB_LOG"] = f"{folder}/log.sqlite"
        client = anb.Client(KEY, base_url=url)

        def submit(number: int) -> None:
            tune = anb.Tune(pack=797, **fields(number))
            anb.submit(tune, client, on_sent=lambda *_: None, say=lambda *_: None)

        return each(submit, tunes)


def peer(url: str, tunes: int) -> dict[str, Any]:
    import pandas as pd
    import requests

    session = requests.Session()

    def post(number: int) -> None:
        headers = {"Authorization": f"Bearer {KEY}"}
        reply = session.post(f"{url}/p/797/tunes", json={"tune": fields(number)}, headers=headers)
        reply.raise_for_status()
        assert len(pd.DataFrame([reply.json()])) == 1

    return each(post, tunes)


CASE = Case(
    what="a submission on a service without delay, the pack known, an account of one tune",
    against="`requests.Session().post` and a row by pandas, no record",
    ours=ours,
    peer=peer,
    prepare=prepare,
    figures=(Figure("processor", "processor time", most=3), Figure("seconds", "time")),
    sizes={"tunes": 200},
    small={"tunes": 2},
)
