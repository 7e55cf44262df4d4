"""A process forks while other threads use the log, as pools of processes do.

Nobody waits for ever, and no child has a connection of its parent: it would take its locks for its own.
"""

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from astria_nb.log import Log
from astria_nb.log._sqlite import SqliteStore
from helpers.forked_kernels import python
from helpers.submissions import a_request
from helpers.waiting import PATIENCE

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
BEGIN = """if True:
    import os, signal, sys, threading, time, warnings
    from astria_nb.log import Log
    from helpers.submissions import a_request
    warnings.simplefilter("ignore")  # newer Pythons warn of a fork beside threads
    folder = sys.argv[1]

    def fork(work=lambda: None):
        if (child := os.fork()) == 0:
            work()
            sys.stdout.flush()
            os._exit(0)
        return os.waitpid(child, 0)[1]

    def handles():
        links = [os.readlink(file) for file in os.scandir("/proc/self/fd") if os.path.islink(file)]
        return sum("log.sqlite" in link for link in links)

    def in_threads(number, work):
        for _ in range(number):
            threading.Thread(target=work, daemon=True).start()
"""
needs_list_of_handles = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="this system does not list what a process has open"
)


def run(tmp_path: Path, code: str, first: str = "") -> str:
    """Return what a program prints; it is killed, and this fails, if it never ends."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [*python(), "-c", first + BEGIN + code, tmp_path],
        capture_output=True, text=True, env=environment, timeout=2 * PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_log_is_opened_while_another_thread_forks(tmp_path: Path) -> None:
    code = """
    log = Log(f"{folder}/log.sqlite")
    log.plan(a_request("a"))
    is_done = threading.Event()

    def open_and_close():
        for _ in range(40):
            log.frame(columns=["title"])
            log.close()
        is_done.set()

    threading.Thread(target=open_and_close, daemon=True).start()
    while not is_done.is_set():
        fork()
    print("done")
    """
    assert run(tmp_path, code) == "done\n"


def test_a_copy_towards_the_log_that_was_opened_first_holds_no_fork_up(tmp_path: Path) -> None:
    code = """
    target, source = Log(f"{folder}/target.sqlite"), Log(f"{folder}/source.sqlite")
    for log in (target, source):
        log.plan(a_request(log.path.stem))
    for number in range(300):
        source.record_event("replay")

    def copy():
        while True:
            source.copy_to(target)

    threading.Thread(target=copy, daemon=True).start()
    durations = []
    for _ in range(5):
        started = time.monotonic()
        fork()
        durations.append(time.monotonic() - started)
    print("soon" if max(durations) < 8 else "late", flush=True)
    os._exit(0)
    """
    assert run(tmp_path, code) == "soon\n"


def test_ctrl_c_during_a_fork_arrives_after_it_and_leaves_no_lock(tmp_path: Path) -> None:
    code = """
    log = Log(f"{folder}/log.sqlite")
    log.plan(a_request("a"))
    store, has_begun = log._database.store, threading.Event()

    def read():  # as the frame of a long log does
        with store.reading():
            has_begun.set()
            time.sleep(1)

    threading.Thread(target=read, daemon=True).start()
    has_begun.wait()
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        fork(lambda: print("in the child:", store.connections._held, time.sleep(0.2)))
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted")
    print(log.plan(a_request("b")).state)
    """
    assert sorted(run(tmp_path, code).splitlines()) == ["in the child: None None", "interrupted", "planned"]


@pytest.mark.slow
@needs_list_of_handles
def test_a_child_has_nothing_open_of_logs_that_other_threads_open_and_drop(tmp_path: Path) -> None:
    code = """
    Log(f"{folder}/log.sqlite").plan(a_request("a"))

    def look():
        while True:
            Log(f"{folder}/log.sqlite").frame(columns=["title"])

    in_threads(3, look)
    for _ in range(80):
        time.sleep(0.01)
        fork(lambda: print(handles()))
    os._exit(0)
    """
    assert run(tmp_path, code).split() == ["0"] * 80


@needs_list_of_handles
def test_a_fork_waits_for_a_log_that_was_dropped_and_is_being_closed(tmp_path: Path) -> None:
    code = """
    from astria_nb.log._connections import Connections
    has_begun, close = threading.Event(), Connections.close

    def slowly(connections):
        has_begun.set()
        time.sleep(0.3)
        close(connections)

    def use():
        Log(f"{folder}/log.sqlite").plan(a_request("a"))
        log = Log(f"{folder}/log.sqlite")
        log.frame(columns=["title"])
        Connections.close = slowly

    in_threads(1, use)
    has_begun.wait()
    fork(lambda: print(handles()))
    """
    assert run(tmp_path, code) == "0\n"


@needs_list_of_handles
def test_a_fork_waits_for_those_who_read_and_the_next_ones_wait_for_it(tmp_path: Path) -> None:
    code = """
    from astria_nb.log import _guard
    _guard._PATIENCE = 0.2
    log = Log(f"{folder}/log.sqlite")
    log.plan(a_request("a"))
    store, reads = log._database.store, []

    def read():
        while True:
            with store.reading() as connection:
                reads.append(connection.execute("SELECT title FROM submission").fetchone())
                time.sleep(0.5)

    in_threads(1, read)
    time.sleep(0.25)  # so that there is no moment without a reader
    in_threads(1, read)
    for _ in range(3):
        time.sleep(0.3)
        fork(lambda: print(handles()))
    os._exit(0)
    """
    assert run(tmp_path, code).split() == ["0"] * 3


@needs_list_of_handles
def test_an_error_that_is_shown_keeps_nothing_open(tmp_path: Path) -> None:
    code = """
    import sqlite3
    log = Log(f"{folder}/log.sqlite")
    for title in "abc":
        log.plan(a_request(title))
    log.close()
    with sqlite3.connect(log.path) as file:
        file.execute("UPDATE submission SET title = CAST(x'ff' AS TEXT) WHERE title = 'b'")
    file.close()
    try:
        log.frame()
    except Exception as error:
        sys.last_value = error  # as a notebook does
    print(sys.last_value)
    fork(lambda: print(handles()))
    """
    error, number = run(tmp_path, code).splitlines()
    assert "is damaged" in error
    assert number == "0"


@needs_list_of_handles
def test_a_log_may_be_dropped_by_the_thread_that_forks_while_it_does(tmp_path: Path) -> None:
    first = "import os; dropped = []; os.register_at_fork(before=dropped.clear)  # the first one runs last\n"
    code = """
    log = Log(f"{folder}/log.sqlite")

    def drop_and_fork(title):
        dropped.append(Log(f"{folder}/log.sqlite"))
        dropped[0].plan(a_request(title))
        fork(lambda: print(handles()))

    drop_and_fork("on the main thread")
    thread = threading.Thread(target=drop_and_fork, args=["on another one"])
    thread.start()
    thread.join()
    print(*log.frame()["title"], sep="\\n")
    """
    assert run(tmp_path, code, first).splitlines() == ["0", "0", "on the main thread", "on another one"]


@pytest.mark.slow
def test_parent_and_children_lose_nothing_that_each_writes_with_a_log_of_its_own(tmp_path: Path) -> None:
    code = """
    import sqlite3
    path, stop = f"{folder}/log.sqlite", threading.Event()

    def plan(name, times):
        for number in range(times):
            Log(path).plan(a_request(f"{name} {number}"))
        return times

    def plan_until_stopped():
        name, times = threading.get_ident(), 0
        while not stop.is_set():
            times += plan(f"{name} {times}", 1)
        written.append(times)

    plan("first", 1)
    written = []
    threads = [threading.Thread(target=plan_until_stopped, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(60):
        print(fork(lambda: plan(f"child {number}", 3)))
    stop.set()
    for thread in threads:
        thread.join()
    print(len(Log(path).frame(columns=["title"])) - sum(written))
    print(sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()[0])
    """
    *status, planned, integrity = run(tmp_path, code).split()
    assert (set(status), planned, integrity) == ({"0"}, str(1 + 3 * 60), "ok")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_child_moves_what_it_writes_into_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteStore, "stop_waiting", lambda store: None)  # as if written to since
    path = tmp_path / "log.sqlite"
    with closing(Log(path)) as log:
        log.plan(a_request("a"))
        if (child := os.fork()) == 0:
            log.plan(a_request("b"))
            wal = Path(f"{path}-wal")
            deadline = time.monotonic() + PATIENCE
            while wal.stat().st_size and time.monotonic() < deadline:
                time.sleep(0.05)
            os._exit(1 if wal.stat().st_size else 0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
