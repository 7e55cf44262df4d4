"""A batch whose log is on a server: workers find it by its address, and the password in their environment."""

import multiprocessing
import pickle
import warnings
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing

import pytest

import astria_nb as anb
from helpers.batches import frame, posts


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="forks")
def test_processes_send_each_row_once_with_one_log(
    server_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        anb.Sandbox(tune_fields="record") as sandbox,
        closing(anb.ExperimentLog(server_address)) as log,
        ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside the sandbox's threads
        monkeypatch.setenv("ASTRIA_API_KEY", sandbox.api_key)
        client = sandbox.client()
        rows = anb.submit_many(frame(8), client, log=log, executor=pool, max_workers=4)
        assert set(rows["state"]) == {"done"}, rows["error"].dropna().tolist()
        again = anb.submit_many(frame(9), client, log=log, executor=pool)
        assert list(again["id"][:8]) == list(rows["id"])
        assert posts(sandbox) == 9
        assert log.register() not in {log.get(int(number)).session for number in again["submission"]}


def test_a_log_travels_without_its_password() -> None:
    log = anb.ExperimentLog("postgresql://ann:hunter2hunter2@db.example.com/lab")
    assert b"hunter2" not in pickle.dumps(log)
