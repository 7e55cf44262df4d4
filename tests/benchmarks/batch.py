"""Many tunes beside what only sends them: bare requests, curl. Each has a service of its own on loopback.

Run ``python tests/benchmarks/batch.py [json|photos|memory|lost|all] [ROWS]``.

- ``json``: tunes with addresses to a service that takes 50 ms, on 32 threads and with a durable log, beside a
  pool of threads that each post with a `requests.Session`.
- ``photos``: four photos of 3 MB a row on eight connections, beside ``curl --parallel -F``.
- ``memory``: 16 photos of 20 kB a row.
- ``lost``: answers that are lost after the tune was made; how many requests find all of them.
"""

import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pandas as pd
import requests

import astria_nb as anb

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a program

from benchmarks.jpeg_files import photos

FOLDER = Path(__file__).parent
MB = 10**6
PROMISED_RATE, PROMISED_PROCESSOR, PROMISED_REQUESTS = 0.9, 3.0, 0.05
PROMISED_WALL, PROMISED_MEMORY, PROMISED_LOOKS = 1.3, 150, 20
THREADS, CONNECTIONS = 32, 8


@contextmanager
def service(seconds: float) -> Iterator[str]:
    command = [sys.executable, FOLDER / "service.py", str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def tunes(rows: int, **columns: object) -> pd.DataFrame:
    urls = [[f"https://example.com/{row}.jpg"] for row in range(rows)]
    values = {"key": [str(row) for row in range(rows)], "pack": 797, "name": "cat", "image_urls": urls}
    return pd.DataFrame({**values, **columns})


@contextmanager
def new_log() -> Iterator[anb.ExperimentLog]:
    with tempfile.TemporaryDirectory() as folder, closing(anb.ExperimentLog(f"{folder}/log.sqlite")) as log:
        yield log


def measured(work: object) -> tuple[float, float]:
    """Return the seconds that a call takes, and those of this process's processor."""
    started, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - processor


def bare(url: str, frame: pd.DataFrame) -> None:
    local = threading.local()

    def post(row: dict[str, object]) -> object:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        body = {"tune": {"title": row["key"], "name": row["name"], "image_urls": row["image_urls"]}}
        reply = local.session.post(f"{url}/p/797/tunes", json=body, headers={"Authorization": "Bearer sd_x"})
        return reply.json()["id"]

    with ThreadPoolExecutor(THREADS) as pool:
        assert len(set(pool.map(post, frame.to_dict("records")))) == len(frame)


def submit(url: str, frame: pd.DataFrame, log: anb.ExperimentLog, workers: int) -> None:
    with closing(anb.Client("sd_benchmark", base_url=url)) as client:
        rows = anb.submit_many(
            frame, client, log=log, max_workers=workers, keep_damaged=True, say=lambda *_: None
        )
    assert set(rows["state"]) == {"done"}, rows["error"].dropna().iloc[0]


def compare_json(rows: int) -> bool:
    frame, rounds = tunes(rows), 3 if rows > 100 else 1
    ratios, beyond = [], []
    for _ in range(rounds):
        with service(0.05) as url:
            bare_wall, bare_processor = measured(lambda url=url: bare(url, frame))
        with service(0.05) as url, new_log() as log:
            submit(url, tunes(1, key="first"), log, 1)
            wall, processor = measured(lambda url=url, log=log: submit(url, frame, log, THREADS))
        ratios.append(bare_wall / wall)
        beyond.append((processor - bare_processor) / rows * 1000)
        print(
            f"bare {rows / bare_wall:.0f}/s, submit_many {rows / wall:.0f}/s, {beyond[-1]:.2f} ms beyond it"
        )
    with anb.Sandbox(tune_fields="record") as sandbox, new_log() as log:
        anb.submit_many(frame, sandbox.client(), log=log, max_workers=THREADS, say=lambda *_: None)
        others = sum(request.method != "POST" for request in sandbox.ledger)
    rate, processor = max(ratios), min(beyond)
    print(f"submit_many / bare      {rate:.2f} (promised {PROMISED_RATE})")
    print(f"processor beyond bare   {processor:.2f} ms a tune (promised {PROMISED_PROCESSOR:.0f})")
    print(f"requests beyond POST    {others / rows:.3f} a tune (promised {PROMISED_REQUESTS})")
    return rate >= PROMISED_RATE and processor <= PROMISED_PROCESSOR and others / rows <= PROMISED_REQUESTS


def by_curl(url: str, groups: list[list[Path]], folder: Path) -> None:
    parts = []
    for number, paths in enumerate(groups):
        forms = "".join(f'form = "tune[images][]=@{path}"\n' for path in paths)
        fields = f'form = "tune[title]=t{number}"\nform = "tune[name]=cat"\n{forms}'
        parts.append(f'url = "{url}/p/797/tunes"\noutput = "{os.devnull}"\n{fields}')
    (folder / "curl.txt").write_text("next\n".join(parts))
    command = [
        "curl",
        "-sf",
        "--no-progress-meter",
        "--noproxy",
        "*",
        "--parallel",
        "--parallel-max",
        str(CONNECTIONS),
    ]
    subprocess.run([*command, "-K", str(folder / "curl.txt")], check=True)


def compare_photos(rows: int) -> bool:
    ratios = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = photos(folder, 4 * min(rows, 25), 3 * MB)  # 300 MB of photos; the rows take turns
        choices = itertools.cycle([paths[first : first + 4] for first in range(0, len(paths), 4)])
        groups = list(itertools.islice(choices, rows))
        frame = tunes(rows, images=groups).drop(columns="image_urls")
        for _ in range(3 if rows > 10 else 1):
            with service(0.0) as url:
                curl, _ = measured(lambda url=url: by_curl(url, groups, folder))
            with service(0.0) as url, new_log() as log:
                submit(url, tunes(1, key="first"), log, 1)
                wall, processor = measured(lambda url=url, log=log: submit(url, frame, log, CONNECTIONS))
            ratios.append(wall / curl)
            print(f"curl {curl:.2f} s, submit_many {wall:.2f} s, {processor:.2f} s of processor")
    print(f"submit_many / curl      {min(ratios):.2f} (promised {PROMISED_WALL})")
    return min(ratios) <= PROMISED_WALL


def peak_memory() -> int:
    """Return the most bytes that this process has had in memory."""
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def measure_memory(rows: int) -> bool:
    with tempfile.TemporaryDirectory() as name:
        paths = photos(Path(name), 160, 20_000)
        choices = itertools.cycle([paths[first : first + 16] for first in range(0, len(paths), 16)])
        frame = tunes(rows, images=[*itertools.islice(choices, rows)]).drop(columns="image_urls")
        with service(0.0) as url, new_log() as log:
            submit(url, frame.head(20).assign(key=frame["key"].head(20) + " first"), log, CONNECTIONS)
            before = peak_memory()
            submit(url, frame, log, CONNECTIONS)
    added = (peak_memory() - before) / MB
    print(f"memory over the start   {added:.0f} MB for {rows:,} rows (promised {PROMISED_MEMORY})")
    return added <= PROMISED_MEMORY


def count_looks(rows: int) -> bool:
    with anb.Sandbox(tune_fields="record") as sandbox, new_log() as log:
        sandbox.fail("504", "POST /p/*/tunes", count=None, commit="yes")
        found = anb.submit_many(
            tunes(rows), sandbox.client(), log=log, settle=0.2, max_workers=CONNECTIONS, say=lambda *_: None
        )
        looks = sum(request.method == "GET" for request in sandbox.ledger)
        assert set(found["state"]) == {"adopted"}
        assert found["id"].nunique() == rows
    print(f"{rows} lost answers        found by {looks} requests (promised {PROMISED_LOOKS})")
    return looks <= PROMISED_LOOKS


PROGRAMS = {
    "json": (compare_json, 2000),
    "photos": (compare_photos, 300),
    "memory": (measure_memory, 10_000),
    "lost": (count_looks, 500),
}


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "all"
    chosen = PROGRAMS if name == "all" else [name]
    kept = [
        program(int(sys.argv[2]) if len(sys.argv) > 2 else rows)
        for program, rows in (PROGRAMS[key] for key in chosen)
    ]
    sys.exit(not all(kept))


if __name__ == "__main__":
    main()
