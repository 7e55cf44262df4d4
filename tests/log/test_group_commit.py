"""What threads write at the same time: in one transaction, and each with its own outcome."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import astria_nb as anb
from astria_nb.errors import LogError, Problem
from astria_nb.log import Log, RequestClaimed
from astria_nb.log._fate import Fate, OpenFiles
from astria_nb.log._group_commit import GroupCommit
from astria_nb.log._reruns import TransactionLost
from astria_nb.tune import Request
from helpers.waiting import PATIENCE


class Database:
    """A table, and the transactions that were made; the first one lasts until it is let go."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.connection.execute("CREATE TABLE number (value INTEGER UNIQUE)")
        self.transactions = 0
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.commit_error: Exception | None = None

    @contextmanager
    def transaction(self) -> Iterator[tuple[sqlite3.Connection, str]]:
        self.transactions += 1
        self.connection.execute("BEGIN")
        try:
            yield self.connection, "session"
            if self.transactions == 1:
                self.begun.set()
                assert self.may_end.wait(30)
            elif self.commit_error is not None:
                raise self.commit_error
            self.connection.execute("COMMIT")
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise

    def values(self) -> list[int]:
        return [value for (value,) in self.connection.execute("SELECT value FROM number ORDER BY value")]


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database()
    with closing(database.connection):
        yield database


def insert(value: int) -> Callable[[sqlite3.Connection, str], int]:
    def work(connection: sqlite3.Connection, _session: str) -> int:
        connection.execute("INSERT INTO number VALUES (?)", (value,))
        return value

    return work


def run_beside(database: Database, *works: Callable[[sqlite3.Connection, str], int]) -> list[object]:
    """Do work on a thread each while a first transaction is written; return the results or the errors."""
    group = GroupCommit()
    with ThreadPoolExecutor(len(works) + 1) as pool:
        first = pool.submit(group.run, database.transaction, insert(0))
        assert database.begun.wait(30)
        futures = []
        for number, work in enumerate(works):
            futures.append(pool.submit(group.run, database.transaction, work))
            while len(group._waiting) <= number:
                pass
        database.may_end.set()
        assert first.result() == 0
        return [future.exception() or future.result() for future in futures]


def test_what_waits_is_written_in_one_transaction(database: Database) -> None:
    assert run_beside(database, *map(insert, range(1, 21))) == list(range(1, 21))
    assert (database.values(), database.transactions) == (list(range(21)), 2)


def test_a_result_that_is_an_error_keeps_nothing_else_from_being_written(database: Database) -> None:
    def stale(_connection: sqlite3.Connection, _session: str) -> int:
        raise KeyError(7)

    one, error, two = run_beside(database, insert(1), stale, insert(2))
    assert (one, repr(error), two) == (1, "KeyError(7)", 2)
    assert (database.values(), database.transactions) == ([0, 1, 2], 2)


def test_work_that_cannot_be_written_fails_alone(database: Database) -> None:
    one, error, two = run_beside(database, insert(1), insert(1), insert(2))
    assert (one, type(error), two) == (1, sqlite3.IntegrityError, 2)
    assert database.values() == [0, 1, 2]


def test_a_commit_that_fails_is_an_error_of_each(database: Database) -> None:
    database.commit_error = LogError(Problem("log", "cannot grow", "free some space"))
    errors = run_beside(database, insert(1), insert(2))
    assert [str(error) for error in errors] == ["log: cannot grow; free some space"] * 2
    assert errors[0] is not errors[1]
    assert database.values() == [0]


def test_a_transaction_that_is_lost_is_run_again_for_all(database: Database) -> None:
    def prepare(_runs: int, _seconds: float) -> None:
        database.commit_error = None

    database.commit_error = TransactionLost(Problem("log", "went away", "start it"), prepare)
    assert run_beside(database, *map(insert, range(1, 6))) == [1, 2, 3, 4, 5]
    assert (database.values(), database.transactions) == ([0, 1, 2, 3, 4, 5], 3)


def test_who_is_interrupted_while_a_server_is_away_keeps_nobody_else_from_writing(database: Database) -> None:
    def prepare(_runs: int, _seconds: float) -> None:
        database.commit_error = None
        raise KeyboardInterrupt

    database.commit_error = TransactionLost(Problem("log", "went away", "start it"), prepare)
    interrupted, *others = run_beside(database, *map(insert, range(1, 6)))
    assert (type(interrupted), others) == (KeyboardInterrupt, [2, 3, 4, 5])
    assert database.values() == [0, 2, 3, 4, 5]


def test_threads_claim_titles_in_fewer_transactions_than_writes(tmp_path: Path) -> None:
    log, barrier = anb.ExperimentLog(tmp_path / "log.sqlite"), threading.Barrier(24)
    log.frame()
    lock, statements = threading.Lock(), list[str]()

    def note(statement: str) -> None:
        with lock:
            statements.append(statement)

    log._database.store.connections.held().set_trace_callback(note)

    def claim(number: int) -> str:
        title = f"title {number % 12}"  # each of two threads
        barrier.wait()
        try:
            return log.plan(request(title), sending=True).state
        except RequestClaimed:
            return "claimed"

    with ThreadPoolExecutor(24) as pool:
        outcomes = list(pool.map(claim, range(24)))
    assert sorted(outcomes) == ["claimed"] * 12 + ["sending"] * 12
    assert sorted(log.frame()["title"]) == sorted(f"title {number}" for number in range(12))
    assert statements.count("COMMIT") < 24
    log.close()


def test_a_child_process_does_not_wait_for_the_threads_of_its_parent(database: Database) -> None:
    group = GroupCommit()
    with ThreadPoolExecutor(2) as pool:
        pool.submit(group.run, database.transaction, insert(0))
        assert database.begun.wait(30)
        pool.submit(group.run, database.transaction, insert(1))
        while not group._waiting:
            pass
        if (child := os.fork()) == 0:
            database.may_end.set()
            database.connection = sqlite3.connect(":memory:", isolation_level=None)
            database.connection.execute("CREATE TABLE number (value INTEGER)")
            os._exit(0 if group.run(database.transaction, insert(5)) == 5 and database.values() == [5] else 1)
        database.may_end.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert database.values() == [0, 1]


def request(title: str) -> Request:
    return Request("https://api.astria.ai", 43, title, "json", {"title": title, "name": "cat"})


@pytest.mark.slow
def test_a_log_goes_on_in_a_child_that_was_made_while_threads_write(tmp_path: Path) -> None:
    log, stop = Log(tmp_path / "log.sqlite"), threading.Event()
    log.plan(request("first"))  # Python forks badly while another thread imports

    def write(thread: int) -> None:
        number = 0
        while not stop.is_set():
            log.plan(request(f"{thread} {number}"))
            number += 1

    statuses = []
    with ThreadPoolExecutor(3) as pool:
        threads = [pool.submit(write, thread) for thread in range(3)]
        for number in range(5):
            if (child := os.fork()) == 0:
                os._exit(0 if log.plan(request(f"child {number}")).state == "planned" else 1)
            statuses.append(os.waitpid(child, 0)[1])
        stop.set()
    assert [thread.exception() for thread in threads] == [None] * 3
    assert statuses == [0] * 5
    assert {f"child {number}" for number in range(5)} <= {*log.frame()["title"]}
    log.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_whoever_reads_while_a_fork_closes_the_file_reads_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, is_asked = Log(tmp_path / "log.sqlite"), threading.Event()
    log.plan(request("first"))
    fate, forget_companions = OpenFiles.fate, OpenFiles.forget_companions
    own, reads = log._database.store._files, []

    def asked(files: OpenFiles) -> Fate:
        found = fate(files)
        is_asked.set()
        return found

    def read_before_it(files: OpenFiles) -> None:
        if files is own:
            reads.append(pool.submit(log.find, "https://api.astria.ai", "first"))
            assert is_asked.wait(PATIENCE)
        forget_companions(files)

    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(OpenFiles, "fate", asked)
        monkeypatch.setattr(OpenFiles, "forget_companions", read_before_it)
        if (child := os.fork()) == 0:
            os._exit(0)
        os.waitpid(child, 0)
        monkeypatch.undo()
        assert [read.result() is not None for read in reads] == [True]
    log.close()
