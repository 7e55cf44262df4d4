"""Many tunes of addresses, sent by 32 threads to a service that takes 50 ms for each."""

from contextlib import closing
from typing import Any

from benchmarks.protocol import Case, Figure

THREADS, SECONDS = 32, 0.05


def frame_of(rows: int) -> Any:
    import pandas as pd

    urls = [[f"https://example.com/{row}.jpg"] for row in range(rows)]
    keys = [str(row) for row in range(rows)]
    return pd.DataFrame({"key": keys, "pack": 797, "name": "cat", "image_urls": urls})


def peer(rows: int) -> dict[str, Any]:
    import threading
    import time
    from concurrent.futures import ThreadPoolExecutor

    import requests

    from benchmarks.services import serving

    frame, local = frame_of(rows), threading.local()
    with serving("service.py", SECONDS) as url, ThreadPoolExecutor(THREADS) as pool:

        def post(row: dict[str, Any]) -> Any:
            if not hasattr(local, "session"):
                local.session = requests.Session()
            body = {"tune": {"title": row["key"], "name": row["name"], "image_urls": row["image_urls"]}}
            headers = {"Authorization": "Bearer sd_x"}
            return local.session.post(f"{url}/p/797/tunes", json=body, headers=headers).json()["id"]

        started, worked = time.perf_counter(), time.process_time()
        assert len(set(pool.map(post, frame.to_dict("records")))) == rows
        seconds, processor = time.perf_counter() - started, time.process_time() - worked
    return {"seconds": seconds, "processor": processor / rows}


def ours(rows: int) -> dict[str, Any]:
    import tempfile
    import time

    import astria_nb as anb
    from benchmarks.services import serving

    frame = frame_of(rows)
    with tempfile.TemporaryDirectory() as folder, serving("service.py", SECONDS) as url:
        log = anb.ExperimentLog(f"{folder}/log.sqlite")
        with closing(log), closing(anb.Client("sd_benchmark", base_url=url)) as client:
            options: dict[str, Any] = {"log": log, "max_workers": THREADS, "say": lambda *_: None}
            anb.submit_many(frame_of(1).assign(key="first"), client, **options)  # imports what it needs
            started, worked = time.perf_counter(), time.process_time()
            submitted = anb.submit_many(frame, client, **options)
            seconds, processor = time.perf_counter() - started, time.process_time() - worked
        assert set(submitted["state"]) == {"done"}
    with tempfile.TemporaryDirectory() as folder, anb.Sandbox(tune_fields="record") as sandbox:
        log = anb.ExperimentLog(f"{folder}/log.sqlite")
        anb.submit_many(frame, sandbox.client(), log=log, max_workers=THREADS, say=lambda *_: None)
        log.close()
        others = sum(request.method != "POST" for request in sandbox.ledger)
    return {"seconds": seconds, "processor": processor / rows, "requests": others / rows}


CASE = Case(
    what="`submit_many` of addresses, a service of 50 ms, 32 threads, a durable log",
    against="a pool of threads with `requests.Session().post`",
    ours=ours,
    peer=peer,
    figures=(
        Figure("seconds", "time", most=1 / 0.9),
        Figure("processor", "processor added to a tune", most=0.003, added=True),
        Figure("requests", "requests of a tune beyond its POST", most=0.05, beside=None, unit=""),
    ),
    sizes={"rows": 2000},
    small={"rows": 4},
)
