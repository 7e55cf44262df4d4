"""A long log: no query scans it, its events are read in parts, and what is pruned leaves the disk."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import LogError
from astria_nb.log import Log
from helpers.submissions import REPLY, SERVICE, a_request


@pytest.fixture
def service() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log.sqlite")


def trace(log: Log, note: Callable[[str], None]) -> sqlite3.Connection:
    """Note each statement of an open log; return its connection that writes."""
    connections = log._database.store._connections
    with connections.reading() as reader:
        pass
    reader.set_trace_callback(note)  # one thread reads with the same one again
    connections.held().set_trace_callback(note)
    return connections.held()


def test_no_query_of_a_submission_scans_the_log(log: Log) -> None:
    queries: list[str] = []

    def note(statement: str) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE")):
            queries.append(statement)

    log.plan(a_request("first"))
    held = trace(log, note)
    log.precedents(a_request("t"))
    log.unsettled(SERVICE)
    log.claimant(a_request("t"))
    log.claimant(a_request(None))
    log.with_content(a_request("t"))
    sent = log.plan(a_request("t"), sending=True)
    log.change(sent, "done", reply=REPLY)
    assert len(queries) > 12
    held.set_trace_callback(None)
    for statement in queries:
        plan = [row[3] for row in held.execute(f"EXPLAIN QUERY PLAN {statement}")]
        scans = {step for step in plan if step.startswith("SCAN ") and "CONSTANT" not in step}
        assert scans <= {"SCAN sqlite_sequence"}, statement  # of one row for each table
        if "IN ('planned', 'sending', 'unknown')" in statement:
            assert any("submission_unsettled" in step for step in plan)
            assert not any("TEMP B-TREE" in step for step in plan)


def test_a_submission_is_a_few_statements_and_two_writes_to_the_disk(log: Log, service: anb.Sandbox) -> None:
    def submit(title: str) -> None:
        photos = [f"https://example.com/{title}.jpg"]
        tune = anb.Tune(pack=797, title=title, name="cat", image_urls=photos)
        anb.submit(tune, service.client(), log=log)

    submit("first")
    statements: list[str] = []
    trace(log, statements.append)
    submit("second")
    assert statements.count("BEGIN IMMEDIATE") == 2
    # Without those of the thread that empties the write-ahead log while nothing else happens.
    assert len([text for text in statements if not text.startswith("PRAGMA")]) <= 26


def test_events_can_be_read_in_parts(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        log.record_event("replay", problem=str(number))
    everything = log.events()
    times = [time.to_pydatetime() for time in everything["at"]]
    part = log.events(since=times[1], until=times[3])
    assert part["problem"].tolist() == ["1", "2"]
    assert log.events(since=datetime.now(UTC)).empty
    frames = list(log.iter_events())
    assert pd.concat(frames).reset_index(drop=True)["id"].tolist() == everything["id"].tolist()
    assert next(log.iter_events(since=times[4]))["problem"].tolist() == ["4"]
    latest = log.events(since=datetime.now(UTC))["at"].max()  # NaT: there are none
    assert len(log.events(since=latest, until=pd.NA)) == 5
    assert sum(map(len, log.iter_events(since=latest))) == 5
    with pytest.raises(LogError, match="since: has no time zone"):
        log.events(since=datetime(2026, 1, 1))


def test_what_is_pruned_leaves_the_disk(log: Log) -> None:
    for number in range(60):
        sent = log.plan(a_request(f"t{number}"), sending=True)
        log.change(sent, "done", reply={**REPLY, "id": number, "text": f"{number}" * 5000})
    log.close()
    before = log.path.stat().st_size
    assert log.prune(datetime.now(UTC)) == 60
    assert log.path.stat().st_size < before / 4
    assert log.plan(a_request("next")).id == 61
