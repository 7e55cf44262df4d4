"""Kill notebooks and workers that send batches, at random moments, and count what went wrong.

python tests/proofs/batch_kills.py cells|workers|cluster [ROUNDS] [--rows N] [--mutant NAME]

``cells``: a cell that submits a frame is killed, and run again with a row more at the top. ``workers``: rows
are sent by processes that are killed, and begun again, as Dask does it. ``cluster``: by a LocalCluster of
Dask with two processes, of which one is killed. After each round the cell is run once more.

The sandbox's ledger is the judge. A row that was made twice is a duplicate; one that was made but is not in
the log is lost; one that was not made, although nothing kept it from being made, is missing.
"""

import argparse
import base64
import contextlib
import json
import logging
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from unittest import mock

import pandas as pd

import astria_nb as anb
from astria_nb.log import HAS_TUNE

HERE = Path(__file__).parent
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))

from proofs.batch_mutants import MUTANTS, mutated  # noqa: E402
from proofs.batch_submitter import tunes  # noqa: E402

SLOW_SECONDS = 0.03  # of each request: a kill then finds some under way
SETTLE_SECONDS = 1.0


@dataclass
class BatchTally:
    """What came out of some rounds."""

    rounds: int = 0
    killed: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.duplicates or self.lost or self.missing)

    def __str__(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.ended.items()))
        return (
            f"{self.rounds} rounds, {self.killed} kills, {len(self.duplicates)} duplicates, "
            f"{len(self.lost)} lost, {len(self.missing)} missing ({states})"
        )


class BatchSubmitter:
    """The process that forks the ones to kill."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "batch_submitter.py"],
            env={**os.environ, "NO_PROXY": "*", "PYTHONPATH": os.pathsep.join([str(HERE.parent), *sys.path])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, order: dict[str, Any], kill_after: float | None = None) -> int:
        """Have a child carry out an order, kill it after some seconds, and return how it ended."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        if kill_after is not None:
            time.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):  # it was faster
                os.kill(child, signal.SIGKILL)
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


class KilledWorkers(Executor):
    """Processes that do what they are given, of which some are killed and replaced, as by Dask.

    Parameters
    ----------
    submitters : list of BatchSubmitter
        One for each worker.
    folder : Path
    order : dict
        With the key and the mutant.
    chance : random.Random
    """

    def __init__(
        self, submitters: list[BatchSubmitter], folder: Path, order: dict[str, Any], chance: random.Random
    ) -> None:
        self._idle: SimpleQueue[BatchSubmitter] = SimpleQueue()
        for submitter in submitters:
            self._idle.put(submitter)
        self._threads = ThreadPoolExecutor(len(submitters))
        self._folder, self._order, self._chance = folder, order, chance
        self._pace = 0.2
        self.killed = 0

    def submit(self, *call: Any) -> Future[Any]:  # type: ignore[override]
        return self._threads.submit(self._run, base64.b64encode(pickle.dumps(call)).decode())

    def _run(self, parcel: str) -> Any:
        submitter = self._idle.get()
        try:
            result = self._folder / f"result-{threading.get_ident()}"
            order = self._order | {"parcel": parcel, "result": str(result)}
            for _ in range(self._chance.choice([0, 0, 1, 1, 2])):
                status = submitter.run(order, self._chance.uniform(0, 1.3 * self._pace))
                self.killed += status == -signal.SIGKILL
            started = time.monotonic()
            assert submitter.run(order) == 0
            self._pace = min(self._pace, time.monotonic() - started)
            return pickle.loads(result.read_bytes())
        finally:
            self._idle.put(submitter)

    def shutdown(self, wait: bool = True, **_: Any) -> None:
        self._threads.shutdown(wait)


@contextlib.contextmanager
def stage() -> Iterator[tuple[anb.Sandbox, Path]]:
    """Yield a slow service, and a folder for the log."""
    with tempfile.TemporaryDirectory() as name, anb.Sandbox() as sandbox, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sandbox.fail("slow", "POST /p/*/tunes", count=None, seconds=SLOW_SECONDS)
        yield sandbox, Path(name)


def play_cells(
    rounds: int, *, rows: int = 20, mutant: str = "", seed: int = 0, submitter: BatchSubmitter
) -> BatchTally:
    """Kill cells that submit frames, and run each again, with a row more at the top."""
    chance, tally = random.Random(seed), BatchTally()
    with stage() as (sandbox, folder):
        result = folder / "rows.json"
        order = {"log": str(folder / "log.sqlite"), "url": sandbox.url, "key": sandbox.api_key}
        order |= {"mutant": mutant, "result": str(result), "settle": SETTLE_SECONDS}
        pace = min(
            _seconds(submitter, order | {"round": -repeat, "rows": [*range(rows)]}) for repeat in (1, 2)
        )
        for number in range(rounds):
            order |= {"round": number, "rows": [*range(rows)]}
            status = submitter.run(order, chance.uniform(0.1 * pace, pace))
            tally.killed += status == -signal.SIGKILL
            result.unlink(missing_ok=True)
            submitter.run(order | {"rows": [rows, *range(rows)]})
            ended = pd.DataFrame(json.loads(result.read_text("utf-8"))) if result.exists() else None
            states = ["crashed"] * (rows + 1) if ended is None else list(ended["state"])
            judge(sandbox, folder, number, [rows, *range(rows)], states, tally)
    return tally


def _seconds(submitter: BatchSubmitter, order: dict[str, Any]) -> float:
    started = time.monotonic()
    submitter.run(order)
    return time.monotonic() - started


def play_workers(
    rounds: int, *, rows: int = 12, mutant: str = "", seed: int = 0, submitters: list[BatchSubmitter]
) -> BatchTally:
    """Send frames by workers that are killed, and replaced."""
    chance, tally = random.Random(seed), BatchTally()
    with stage() as (sandbox, folder), closing(anb.ExperimentLog(folder / "log.sqlite")) as log:
        order = {"key": sandbox.api_key, "mutant": mutant}
        for number in range(rounds):
            with KilledWorkers(submitters, folder, order, chance) as executor, mutated(mutant, log):
                _submit_twice(sandbox, folder, log, number, rows, executor, tally)
            tally.killed += executor.killed
    return tally


def play_cluster(rounds: int, *, rows: int = 1000, seed: int = 0) -> BatchTally:
    """Send frames by clusters of Dask, of which a worker is killed in each round."""
    chance, tally, pace = random.Random(seed), BatchTally(), 0.02
    with (
        stage() as (sandbox, folder),
        closing(anb.ExperimentLog(folder / "log.sqlite")) as log,
        mock.patch.dict(os.environ, {"ASTRIA_API_KEY": sandbox.api_key}),
    ):
        for number in range(rounds):
            with _cluster() as client:  # on a busy machine, Dask does not always replace a killed worker
                moment, victim = chance.uniform(0, rows * pace), chance.randrange(2)
                killer = threading.Timer(moment, _kill, (client, victim))
                killer.start()
                started = time.monotonic()
                executor = client.get_executor(pure=False, retries=0)
                seconds = _submit_twice(sandbox, folder, log, number, rows, executor, tally)
                tally.killed += killer.finished.is_set()
                killer.cancel()
            pace = min(pace, seconds / rows)
            print(f"{tally}, {time.monotonic() - started:.0f} s", flush=True)
    return tally


@contextlib.contextmanager
def _cluster() -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=4, dashboard_address=":0", silence_logs=logging.CRITICAL
        ) as local,
        Client(local) as client,
    ):
        yield client


def _kill(client: Any, victim: int) -> None:
    workers = sorted(client.run(os.getpid).values())
    os.kill(workers[victim % len(workers)], signal.SIGKILL)


def _submit_twice(
    sandbox: anb.Sandbox, folder: Path, log: Any, number: int, rows: int, executor: Any, tally: BatchTally
) -> float:
    """Submit a frame with an executor, then as a user does who runs the cell again, and judge.

    Returns
    -------
    float
        The seconds that the first call took.
    """
    frame, client = tunes(number, [*range(rows)]), sandbox.client()
    options: dict[str, Any] = {"log": log, "settle": SETTLE_SECONDS, "say": lambda *_: None}
    started = time.monotonic()
    anb.submit_many(frame, client, executor=executor, max_workers=8, **options)
    seconds = time.monotonic() - started
    ended = anb.submit_many(frame, client, **options)
    judge(sandbox, folder, number, [*range(rows)], list(ended["state"]), tally)
    return seconds


def judge(
    sandbox: anb.Sandbox, folder: Path, number: int, rows: list[int], states: list[str], tally: BatchTally
) -> None:
    """Hold a round's frame and the log against the ledger."""
    created: dict[str, list[int]] = {}
    for request in sandbox.ledger:
        if request.tune_ids and request.params is not None:
            (url,) = request.params["image_urls"]
            created.setdefault(url, []).extend(request.tune_ids)
    with closing(anb.ExperimentLog(folder / "log.sqlite")) as log:
        recorded = set(log.frame()["id"].dropna().astype(int))
    tally.rounds += 1
    tally.ended.update(states)
    for row, state in zip(rows, states, strict=True):
        (url,) = tunes(number, [row])["image_urls"][0]
        ids = created.get(url, [])
        if len(ids) > 1:
            tally.duplicates.append(url)
        if ids and not recorded & set(ids):
            tally.lost.append(url)
        if not ids and state != "needs_review":
            tally.missing.append(url)
        if state in HAS_TUNE and not ids:
            tally.lost.append(url)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("cells", "workers", "cluster"))
    parser.add_argument("rounds", nargs="?", type=int, default=20)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--mutant", choices=MUTANTS, default="")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    size = {"rows": options.rows} if options.rows else {}
    started = time.monotonic()
    if options.kind == "cluster":
        tally = play_cluster(options.rounds, seed=options.seed, **size)
    else:
        with closing(BatchSubmitter()) as first, closing(BatchSubmitter()) as second:
            if options.kind == "cells":
                tally = play_cells(
                    options.rounds, mutant=options.mutant, seed=options.seed, submitter=first, **size
                )
            else:
                tally = play_workers(
                    options.rounds,
                    mutant=options.mutant,
                    seed=options.seed,
                    submitters=[first, second],
                    **size,
                )
    print(f"{tally} in {time.monotonic() - started:.0f} s")
    return not tally.is_clean


if __name__ == "__main__":
    sys.exit(main())
