"""Real pools of processes and a real cluster of Dask: no row is sent twice, and none is lost."""

import logging
import multiprocessing
import os
import re
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import AstriaError
from helpers.batches import ROUTE, frame
from helpers.paths import ROOT
from helpers.waiting import until

distributed = pytest.importorskip("distributed")
HAS_TUNE = {"done", "adopted"}
SLOW: dict[str, Any] = {"count": None, "seconds": 0.5}


@pytest.fixture(scope="module")
def service() -> Iterator[anb.Sandbox]:
    """Return a sandbox whose key is in the environment of processes that are started from now on."""
    with anb.Sandbox(tune_fields="record") as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASTRIA_API_KEY", running.api_key)
        yield running


@pytest.fixture(scope="module")
def cluster(service: anb.Sandbox) -> Iterator[Any]:
    """Return the client of a cluster of two processes."""
    options = {"dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, **options) as local,
        distributed.Client(local) as client,
    ):
        yield client


class Batch:
    """A frame of a test, which is sent several times; its titles are its own."""

    def __init__(self, service: anb.Sandbox, log: anb.ExperimentLog, name: str) -> None:
        self.service, self.log, self.name = service, log, name

    def send(self, number: int, executor: Executor | None = None, **options: Any) -> pd.DataFrame:
        keys = [f"{self.name} {row}" for row in range(number)]
        client, options = self.service.client(), {"settle": 0.3, "max_workers": 4} | options
        with warnings.catch_warnings():  # of forks beside the sandbox's threads
            warnings.simplefilter("ignore", DeprecationWarning)
            return anb.submit_many(
                frame(number, key=keys), client, log=self.log, executor=executor, **options
            )

    @property
    def created(self) -> Counter[str]:
        """How many tunes the service made for each title."""
        titles: Counter[str] = Counter()
        for request in self.service.ledger:
            if request.params is not None and self.name in str(request.params.get("title")):
                titles[str(request.params["title"])] += len(request.tune_ids)
        return titles

    def resolve(self, rows: pd.DataFrame) -> None:
        """Say of rows that need review that they were not created, if the service says so too."""
        doubtful = rows[rows["state"] == "needs_review"]
        assert not any(self.created[title] for title in doubtful["title"])
        if len(doubtful):
            self.log.resolve(doubtful)

    def finish(self, number: int) -> None:
        """Send all rows, as a user does who runs the cell again, and check that each has one tune."""
        self.service.heal()
        rows = self.send(number)
        assert set(rows["state"]) <= HAS_TUNE, rows["error"].dropna().tolist()
        assert self.created == Counter(rows["title"])
        assert rows["id"].nunique() == number


@pytest.fixture
def batch(service: anb.Sandbox, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Batch]:
    service.heal()
    with closing(anb.ExperimentLog(tmp_path / "log.sqlite")) as log:
        yield Batch(service, log, request.node.name.replace("[", "-").rstrip("]"))


def pool(method: str = "fork") -> ProcessPoolExecutor:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    return ProcessPoolExecutor(1 if method == "spawn" else 2, multiprocessing.get_context(method))


def dask(client: Any) -> Executor:
    executor: Executor = client.get_executor(pure=False, retries=0)
    return executor


def test_a_run_on_existing_tunes_is_sent_from_here_and_never_taken_for_earlier_prompts(
    batch: Batch, service: anb.Sandbox
) -> None:
    run = pd.DataFrame({"pack": [797], "tune_ids": [batch.send(1)["id"].tolist()]})
    service.fail("504", ROUTE, commit="no")
    with pool() as executor:  # which starts no process
        rows = anb.submit_many(run, service.client(), log=batch.log, executor=executor, settle=0)
    assert (rows["state"][0], rows["prompt_ids"].notna()[0]) == ("needs_review", False)


def sessions(log: anb.ExperimentLog, rows: pd.DataFrame) -> set[str]:
    return {log.get(int(number)).session for number in rows["submission"]}


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.soak)])
def test_a_pool_of_processes_sends_each_row_once(batch: Batch, method: str) -> None:
    with pool(method) as executor:
        rows = batch.send(12, executor)
        assert set(rows["state"]) == {"done"}, rows["error"].dropna().tolist()
        again = batch.send(14, executor)
    assert list(again["id"][:12]) == list(rows["id"])
    assert batch.log.register() not in sessions(batch.log, again)
    assert set(batch.created.values()) == {1}


@pytest.mark.slow
def test_a_cluster_sends_each_row_once_and_holds_no_results(cluster: Any, batch: Batch) -> None:
    executor, tasks = dask(cluster), list[int]()

    def count(*_: object) -> None:
        tasks.append(len(cluster.cluster.scheduler.tasks))

    rows = batch.send(40, executor, say=count)
    assert set(rows["state"]) == {"done"}, rows["error"].dropna().tolist()
    assert list(rows["title"]) == list(frame(40)["key"].str.replace("k", f"batch-{batch.name} "))
    assert len(sessions(batch.log, rows)) == 2
    until(lambda: not cluster.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)))
    assert not cluster.futures
    assert 0 < max(tasks) <= 20  # 4 rows under way, and some that are being forgotten
    assert list(batch.send(41, executor)["id"][:40]) == list(rows["id"])
    assert set(batch.created.values()) == {1}


def test_rows_under_way_are_limited_and_a_throttled_service_gets_each_once(
    cluster: Any, batch: Batch
) -> None:
    class Counting(Executor):
        active = most = 0

        def submit(self, *args: Any) -> Future[Any]:  # type: ignore[override]
            future = dask(cluster).submit(*args)
            self.active += 1
            self.most = max(self.most, self.active)
            future.add_done_callback(lambda _: setattr(self, "active", self.active - 1))
            return future

    executor = Counting()
    batch.service.fail("429", ROUTE, count=2, after=4, retry_after="0")
    rows = batch.send(12, executor, max_workers=3)
    assert set(rows["state"]) == {"done"}
    assert executor.most == 3
    assert set(batch.created.values()) == {1}


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(cluster: Any, batch: Batch) -> None:
    batch.service.fail("slow", ROUTE, **SLOW)
    killed: list[int] = []

    def kill(_fraction: float, text: str) -> None:
        if "under way" in text and not killed:
            until(lambda: sum(batch.created.values()))
            killed.append(next(iter(cluster.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    rows = batch.send(16, dask(cluster), say=kill)
    assert killed
    assert rows["error"].isna().equals(rows["state"].isin(HAS_TUNE))
    batch.resolve(rows)
    batch.finish(16)


def test_a_pool_that_breaks_ends_the_batch_and_a_new_one_goes_on(batch: Batch) -> None:
    batch.service.fail("slow", ROUTE, **SLOW)
    with pool() as executor:

        def kill(_fraction: float, text: str) -> None:
            if "under way" in text and executor._processes:
                with suppress(ProcessLookupError):
                    os.kill(next(iter(executor._processes)), signal.SIGKILL)

        rows = batch.send(12, executor, say=kill)
    assert {"not_sent"} < set(rows["state"]) | {""}
    unsent = rows[rows["state"] == "not_sent"]
    assert unsent["error"].str.contains("run it again|run the batch again").all()
    assert unsent["error"].str.contains("executor: ").any()
    batch.resolve(rows)
    batch.finish(12)


def test_the_first_row_that_a_worker_loses_stops_the_batch_if_asked_to(batch: Batch) -> None:
    """Nothing is on record of it: it was not sent, and is not handed out again."""

    class Losing(Executor):
        count = 0

        def submit(self, *args: Any) -> Future[Any]:  # type: ignore[override]
            self.count += 1
            if self.count != 2:
                return processes.submit(*args)
            lost: Future[Any] = Future()
            lost.set_exception(RuntimeError("the worker is gone"))
            return lost

    with pool() as processes, pytest.raises(AstriaError, match="executor: lost this tune"):
        batch.send(30, Losing(), max_workers=2, on_error="raise")
    assert sum(batch.created.values()) <= 4


def test_rows_that_are_cancelled_say_so(cluster: Any, batch: Batch) -> None:
    batch.service.fail("slow", ROUTE, **SLOW)
    executor = dask(cluster)

    def cancel(_fraction: float, text: str) -> None:
        if "under way" in text:
            executor.shutdown(wait=False)

    rows = batch.send(12, executor, max_workers=8, say=cancel)
    unsent = rows[rows["state"] == "not_sent"]
    assert len(unsent) >= 4
    assert unsent["error"].str.contains("executor: ").any()
    # What a worker had begun goes on, and is waited for.
    assert set(rows["state"]) <= {"not_sent", *HAS_TUNE, "sending"}
    batch.finish(12)


def test_an_interrupt_lets_rows_in_workers_end(batch: Batch) -> None:
    batch.service.fail("slow", ROUTE, **SLOW)
    with pool() as executor:

        def interrupt(_fraction: float, text: str) -> None:
            if "under way" in text:
                # As a terminal does, which interrupts all processes that it started.
                until(lambda: "sending" in set(batch.log.frame()["state"]))
                for process in executor._processes:
                    os.kill(process, signal.SIGINT)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            batch.send(12, executor, max_workers=2, say=interrupt)
    assert set(batch.log.frame()["state"]) == {"done"}
    assert 1 <= len(batch.created) <= 4
    batch.finish(12)


def test_a_limit_holds_across_workers(cluster: Any, batch: Batch) -> None:
    price = batch.service.client().pack(797).price_mc("cat") or 0
    with pytest.raises(anb.errors.BatchError, match="max_cost"):
        batch.send(5, dask(cluster), max_cost=4.5 * price / 100_000)
    rows = batch.send(5, dask(cluster), max_cost=5 * price / 100_000)
    assert set(rows["state"]) == {"done"}


def test_the_examples_of_the_page_run(cluster: Any, batch: Batch) -> None:
    page = (ROOT / "docs" / "many-tunes.md").read_text("utf-8")
    titles = [f"{batch.name} {row}" for row in range(3)]
    names = {"anb": anb, "client": batch.service.client(), "log": batch.log}
    names["tunes"] = frame(3, key=titles)
    for example in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        if "spawn" not in example:  # which another test does
            exec(example.replace("tcp://scheduler.example.com:8786", cluster.scheduler.address), names)
    names["cluster"].close()
    assert set(names["rows"]["state"]) == {"done"}
    batch.finish(3)


def test_a_worker_without_the_package_says_so(cluster: Any, batch: Batch) -> None:
    name = "astria_nb.submission.batch._worker"

    def remove() -> None:
        sys.modules[name] = None  # type: ignore[assignment]

    def restore() -> None:
        del sys.modules[name]

    cluster.run(remove)
    try:
        rows = batch.send(3, dask(cluster))
    finally:
        cluster.run(restore)
    assert set(rows["state"]) == {"not_sent"}
    assert rows["error"].str.contains("has a worker without this version of astria_nb").all(), rows["error"][
        0
    ]
    batch.finish(3)


@pytest.mark.slow
def test_a_cluster_that_is_closed_in_mid_run_ends_the_batch(cluster: Any, batch: Batch) -> None:
    # The last test of this file: nothing is left of the cluster.
    batch.service.fail("slow", ROUTE, **SLOW)

    def close(_fraction: float, text: str) -> None:
        if "under way" in text and cluster.status == "running":
            cluster.cluster.close()

    rows = batch.send(24, dask(cluster), say=close)
    unsent = rows[rows["state"] == "not_sent"]
    assert len(unsent)
    assert unsent["error"].str.contains("run it again|run the batch again").all()
    batch.resolve(rows)
    batch.finish(24)
