"""A row in another process: it uses what it finds there, and says in one sentence what is missing."""

import dataclasses
import io
import pickle
import signal
from concurrent.futures import Executor, Future
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.submission.batch import _worker as worker
from astria_nb.submission.batch._dispatch import sealed
from astria_nb.submission.batch._parcel import WorkerTask, package_version
from astria_nb.submission.batch._row_outcome import RowOutcome
from helpers.batches import frame, posts

CALLBACK = "https://example.com/hook?token=its-own-secret"


class InThisProcess(Executor):
    """Does what it is given at once, after that has travelled as bytes, and keeps a copy of it."""

    def __init__(self) -> None:
        self.parcels: list[bytes] = []

    def submit(self, function: Any, parcel: io.BytesIO, /) -> Future[RowOutcome]:  # type: ignore[override]
        assert repr(parcel).startswith("<_io.BytesIO object at ")
        self.parcels.append(pickle.dumps((function, parcel)))
        future: Future[RowOutcome] = Future()
        future.set_result(opened(self.parcels[-1]))
        return future

    def task(self, number: int) -> WorkerTask:
        """Return what travelled, as the worker reads it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(worker, "send_parcel", lambda _version, content, _id: pickle.loads(content))
            task: WorkerTask = opened(self.parcels[number])
            return task


def opened(parcel: bytes) -> Any:
    """Return what a worker makes of what travelled to it."""
    function, argument = pickle.loads(parcel)
    return pickle.loads(pickle.dumps(function(argument)))


def changed(task: WorkerTask, **values: Any) -> RowOutcome:
    """Return the outcome of a task that differs in some values."""
    values = {name: getattr(task, name) for name in WorkerTask.__slots__} | values
    outcome: RowOutcome = pickle.load(sealed(package_version(), pickle.dumps(WorkerTask(**values))))
    return outcome


@pytest.fixture
def executor() -> InThisProcess:
    return InThisProcess()


def send(sandbox: anb.Sandbox, log: anb.ExperimentLog, executor: Executor, **columns: Any) -> pd.DataFrame:
    return anb.submit_many(frame(3, **columns), sandbox.client(), log=log, executor=executor)


def test_a_parcel_that_is_opened_again_is_not_sent_again(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, executor: InThisProcess
) -> None:
    rows = send(sandbox, log, executor)
    again = [opened(parcel) for parcel in executor.parcels]
    assert [outcome.state for outcome in again] == ["done"] * 3
    assert [outcome.record["id"] for outcome in again if outcome.record] == list(rows["id"])
    assert posts(sandbox) == 3
    assert len(set(executor.parcels)) == 3


def test_the_claim_is_in_the_log_before_the_request_is_sent(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, executor: InThisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, claims = anb.Client.create_tune, list[list[str]]()

    def create_tune(*arguments: Any) -> Any:
        claims.append(list(log.frame()["state"]))
        return create(*arguments)

    monkeypatch.setattr(anb.Client, "create_tune", create_tune)
    send(sandbox, log, executor)
    assert claims == [["sending"], ["done", "sending"], ["done", "done", "sending"]]


def test_neither_key_nor_more_than_the_tune_travels(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, executor: InThisProcess
) -> None:
    send(sandbox, log, executor, callback=CALLBACK)
    for parcel in executor.parcels:
        assert sandbox.api_key.encode() not in parcel
        assert sandbox.api_key[3:-4].encode() not in parcel
        assert parcel.count(b"its-own-secret") == 1  # which the service has to get
        assert len(parcel) < 10_000
    assert executor.task(0).tune.callback == CALLBACK


def test_a_worker_without_a_key_says_so(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, executor: InThisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASTRIA_API_KEY")
    rows = send(sandbox, log, executor)
    assert (set(rows["state"]), posts(sandbox)) == ({"not_sent"}, 0)
    assert rows["error"].str.match(r"api_key: is missing on the worker .* set ASTRIA_API_KEY").all()
    monkeypatch.setenv("ASTRIA_API_KEY", sandbox.api_key)
    assert set(send(sandbox, log, executor)["state"]) == {"done"}


def test_a_worker_with_the_key_of_another_account_says_so(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, executor: InThisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRIA_API_KEY", "sd_somebody_elses_key")
    rows = send(sandbox, log, executor)
    assert (set(rows["state"]), posts(sandbox)) == ({"not_sent"}, 0)
    assert rows["error"].str.match(r"api_key: is of another account on the worker .*\(sd_…_key\)").all()
    monkeypatch.setenv("ASTRIA_API_KEY", sandbox.api_key)
    monkeypatch.setattr(anb.Client, "account", "7")
    assert set(send(sandbox, log, executor)["state"]) == {"done"}
    for account, message in ("8", "of another account"), (None, "does not report its account; run the batch"):
        worker._client.cache_clear()
        monkeypatch.setattr(anb.Client, "account", account)
        outcome = opened(executor.parcels[-1])
        assert outcome.state == "not_sent"
        assert message in str(outcome.error)


def test_a_worker_without_the_files_says_so(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, photos: list[Path]
) -> None:
    class Elsewhere(InThisProcess):
        def submit(self, function: Any, parcel: io.BytesIO, /) -> Future[RowOutcome]:  # type: ignore[override]
            photos[1].unlink(missing_ok=True)
            return super().submit(function, parcel)

    images = [[str(photo)] for photo in photos[:3]]
    rows = send(sandbox, log, Elsewhere(), images=images, image_urls=None)
    assert list(rows["state"]) == ["done", "not_sent", "done"]
    error = rows.loc[1, "error"]
    assert error.startswith("images: '2.jpg' does not exist on the worker ")
    assert error.endswith("at the same path, or give an address such as s3://…, or its bytes")
    assert posts(sandbox) == 2


def test_photos_in_memory_travel_with_the_tune(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, executor: InThisProcess, photos: list[Path]
) -> None:
    rows = send(
        sandbox, log, executor, images=[[photo.read_bytes()] for photo in photos[:3]], image_urls=None
    )
    assert set(rows["state"]) == {"done"}
    assert [len(images) for images in rows["orig_images"]] == [1, 1, 1]


def test_a_worker_with_a_log_of_the_same_name_sends_nothing(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, executor: InThisProcess, tmp_path: Path
) -> None:
    send(sandbox, log, executor, key=[*"abc"])
    elsewhere = tmp_path / "other machine" / "log.sqlite"
    elsewhere.parent.mkdir()
    for is_there in (False, True):
        if is_there:
            with closing(anb.ExperimentLog(elsewhere)) as theirs:
                theirs.register()
        outcome = changed(executor.task(0), log=anb.ExperimentLog(elsewhere), session="another")
        assert outcome.state == "not_sent"
        assert "is not the log of this batch; use a log that all workers reach" in str(outcome.error)
        assert elsewhere.exists() == is_there
    assert posts(sandbox) == 3


def test_a_worker_with_another_version_sends_nothing(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, executor: InThisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "package_version", lambda: "99.0")
    rows = send(sandbox, log, executor)
    assert (set(rows["state"]), posts(sandbox)) == ({"not_sent"}, 0)
    assert rows["error"].str.startswith("astria_nb: is 99.0 on the worker ").all()


def test_an_interrupt_of_a_worker_is_left_to_the_process_that_has_the_batch(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, executor: InThisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(sandbox, log, executor)
    log.close()
    create = anb.Client.create_tune

    def create_tune(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return create(*arguments)

    monkeypatch.setattr(anb.Client, "create_tune", create_tune)
    task = executor.task(0)
    outcome = changed(task, tune=dataclasses.replace(task.tune, title="batch-z0"))
    assert (outcome.state, posts(sandbox)) == ("done", 4)
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def test_an_executor_that_fails_for_any_reason_ends_the_batch(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    class Closed(InThisProcess):
        def submit(self, function: Any, parcel: io.BytesIO, /) -> Future[RowOutcome]:  # type: ignore[override]
            if self.parcels:
                raise LookupError("the cluster is closed")
            return super().submit(function, parcel)

    rows = send(sandbox, log, Closed())
    assert list(rows["state"]) == ["done", "not_sent", "not_sent"]
    assert rows.loc[1, "error"].startswith("executor: takes no more tunes (LookupError: the cl")


def test_a_worker_that_never_answers_does_not_keep_the_batch_from_ending(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(Executor):
        def submit(self, *_: Any) -> Future[RowOutcome]:  # type: ignore[override]
            return Future()

    monkeypatch.setattr("astria_nb.submission.batch._batch._MARGIN_SECONDS", 0.0)
    rows = anb.submit_many(frame(9), sandbox.client(), log=log, executor=Silent(), timeout=1)
    assert (set(rows["state"]), posts(sandbox)) == ({"not_sent"}, 0)
    assert rows["error"].str.contains("run the batch again|run it again").all()


def test_a_cancelled_row_ends_the_batch_whatever_became_of_the_others(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(Executor):
        futures = 0

        def submit(self, *_: Any) -> Future[RowOutcome]:  # type: ignore[override]
            future: Future[RowOutcome] = Future()
            self.futures += 1
            if self.futures == 1:
                future.cancel()
                future.set_running_or_notify_cancel()
            return future

    monkeypatch.setattr("astria_nb.submission.batch._batch._MARGIN_SECONDS", 0.1)
    rows = anb.submit_many(frame(9), sandbox.client(), log=log, executor=Gone(), max_workers=3)
    assert (set(rows["state"]), posts(sandbox)) == ({"not_sent"}, 0)
    assert rows.loc[0, "error"].startswith("executor: cancelled this tune, or was closed or restarted; run")
    assert rows.loc[1, "error"].startswith("executor: lost this tune (TimeoutError: no answer); run")
    assert rows.loc[8, "error"].startswith("tune: was not sent: the batch was stopped")


def test_what_does_not_travel_is_said_for_its_row(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    class Odd(InThisProcess):
        def submit(self, function: Any, parcel: io.BytesIO, /) -> Future[RowOutcome]:  # type: ignore[override]
            future: Future[RowOutcome] = Future()
            future.set_exception(ModuleNotFoundError("No module named 'astria_nb'"))
            return future

    rows = send(sandbox, log, Odd())
    assert (set(rows["state"]), posts(sandbox)) == ({"not_sent"}, 0)
    assert rows["error"].str.startswith("executor: has a worker without this version of astria_nb (").all()
