"""A batch that becomes long, sent to a service without delay."""

from contextlib import closing
from typing import Any

from benchmarks.growth import LAST_STEP, grown
from benchmarks.protocol import Case


def submit(rows: int, threads: int = 8) -> float:
    """Return the seconds of our processor that a batch takes: the service is another process."""
    import tempfile
    import time

    import pandas as pd

    import astria_nb as anb
    from benchmarks.services import serving

    urls = [[f"https://example.com/{row}.jpg"] for row in range(rows)]
    values = {"key": [str(row) for row in range(rows)], "pack": 797, "name": "cat", "image_urls": urls}
    frame = pd.DataFrame(values)
    with tempfile.TemporaryDirectory() as folder, serving("service.py", 0) as url:
        log = anb.ExperimentLog(f"{folder}/log.sqlite")
        with closing(log), closing(anb.Client("sd_benchmark", base_url=url)) as client:
            started = time.process_time()
            made = anb.submit_many(frame, client, log=log, max_workers=threads, say=lambda *_: None)
            seconds = time.process_time() - started
        assert set(made["state"]) == {"done"}
    return seconds


def ours(counts: list[int]) -> dict[str, Any]:
    submit(1)  # imports what it needs
    return grown([submit(count) for count in counts], counts)


CASE = Case(
    what="`submit_many` of up to 100,000 tunes",
    against="itself",
    ours=ours,
    figures=(LAST_STEP,),
    sizes={"counts": [100, 1_000, 10_000, 100_000]},
    small={"counts": [1, 2, 4]},
    rounds=1,
)
