"""A process forks while other threads use the log, as pools of processes do: nobody waits for ever."""

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
        os.waitpid(child, 0)
"""


def run(tmp_path: Path, code: str) -> str:
    """Return what a program prints; it is killed, and this fails, if it never ends."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [*python(), "-c", BEGIN + code, tmp_path],
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
        fork(lambda: print("in the child:", store._connections._held, time.sleep(0.2)))
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted")
    print(log.plan(a_request("b")).state)
    """
    assert sorted(run(tmp_path, code).splitlines()) == ["in the child: None None", "interrupted", "planned"]


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
