"""Damage to a submission is told, or does not matter: what is read is what was written, else a `LogError`.

That is the frame, what is found by a title, with requests, tunes and labels, and the replies of the service.
The other columns of events, and what is known of processes, have no checksum: of them, SQLite tells what
breaks its own structure.

The short form damages a few files. ``pytest -m soak`` damages 200 with 64 flipped bits each, and 200 in other
ways.
"""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from astria_nb.errors import LogError
from astria_nb.log import Log
from helpers.damaged_logs import DAMAGES, Reading, differences, fill, flip_bits, read
from helpers.soak import sizes
from helpers.submissions import REPLY, SERVICE, a_request

ROWS = 20  # of a segment
TITLES = 120
MISSING = "a title that was never planned"


@pytest.fixture(scope="module")
def sealing() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("astria_nb.log._segments.ROWS", ROWS)
        yield


@pytest.fixture(scope="module")
def original(sealing: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "log.sqlite"
    fill(path, TITLES)
    return path


@pytest.fixture(scope="module")
def expected(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Reading:
    copy = tmp_path_factory.mktemp("copy") / "log.sqlite"
    shutil.copy(original, copy)
    return read(copy, [*(f"title {number}" for number in range(TITLES)), MISSING])


@pytest.mark.slow
@sizes(4, 200)
def test_flipped_bits_are_told(size: int, original: Path, expected: Reading, tmp_path: Path) -> None:
    for seed in range(size):
        path = tmp_path / f"{seed}.sqlite"
        shutil.copy(original, path)
        flip_bits(path, random.Random(seed))
        assert not differences(path, expected), f"seed {seed}"
        path.unlink()


@pytest.mark.slow
@sizes(8, 200)
def test_other_damage_is_told(size: int, original: Path, expected: Reading, tmp_path: Path) -> None:
    for seed in range(size):
        path = tmp_path / f"{seed}.sqlite"
        shutil.copy(original, path)
        damage = DAMAGES[seed % len(DAMAGES)]
        damage(path, random.Random(seed))
        assert not differences(path, expected), f"{damage.__name__}, seed {seed}"
        path.unlink()


@pytest.mark.parametrize("index", ["claimed_by_account", "submission_of_title"])
def test_a_title_that_an_index_does_not_find_is_told(tmp_path: Path, index: str) -> None:
    path = tmp_path / "log.sqlite"
    log = Log(path)
    log.plan(a_request("title"))
    log.close()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("PRAGMA writable_schema = ON")
        (definition,) = file.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone()
        changed = definition.replace("service, title", "service, state")
        file.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (changed, index))
    file.close()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(f"REINDEX {index}")
        file.execute("PRAGMA writable_schema = ON")
        file.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (definition, index))
    file.close()
    with pytest.raises(LogError, match="an index does not find submission 1"):
        log.find(SERVICE, "title")


def test_a_state_that_is_read_as_missing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    log = Log(path)
    log.change(log.plan(a_request("title", account="1"), sending=True), "done", reply=REPLY)
    log.close()
    content = path.read_bytes()
    # The types of service, account, title and state: with another bit, the state is NULL.
    types, damaged = (bytes([13 + 2 * len(SERVICE), 15, 23, state]) for state in (21, 5))
    assert types in content
    path.write_bytes(content.replace(types, damaged))
    with pytest.raises(LogError, match="damaged"):
        log.find(SERVICE, "title")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM segment",
        "UPDATE segment SET arrow = x'00'",
        "UPDATE segment SET arrow = (SELECT arrow FROM segment WHERE id = 2)",
        "UPDATE segment SET id = id + 1000",
        "DELETE FROM segment WHERE id = 1",
        "UPDATE submission SET sealed = 1 WHERE sealed IS NOT NULL",
    ],
)
def test_segments_are_built_again(original: Path, expected: Reading, tmp_path: Path, statement: str) -> None:
    path = tmp_path / "log.sqlite"
    shutil.copy(original, path)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(statement)
    file.close()
    log = Log(path)
    for _ in range(2):
        assert log.frame().equals(expected.frame)
    log.prune(datetime(2020, 1, 1, tzinfo=UTC))  # drops what no row refers to
    log.close()
    with closing(sqlite3.connect(path)) as file, file:
        sealed, stored = (
            file.execute(query).fetchone()[0]
            for query in ("SELECT count(sealed) FROM submission", "SELECT sum(rows) FROM segment")
        )
    file.close()
    assert sealed == stored > TITLES / 2


def test_an_index_that_does_not_find_a_title_is_told_before_it_is_sent_again(
    original: Path, expected: Reading, tmp_path: Path
) -> None:
    path = tmp_path / "log.sqlite"
    content = original.read_bytes()
    # The entry in an index has the service's address and the title side by side; the row does not.
    entry = f"{SERVICE}title 7".encode()
    assert entry in content
    path.write_bytes(content.replace(entry, f"{SERVICE}title W".encode()))
    log = Log(path)
    assert log.frame().equals(expected.frame)  # made without this index
    for work in (lambda: log.find(SERVICE, "title 7"), lambda: log.plan(a_request("another"))):
        with pytest.raises(LogError, match=r"is damaged: an index .* submission 8; keep it for repair"):
            work()


def test_the_error_names_what_is_damaged_and_the_rest_can_be_read(original: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    shutil.copy(original, path)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE submission SET tune_id = 5 WHERE title = 'title 2'")
    file.close()
    log = Log(path)
    with pytest.raises(
        LogError, match=r"submission 3 does not match what was written; .*\.recover.* your account"
    ):
        log.find(SERVICE, "title 2")
    submission = log.find(SERVICE, "title 3")
    assert submission is not None
    assert submission.tune_id == 3


def test_a_damaged_reply_is_told_by_the_events_and_the_prompts(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.sqlite")
    submission = log.change(log.plan(a_request(), sending=True), "done", reply=REPLY)
    log.record_event("poll", submission=submission, reply=[{"id": 1, "text": "ohwx cat"}])
    log.close()
    content = log.path.read_bytes()
    log.path.write_bytes(content.replace(b"ohwx cat", b"ohwx bat"))
    for work in (log.events, lambda: log.prompts(submission)):
        with pytest.raises(LogError, match="the reply of event 4 does not match what was written"):
            work()


def test_a_segment_that_is_trusted_would_be_caught(
    sealing: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: without their checksums, flipped bits of segments are shown as data."""
    monkeypatch.setattr("astria_nb.log._segments.of_segment", lambda *_: 1)
    original, path = tmp_path / "log.sqlite", tmp_path / "copy.sqlite"
    fill(original, 2 * ROWS)
    shutil.copy(original, path)
    expected = read(path, [])
    for seed in range(40):
        with closing(sqlite3.connect(path)) as file, file:
            (stream,) = file.execute("SELECT arrow FROM segment WHERE id = 1").fetchone()
            flipped = bytearray(stream)
            flipped[random.Random(seed).randrange(len(flipped))] ^= 1
            file.execute("UPDATE segment SET arrow = ? WHERE id = 1", (bytes(flipped),))
        file.close()
        if differences(path, expected):
            return
    pytest.fail("nothing was noticed")
