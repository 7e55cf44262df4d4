"""What is recorded together is what would be recorded one by one."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from astria_nb.errors import LogError
from astria_nb.log import Log, Submission
from astria_nb.log._bulk import BulkWriter, Change, ChangedMeanwhile, Intent
from astria_nb.tune import Request

SERVICE = "https://api.astria.ai"
TUNE = {"id": 7, "title": "t", "name": "cat", "created_at": "2026-01-01T12:00:00.000Z", "x": [1.5, None]}


def request(title: str | None, **fields: Any) -> Request:
    parameters = {"title": title, "name": "cat", "image_urls": ["https://me:pw@x.org/1.jpg?Signature=00ff"]}
    return Request(SERVICE, 43, title, "json", {**parameters, **fields}, account="5")


def reply(number: int) -> dict[str, Any]:
    return {**TUNE, "id": number, "title": f"t{number}", "image_sha256": None}


def written(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of a log, but the clocks."""
    with closing(sqlite3.connect(path)) as file:
        file.row_factory = sqlite3.Row
        tables = {}
        for table in ("submission", "event", "body"):
            rows = [dict(row) for row in file.execute(f"SELECT * FROM {table} ORDER BY 1")]
            for row in rows:
                for name in ("planned_at", "changed_at", "uptime", "checksum", "at"):
                    row.pop(name, None)
            tables[table] = [tuple(row.items()) for row in rows]
    return tables


def together(log: Log, *entries: Intent | Change | None, writer: BulkWriter) -> list[Submission | None]:
    database = log._database
    with database._write() as (connection, session_id):
        return writer.write(connection, session_id, entries)


def intent(title: str | None, **fields: Any) -> Intent:
    return Intent(request(title, **fields).recorded(), 3, None, sending=True)


def done(before: Submission, answer: dict[str, Any], hashes: list[str | None] | None = None) -> Change:
    numbers = {"attempt": None, "newest_known_id": None, "tune_id": answer["id"]}
    return Change(before, "done", "done", numbers, answer, answer, hashes, None)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "together.sqlite")


def test_the_same_rows_are_written_together_as_one_by_one(log: Log, tmp_path: Path) -> None:
    single, writer = Log(tmp_path / "single.sqlite"), BulkWriter()
    answers = [(reply(number), None) for number in range(5)]
    # A run has no id, and what the record does not keep of its answer; hashes are not in every answer.
    answers += [({"id": None, "prompt_ids": [7], "order": {"id": 5}}, None), (TUNE | {"id": 9}, ["00ff"])]
    planned = [single.plan(request(f"t{number}"), 3, sending=True) for number in range(7)]
    answers = [
        (before.own_fields | answer, hashes)
        for before, (answer, hashes) in zip(planned, answers, strict=True)
    ]
    singles = [
        single.change(before, "done", tune_id=answer["id"], reply=answer, image_sha256=hashes)
        for before, (answer, hashes) in zip(planned, answers, strict=True)
    ]
    new = together(log, *(intent(f"t{number}") for number in range(7)), writer=writer)
    changed = together(
        log,
        *(done(before, *answer) for before, answer in zip(new, answers, strict=True) if before),
        writer=writer,
    )
    for one, other in zip([*planned, *singles], [*new, *changed], strict=True):
        assert other is not None
        assert {name: getattr(other, name) for name in ("id", "title", "state", "attempt", "tune_id")} == {
            name: getattr(one, name) for name in ("id", "title", "state", "attempt", "tune_id")
        }
        assert (other.record, other.version, other.request) == (one.record, one.version, one.request)
        assert log.get(other.id).request == other.request
    assert log.frame()["state"].tolist() == ["done"] * 7
    single.close()
    log.close()
    by_kind = [
        {table: sorted(map(repr, rows)) for table, rows in written(path).items()}
        for path in (tmp_path / "single.sqlite", tmp_path / "together.sqlite")
    ]
    for tables in by_kind:
        tables["event"] = sorted(row.partition("('kind'")[2] for row in tables["event"])  # numbers differ
    assert by_kind[0] == by_kind[1]


def test_what_is_no_rule_is_left(log: Log) -> None:
    taken, writer = log.plan(request("taken"), sending=True), BulkWriter()
    entries = [
        intent("new"),
        intent("taken"),
        intent("twice"),
        intent("twice"),
        intent(None, tune_ids=[5]),
        Intent(request("compared").recorded(), 3, 0, sending=True),
        done(taken, reply(9)),  # recorded by itself, so its row is not at hand
        None,
    ]
    results = together(log, *entries, writer=writer)
    assert [result is not None for result in results] == [True] + [False] * 7
    assert sorted(log.frame()["title"]) == ["new", "taken"]
    log.close()


def test_a_submission_that_changed_meanwhile_undoes_all_of_it(log: Log) -> None:
    writer = BulkWriter()
    first, second = together(log, intent("a"), intent("b"), writer=writer)
    assert first
    assert second
    log.change(first, "unknown")
    with pytest.raises(ChangedMeanwhile):
        together(log, done(first, reply(1)), done(second, reply(2)), writer=writer)
    assert sorted(log.frame()["state"]) == ["sending", "unknown"]
    log.close()


def test_a_row_that_was_damaged_is_not_signed_as_it_is(log: Log) -> None:
    writer = BulkWriter()
    (first,) = together(log, intent("a"), writer=writer)
    assert first
    log.close()
    with closing(sqlite3.connect(log.path)) as file:
        file.execute("UPDATE submission SET content_fingerprint = 'another'")
        file.commit()
    together(log, done(first, reply(1)), writer=writer)
    with pytest.raises(LogError, match="is damaged: submission 1 does not match what was written"):
        log.get(1)
    log.close()


def test_titles_with_blanks_of_older_releases_are_looked_for_one_by_one(log: Log) -> None:
    log.plan(request("a"), sending=True)
    log.close()
    with closing(sqlite3.connect(log.path)) as file:
        file.execute("UPDATE submission SET title = 'a ', checksum = NULL")
        file.commit()
    assert together(log, intent("a"), intent("b"), writer=BulkWriter()) == [None, None]
    log.close()
