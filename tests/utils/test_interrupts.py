"""Shielded calls share threads: one after the other, one within the other, after a fork, and at the exit."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from astria_nb.utils.interrupts import arrival, in_caller, shield, shielded
from helpers.waiting import PATIENCE

AT_EXIT = """
from astria_nb.utils.interrupts import shielded
class Resource:
    def __del__(self):
        shielded(print, "released")
shielded(print, "used")
kept = Resource()
kept.itself = kept  # found by the last collection of garbage only
"""


def test_calls_one_after_the_other_share_a_thread() -> None:
    threads = {shielded(threading.get_ident) for _ in range(20)}
    assert threading.get_ident() not in threads
    assert len(threads) == 1


def test_a_call_within_what_a_call_runs_on_the_main_thread_has_a_thread_of_its_own() -> None:
    inner = in_caller(shield(threading.get_ident))
    outer_thread, inner_thread = shielded(lambda: (threading.get_ident(), inner()))
    assert len({outer_thread, inner_thread, threading.get_ident()}) == 3
    assert {shielded(threading.get_ident) for _ in range(20)} <= {outer_thread, inner_thread}


def test_a_call_leaves_nothing_that_it_was_given() -> None:
    released = threading.Event()

    class Given:
        def __del__(self) -> None:
            released.set()

    shielded(lambda given: None, Given())
    assert released.wait(PATIENCE)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_child_process_starts_threads_of_its_own() -> None:
    shielded(threading.get_ident)
    child = os.fork()
    if child == 0:
        signal.alarm(int(PATIENCE))  # or the parent would wait for ever
        os._exit(shielded(lambda: 7))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_child_that_a_call_forks_has_nobody_to_ask() -> None:
    """As the workers of a pool of processes, which `submit_many` begins."""

    def fork() -> int:
        child = os.fork()
        if child == 0:
            signal.alarm(int(PATIENCE))
            os._exit(in_caller(lambda: 7)() if arrival()() else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert shielded(fork) == 7


def test_what_is_released_when_the_interpreter_ends_is_released(tmp_path: Path) -> None:
    command = [sys.executable, "-c", AT_EXIT]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=True, cwd=tmp_path
    )
    assert ended.stdout.split() == ["used", "released"]
