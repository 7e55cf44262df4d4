"""Logs on a server that are dropped, and processes that are forked while others use them."""

import gc
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from astria_nb.log import Log
from helpers.submissions import a_request
from helpers.waiting import until

_OURS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'astria_nb %'
"""


@pytest.fixture
def log(server_address: str) -> Iterator[Log]:
    with closing(Log(server_address)) as log:
        yield log


def connections(address: str) -> int:
    """Return how many connections the logs of all processes have."""
    with psycopg.connect(address) as connection:
        row = connection.execute(_OURS).fetchone()
    assert row is not None
    return int(row[0])


def test_a_log_that_is_dropped_gives_its_connections_back(server_address: str) -> None:
    gc.disable()  # it does not come soon
    try:
        for _ in range(5):
            Log(server_address).frame()
        until(lambda: connections(server_address) == 0)
    finally:
        gc.enable()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_parent_and_children_write_while_threads_open_and_drop_logs(log: Log, server_address: str) -> None:
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            Log(server_address).get(1)

    log.plan(a_request("parent 0"))
    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(1, 11):
            if (child := os.fork()) == 0:
                try:
                    log.plan(a_request(f"child {number}"))
                    Log(server_address).plan(a_request(f"of its own {number}"))
                    os._exit(0)
                except BaseException:  # noqa: BLE001  a child must not go on with the tests
                    os._exit(1)
            log.plan(a_request(f"parent {number}"))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert len(log.frame(columns=["title"])) == 1 + 3 * 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_waits_for_the_server_whatever_its_parent_was_doing(log: Log) -> None:
    log.plan(a_request())
    outage = log._database.store._outage
    with outage._lock:  # another thread has it
        if (child := os.fork()) == 0:
            signal.alarm(10)
            log._database.store._outage.wait(lambda: None)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
