"""The log's file: durable, shared, private, with errors in plain words."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

import helpers.submissions as runs
from astria_nb.errors import LogError
from astria_nb.log import Log, RequestClaimed
from astria_nb.log._errors import log_errors
from astria_nb.log._schema import APPLICATION, VERSION
from helpers.disks import as_nobody
from helpers.paths import TESTS
from helpers.processes import Other, answer, elsewhere
from helpers.submissions import REPLY, SERVICE, a_request
from helpers.waiting import PATIENCE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


@pytest.fixture
def powerless() -> Iterator[Path]:
    """Act as a user without root's rights, who has a folder."""
    with as_nobody() as folder:
        yield folder


def ask(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start another Python process that can import the log and the test helpers."""
    beside = str(TESTS)
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {beside!r})\n{code}",
        *map(str, arguments),
    ]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


# Durable and private


def test_a_commit_is_on_the_disk_before_it_is_reported(path: Path) -> None:
    log = Log(path)
    log.plan(a_request())
    with log._database.store.writing() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA fullfsync").fetchone() == (1,)


def test_on_a_network_disk_there_is_no_write_ahead_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("astria_nb.log._connections.on_network", lambda _: True)
    log = Log(path)
    log.plan(a_request())
    with log._database.store.writing() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (3,)  # EXTRA
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_only_its_owner_may_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        log = Log(path)
        log.plan(a_request())
    finally:
        os.umask(before)
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["log.sqlite", "log.sqlite-shm", "log.sqlite-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_file_says_what_it_is(path: Path) -> None:
    Log(path).plan(a_request())
    assert ask(path, "PRAGMA user_version") == [(VERSION,)]
    assert ask(path, "PRAGMA application_id") == [(APPLICATION,)]


def test_an_older_file_gets_the_columns_that_it_lacks(path: Path) -> None:
    log = Log(path)
    planned = log.plan(a_request())
    log.close()
    for statement in ("ALTER TABLE event DROP COLUMN problem", "PRAGMA user_version = 0"):
        ask(path, statement)
    log.change(planned, "not_sent", problem="no network")
    assert log.events()["problem"].tolist()[1:] == ["no network"]
    assert ask(path, "PRAGMA user_version") == [(VERSION,)]


# Shared


def test_of_two_processes_that_want_a_title_one_gets_it(path: Path) -> None:
    with rivals() as claim:
        outcomes = [claim(path, f"t{number}") for number in range(200)]
    assert {tuple(sorted(outcome)) for outcome in outcomes} == {("lost", "won")}
    assert len(Log(path).events()) == 200


def test_two_processes_may_both_be_the_first_to_open_it(tmp_path: Path) -> None:
    with rivals() as claim:
        outcomes = [claim(tmp_path / f"{number}.sqlite", "t") for number in range(50)]
    assert {tuple(sorted(outcome)) for outcome in outcomes} == {("lost", "won")}


@contextmanager
def rivals() -> Iterator[Callable[[Path, str], list[str]]]:
    """Run two processes that claim a title at the same time, on demand."""
    with Other(answer, runs.claim) as first, Other(answer, runs.claim) as second:

        def claim(path: Path, title: str) -> list[str]:
            for rival in (first, second):
                rival.pipe.send((path, title))
            return [first.pipe.recv(), second.pipe.recv()]

        yield claim


def test_what_is_written_survives_a_second_log_of_the_file_and_another_process(path: Path) -> None:
    first, second = Log(path), Log(path)
    first.plan(a_request("first"))
    # To look into the file from outside of SQLite would release the locks of the first log,
    assert len(second.frame()) == 1
    # and this process would then delete the write-ahead log, to which the first log goes on writing.
    assert elsewhere(runs.claim, (path, "other")) == "won"
    first.plan(a_request("paid"))
    assert elsewhere(runs.frame_titles, path) == ["first", "other", "paid"]


def test_a_file_that_is_open_already_is_still_refused_if_another_program_took_it(path: Path) -> None:
    log = Log(path)
    log.plan(a_request())
    ask(path, "PRAGMA application_id = 7")
    with pytest.raises(LogError, match="is a database of another program"):
        Log(path).frame()


def test_a_second_log_of_a_file_that_turned_read_only_only_reads(powerless: Path) -> None:
    log = Log(powerless / "log.sqlite")
    log.plan(a_request())
    log.path.chmod(0o400)
    second = Log(log.path)
    assert second.frame()["title"].tolist() == ["t"]
    with pytest.raises(LogError, match="read-only"):
        second.plan(a_request("u"))


def test_many_threads_share_a_log(path: Path) -> None:
    log = Log(path)

    def run(number: int) -> bool:
        try:
            submission = log.plan(a_request(str(number // 2)))  # each title twice
        except RequestClaimed:
            return False
        log.change(log.change(submission, "sending"), "done", reply={**REPLY, "id": number + 1})
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(run, range(200))) == 100
    assert log.frame()["state"].tolist() == ["done"] * 100


def test_a_reader_does_not_wait_for_a_writer(path: Path) -> None:
    log, planned = Log(path), Log(path).plan(a_request())
    with log._database.store.writing(), ThreadPoolExecutor(1) as thread:
        assert thread.submit(log.find, SERVICE, "t").result(10) == planned


@pytest.mark.slow
def test_a_forked_child_writes_as_a_process_of_its_own(path: Path) -> None:
    log = Log(path)
    parent = log.plan(a_request("parent"))
    stop = threading.Event()

    def keep_writing() -> None:  # so that forks happen during transactions
        while not stop.is_set():
            log.record_event("poll")

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for number in range(5):
            child = os.fork()
            if child == 0:
                try:
                    submission = log.plan(a_request(f"child {number}"))
                    os._exit(submission.session == parent.session)
                except BaseException:  # noqa: BLE001  a child must not go on with the tests
                    os._exit(2)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        writer.join()
    assert len(log.frame()) == 6
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]


# Killed


def test_a_killed_process_loses_nothing_that_it_was_told_is_written(path: Path) -> None:
    order = ["planned", "sending", "done"]
    written: dict[int, str] = {}
    for number in range(21):
        other = Other(runs.work, path, number)
        ours, worker = other.pipe, other.process
        # A different number of messages each time, so that the kill hits every point of the work.
        written |= dict(ours.recv() for _ in range(1 + number % 7))
        worker.kill()
        with suppress(EOFError):
            while True:
                written |= dict([ours.recv()])
        worker.join(PATIENCE)
        assert worker.exitcode == -signal.SIGKILL
        assert ask(path, "PRAGMA integrity_check") == [("ok",)]
        log = Log(path)
        assert all(order.index(log.get(key).state) >= order.index(state) for key, state in written.items())
        assert all(log.is_abandoned(submission) for submission in log.unsettled(SERVICE))
        log.close()
    assert len(written) >= 21


# Errors


def test_a_newer_file_is_refused_and_left_as_it_is(path: Path) -> None:
    log = Log(path)
    log.plan(a_request())
    log.close()
    ask(path, f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    for use in (lambda: log.plan(a_request("u")), log.frame):
        with pytest.raises(LogError, match=r"^log: .* newer astria_nb .*; upgrade"):
            use()
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_newer_file_is_known_also_while_its_news_are_beside_it(path: Path) -> None:
    log = Log(path)
    log.plan(a_request())
    newer = sqlite3.connect(path, isolation_level=None)
    newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    wal = Path(f"{path}-wal")
    before = path.read_bytes(), wal.read_bytes()
    try:
        with pytest.raises(LogError, match="newer astria_nb"):
            Log(path).plan(a_request("u"))
        assert (path.read_bytes(), wal.read_bytes()) == before
    finally:
        newer.close()


def test_a_file_that_is_no_log_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_text("id,title\n" * 100)
    with pytest.raises(LogError, match=r"^log: .* is not an experiment log; choose another file"):
        Log(path).plan(a_request())
    assert path.read_text() == "id,title\n" * 100


def test_the_database_of_another_program_is_refused_and_left_as_it_is(path: Path) -> None:
    ask(path, "CREATE TABLE history (id)")
    before = path.read_bytes()
    with pytest.raises(LogError, match="is a database of another program; choose another file for the log"):
        Log(path).plan(a_request())
    assert path.read_bytes() == before


def test_a_damaged_file_is_an_error_that_says_so(path: Path) -> None:
    log = Log(path)
    for number in range(50):
        log.plan(a_request(str(number)))
    log.close()
    with path.open("rb+") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    for use in (log.frame, log.events, lambda: log.plan(a_request("t"))):
        with pytest.raises(LogError, match=r"^log: .* is damaged; keep it for repair"):
            use()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"log: .* there is no folder '.*nowhere'; create it"):
        Log(tmp_path / "nowhere" / "log.sqlite").plan(a_request())


def test_a_folder_is_not_a_log(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"log: .* cannot be opened \(Is a directory\)"):
        Log(tmp_path).plan(a_request())


def test_an_address_is_not_a_file_and_its_password_is_not_shown() -> None:
    with pytest.raises(LogError, match="log: 'mysql://…@host/db' is an address; give the path") as caught:
        Log("mysql://me:secret@host/db")
    assert "secret" not in str(caught.value)


def test_a_read_only_file_can_be_read_and_not_written(powerless: Path) -> None:
    log = Log(powerless / "log.sqlite")
    planned = log.plan(a_request())
    log.close()
    log.path.chmod(0o400)
    powerless.chmod(0o500)
    assert log.get(planned.id) == planned
    assert log.frame()["title"].tolist() == ["t"]
    with pytest.raises(LogError, match=r"^log: .* read-only; fix the permissions, or name another"):
        log.plan(a_request("u"))
    assert log.unsettled(SERVICE) == [planned]


def test_in_a_read_only_folder_no_log_can_be_made(powerless: Path) -> None:
    powerless.chmod(0o500)
    with pytest.raises(LogError, match=r"^log: .* it or its folder is read-only; fix the permissions"):
        Log(powerless / "log.sqlite").plan(a_request())
    powerless.chmod(0o700)


def test_in_a_folder_that_turned_read_only_nothing_is_planned(powerless: Path) -> None:
    log = Log(powerless / "log.sqlite")
    log.plan(a_request())
    log.close()
    powerless.chmod(0o500)
    with pytest.raises(LogError, match="read-only"):
        log.plan(a_request("u"))
    powerless.chmod(0o700)
    assert log.find(SERVICE, "u") is None


def test_a_full_disk_is_named_and_costs_nothing_that_is_there(path: Path) -> None:
    log = Log(path)
    planned = log.plan(a_request())
    with log._database.store.writing() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        # SQLite then fails as on a full disk.
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LogError, match=r"^log: .* the disk is full; free some space, then try again"):
        log.plan(a_request("u", characteristics={"long": "x" * 100_000}))
    assert log.unsettled(SERVICE) == [planned]
    log.close()
    assert log.plan(a_request("u")).state == "planned"


LIMITED = """
import resource
from astria_nb.errors import LogError
from astria_nb.log import Log
from helpers.submissions import a_request
log = Log(sys.argv[1])
log.plan(a_request("before"))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    for number in range(1000):
        log.plan(a_request(str(number)))
        print(number, flush=True)
except LogError as error:
    print(error)
"""


def test_a_quota_is_named_and_costs_nothing_that_is_there(path: Path) -> None:
    *written, error = python(LIMITED, path).communicate(timeout=PATIENCE)[0].splitlines()
    assert error.startswith("log: ")
    assert error.endswith("check the disk, its free space and your quota")
    assert [submission.title for submission in Log(path).unsettled(SERVICE)] == ["before", *written]
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("name", ["locked", "readonly"])
def test_a_word_in_a_message_of_sqlite_is_not_its_reason(path: Path, name: str) -> None:
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(LogError, match=f"cannot be used .*no such table: {name}") as caught,
        log_errors(path),
    ):
        connection.execute(f"SELECT * FROM {name}")
    assert caught.value.problems[0].kind == "invalid"


def test_a_log_that_stays_locked_is_named(path: Path) -> None:
    Log(path).plan(a_request())
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(LogError, match=r"^log: .* stayed locked by another program; close the program"):
            Log(path, timeout=0.01).plan(a_request("u"))
    finally:
        blocker.close()


def test_an_error_shows_nothing_of_what_was_to_be_written(path: Path) -> None:
    log, secret = Log(path), str(uuid.uuid4())
    log.plan(a_request())
    with log._database.store.writing() as connection:
        connection.execute("DROP TABLE event")
    with pytest.raises(LogError, match="no such table") as caught:
        log.plan(a_request(secret, name=secret))
    assert secret not in "".join(traceback.format_exception(caught.value))


WITHOUT_SQLALCHEMY = """
import os, sys
sys.modules["sqlalchemy"] = None
from astria_nb.log import Log
from helpers.submissions import REPLY, a_request
log, copy = Log(sys.argv[1]), Log(sys.argv[1] + ".copy")
log.change(log.plan(a_request("a"), sending=True), "done", reply=REPLY)
log.tag(1, "b")
print(log.copy_to(copy), len(copy.frame(tag="b")), len(copy.events()))
log.close(), copy.close()
"""


@pytest.mark.slow
def test_a_log_in_a_file_needs_no_sqlalchemy(path: Path) -> None:
    with python(WITHOUT_SQLALCHEMY, path) as process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert output.split() == ["1", "1", "4"]
