"""Logs that are not closed: what they have open is given back when nothing refers to them any more."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from astria_nb.log import Log
from helpers.submissions import a_request


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


def handles(path: Path) -> int:
    """Return how many handles this process has of a log's file and of its companions."""
    files = [os.readlink(file) for file in os.scandir("/proc/self/fd") if os.path.islink(file)]  # noqa: PTH114, PTH115
    return sum(str(path) in file for file in files)


@pytest.mark.parametrize("is_on_main_thread", [True, False])
def test_the_file_of_a_log_that_was_dropped_is_complete_and_alone(
    path: Path, is_on_main_thread: bool
) -> None:
    if is_on_main_thread:
        Log(path).plan(a_request())
    else:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: [Log(path).plan(a_request()), None][1]).result()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not list what is open")
@pytest.mark.parametrize("is_on_main_thread", [True, False])
def test_logs_may_be_dropped_while_another_thread_writes_to_the_file(
    path: Path, is_on_main_thread: bool
) -> None:
    log, logs = Log(path), [Log(path) for _ in range(20)]
    log.plan(a_request())
    for other in logs:
        assert other.frame()["title"].tolist() == ["t"]
    writing = log._database.store.writing()
    with ThreadPoolExecutor(1) as writer, ThreadPoolExecutor(1) as thread:
        writer.submit(writing.__enter__).result()
        del other
        logs.clear() if is_on_main_thread else thread.submit(logs.clear).result()
        writer.submit(writing.__exit__, None, None, None).result()
    log.close()
    assert handles(path) == 0
