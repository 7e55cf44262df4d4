"""A log on a real server: who makes it, who may not use it, and what happens when the server goes away."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest

from astria_nb.errors import LogError
from astria_nb.log import Log, RequestClaimed, SameContentRecorded, StaleSubmission, Submission
from astria_nb.log import _submission_rows as submission_rows
from astria_nb.log._schema import VERSION
from astria_nb.log._selects import CLAIMANT_ON_SERVER
from helpers.postgres_proxy import LossyProxy
from helpers.processes import Other, elsewhere
from helpers.submissions import REPLY, SERVICE, a_request, claim, frame_titles
from helpers.waiting import until


@pytest.fixture
def empty_database(postgres: str) -> str:
    """Return the address of a database without any table."""
    name = f"empty_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return postgres.replace("/postgres?", f"/{name}?")


@pytest.fixture
def log(server_address: str) -> Iterator[Log]:
    with closing(Log(server_address)) as log:
        yield log


@contextmanager
def sql(address: object) -> Iterator[Callable[..., list[tuple[object, ...]]]]:
    with psycopg.connect(str(address), autocommit=True) as connection:

        def run(text: str, *values: object) -> list[tuple[object, ...]]:
            cursor = connection.execute(text.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

        yield run


def test_a_log_begins_at_its_first_use_beside_tables_of_others(empty_database: str) -> None:
    with sql(empty_database) as run:
        run("CREATE TABLE submission (theirs int)")
        log = Log(empty_database)
        assert not log.exists()
        assert log.frame().empty
        assert run("SELECT count(*) FROM pg_tables WHERE schemaname = 'astria_nb'") == [(0,)]
        log.plan(a_request())
        assert log.exists()
        assert run("SELECT count(*) FROM submission") == [(0,)]
    log.close()


def test_processes_that_begin_at_once_share_one_log(empty_database: str) -> None:
    lines = [(Log(empty_database).path, title) for title in "aabb"]
    others = [Other(_claim, line) for line in lines]
    outcomes = [other.pipe.recv() for other in others]
    for other in others:
        other.__exit__()
    assert sorted(outcomes[:2]) == sorted(outcomes[2:]) == ["lost", "won"]
    assert sorted(elsewhere(frame_titles, lines[0][0])) == ["a", "b"]


def _claim(pipe, line) -> None:  # type: ignore[no-untyped-def]
    pipe.send(claim(line))


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (["CREATE TABLE astria_nb.theirs (id int)"], "has a schema 'astria_nb' of another program"),
        (["CREATE TABLE astria_nb.format (id int)"], "has a schema 'astria_nb' of another program"),
        (
            [
                "CREATE TABLE astria_nb.format (application int, version int)",
                f"INSERT INTO astria_nb.format VALUES ({0x61737472}, {VERSION + 1})",
            ],
            f"was written by a newer astria_nb .format {VERSION + 1}; .* {VERSION}.; upgrade",
        ),
    ],
)
def test_a_schema_that_is_not_ours_is_refused_and_left_alone(
    empty_database: str, statements: list[str], message: str
) -> None:
    with sql(empty_database) as run:
        run("CREATE SCHEMA astria_nb")
        for statement in statements:
            run(statement)
        with pytest.raises(LogError, match=message):
            Log(empty_database).plan(a_request())
        assert run("SELECT count(*) FROM pg_tables WHERE schemaname = 'astria_nb'") == [(1,)]


def test_who_may_only_read_can_read(log: Log) -> None:
    log.plan(a_request())
    reader = f"reader_{uuid.uuid4().hex}"
    with sql(log.path) as run:
        run(f"CREATE ROLE {reader} LOGIN")
        run(f"GRANT USAGE ON SCHEMA astria_nb TO {reader}")
        run(f"GRANT SELECT ON ALL TABLES IN SCHEMA astria_nb TO {reader}")
        theirs = Log(str(log.path).replace("postgres@", f"{reader}@"))
        assert theirs.frame()["title"].tolist() == ["t"]
        with pytest.raises(LogError, match=r"may not be used by this user; ask its owner for CREATE"):
            theirs.plan(a_request("u"))
        theirs.close()
        run(f"DROP OWNED BY {reader}")
        run(f"DROP ROLE {reader}")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (
            "postgresql://ann:p4ss@127.0.0.1:1/lab",
            "'postgresql://ann@127.0.0.1:1/lab' cannot be reached .*refused",
        ),
        (
            "postgresql://ann:p4ss@/lab?host=/nowhere",
            "'.*ann@/lab.*' cannot be reached .*No such file",
        ),
    ],
)
def test_a_server_that_is_not_there_is_an_error_at_once(address: str, message: str) -> None:
    log = Log(address)
    for use in (log.exists, log.frame, lambda: log.plan(a_request())):
        with pytest.raises(LogError, match=f"^log: {message}.*; check host, port") as caught:
            use()
        assert "p4ss" not in str(caught.value)
    assert log.find_problem() is None


def test_a_database_that_is_not_there_is_named(postgres: str) -> None:
    log = Log(postgres.replace("/postgres?", "/nothing?"))
    with pytest.raises(LogError, match='database "nothing" does not exist'):
        log.plan(a_request())


@pytest.mark.parametrize("titles", [(None, None), ("a", "b"), ("a", "a")])
def test_two_that_record_a_request_at_once_wait_for_each_other(
    log: Log, titles: tuple[str | None, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a run, of equal contents, and of a title whose account one of them does not know."""
    other, add, outcomes, adding = Log(log.path), submission_rows.add, [], []
    for one in (log, other):
        one.record_event("replay")  # of what a process writes first, the second one waits for the first

    with sql(log.path) as run:
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"

        def add_late(*args: Any, **options: Any) -> Submission:
            adding.append(args)
            until(lambda: len(adding) == 2 or run(waiting))
            return add(*args, **options)

        def plan(of: Log, title: str | None, account: str | None) -> None:
            try:
                of.plan(a_request(title, account=account), newest_equal_id=0)
                outcomes.append("planned")
            except (RequestClaimed, SameContentRecorded):
                outcomes.append("refused")

        monkeypatch.setattr(submission_rows, "add", add_late)
        threads = [
            threading.Thread(target=plan, args=(log, titles[0], None)),
            threading.Thread(target=plan, args=(other, titles[1], "1")),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(outcomes) == ["planned", "refused"]
    other.close()


def test_a_title_with_another_account_or_none_is_one_title(log: Log) -> None:
    log.plan(a_request(account="1"))
    assert log.plan(a_request(account="2")).title == "t"
    with pytest.raises(RequestClaimed):
        log.plan(a_request())


def test_a_title_with_blanks_of_an_older_release_is_found(log: Log) -> None:
    planned = log.plan(a_request())
    with sql(log.path) as run:
        run("UPDATE astria_nb.submission SET title = E'\\u2003 t\\n'")
    found_by = [log.find(SERVICE, "t"), log.claimant(a_request())]
    assert [submission and submission.id for submission in found_by] == [planned.id] * 2
    assert log.find(SERVICE, "u") is None


@pytest.fixture
def proxy(log: Log, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LossyProxy]:
    server = Path(log.path.connect_options()["host"]) / ".s.PGSQL.5432"
    with LossyProxy(server, tmp_path_factory.mktemp("proxy")).running() as proxy:
        yield proxy


@pytest.mark.parametrize("loses", ["answer", "commit"])
@pytest.mark.parametrize("cuts", [1, 3])
def test_a_connection_that_is_lost_during_a_commit_writes_once(
    log: Log, proxy: LossyProxy, loses: Literal["answer", "commit"], cuts: int
) -> None:
    options = log.path.connect_options()
    theirs = Log(f"postgresql://postgres@/{options['dbname']}?host={proxy.folder}")
    theirs.find(SERVICE, "t")
    proxy.loses = loses
    proxy.cuts = cuts
    submission = theirs.plan(a_request(), sending=True)
    proxy.cuts = cuts
    submission = theirs.change(submission, "done", reply=REPLY)
    proxy.cuts = cuts
    theirs.record_event("poll", submission=submission, reply=REPLY)
    proxy.cuts = cuts
    theirs.tag(submission.id, "good")
    proxy.cuts = 0
    assert log.get(submission.id) == submission
    assert log.events()["kind"].tolist() == ["planned", "sending", "done", "poll", "tag"]
    theirs.close()


ENDS_CONNECTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name LIKE 'astria_nb%' AND datname = current_database()
"""


def test_a_connection_that_the_server_ends_is_replaced(log: Log) -> None:
    submission = log.plan(a_request(), sending=True)
    with sql(log.path) as run:
        run(ENDS_CONNECTIONS)
        submission = log.change(submission, "done", reply=REPLY)
        run(ENDS_CONNECTIONS)
        assert log.get(submission.id) == submission
        run(ENDS_CONNECTIONS)
        assert log.frame()["state"].tolist() == ["done"]
    assert log.events()["kind"].tolist() == ["planned", "sending", "done"]


def test_nothing_is_printed_of_a_connection_that_ends_while_it_is_used(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    log.plan(a_request())
    store: Any = log._database.store
    with sql(log.path) as run, store._connection() as pooled:
        pooled.driver_connection.execute("SELECT 1")
        run(ENDS_CONNECTIONS)
    assert caplog.messages == []
    assert log.frame()["title"].tolist() == ["t"]


def test_a_change_that_another_process_made_is_told(log: Log) -> None:
    submission = log.plan(a_request(), sending=True)
    other = Log(log.path)
    done = other.change(submission, "done", reply=REPLY)
    with pytest.raises(StaleSubmission) as caught:
        log.change(submission, "unknown")
    assert caught.value.submission == done
    other.close()


def test_a_title_is_looked_for_by_an_index_however_many_there_are(log: Log) -> None:
    log.plan(a_request("a"))
    values = {"of_service": SERVICE, "of_account": None, "of_title": "a"}
    with log._database.store.reading() as connection:
        plan = connection.execute(f"EXPLAIN {CLAIMANT_ON_SERVER._text}", values).fetchall()
    scans = [line for (line,) in plan if "Scan using" in line and " on submission" in line]
    conditions = [line for (line,) in plan if "Index Cond" in line and "title" in line]
    assert len(scans) == 2
    assert ["with_blanks" in scan for scan in scans].count(True) == len(conditions) == 1
