"""A log is copied to a file or to a server: all of it, once, and later what has changed."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from astria_nb.errors import LogError
from astria_nb.log import Log, RequestClaimed
from helpers.submissions import IMAGES, REPLY, SERVICE, a_request

PROMPTS = [{"id": 1, "text": "ohwx cat", "images": ["https://example.com/1.jpg"]}]


def fill(log: Log) -> None:
    """Record a tune with photos, prompts and labels; a lost answer; a rejected one; and two equal runs."""
    trained = log.plan(a_request("trained", images=IMAGES), 3, sending=True)
    reply = {**REPLY, "title": "trained"}
    trained = log.change(trained, "done", reply=reply, image_sha256=["aa", "bb"])
    log.record_event("poll", submission=trained, reply=PROMPTS)
    log.change(
        log.plan(a_request("lost", account="1"), sending=True), "unknown", problem="its answer was lost"
    )
    log.change(log.plan(a_request("rejected"), sending=True), "rejected", problem="no")
    for prompt in (11, 12):
        run = log.change(log.plan(a_request(None), sending=True), "done", reply={"prompt_ids": [prompt]})
        log.note_returned(run)
    log.record_event("callback", tune_id=99, service=SERVICE, reply={"id": 99})
    log.tag(trained.id, "good likeness")
    log.note(trained.id, "ünïcode")


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Log]:
    with closing(Log(tmp_path / "source.sqlite")) as source:
        fill(source)
        yield source


def assert_same(a: Log, b: Log) -> None:
    pd.testing.assert_frame_equal(a.frame(hidden=True), b.frame(hidden=True))
    pd.testing.assert_frame_equal(a.events(), b.events())
    for number in a.frame(hidden=True)["submission"]:
        assert a.get(number) == b.get(number)
        assert a.prompts(a.get(number)) == b.prompts(b.get(number))


def test_a_copy_is_the_same_log_there_and_back(source: Log, log: Log, tmp_path: Path) -> None:
    assert source.copy_to(log) == 5
    back = tmp_path / "back.sqlite"
    assert log.copy_to(str(back)) == 5
    with closing(Log(back)) as copied:
        assert_same(source, log)
        assert_same(log, copied)
        for one in (log, copied):
            with pytest.raises(RequestClaimed):
                one.plan(a_request("trained"))
            assert one.is_abandoned(one.get(2)) == source.is_abandoned(source.get(2))
            assert one.was_returned(one.get(4))
            assert one.plan(a_request("next")).id > 5
            assert one.frame(tag="good likeness")["note"].tolist() == ["ünïcode"]


def test_a_copy_that_is_repeated_adds_what_has_changed(source: Log, log: Log) -> None:
    source.copy_to(log)
    events = len(log.events())
    assert source.copy_to(log) == 0
    assert len(log.events()) == events
    source.change(source.get(2), "adopted", tune_id=8, reply={**REPLY, "id": 8, "title": "lost"})
    source.tag(1, "client A")
    source.plan(a_request("new"))
    assert source.copy_to(log) == 3
    assert log.get(2).state == "adopted"
    assert log.frame()["title"].tolist() == source.frame()["title"].tolist()
    assert log.frame()["tags"].map(list).tolist() == source.frame()["tags"].map(list).tolist()
    assert log.events()["kind"].value_counts().to_dict() == source.events()["kind"].value_counts().to_dict()
    assert source.copy_to(log) == 0


def test_two_logs_become_one(source: Log, log: Log, tmp_path: Path) -> None:
    own = log.change(
        log.plan(a_request("own"), sending=True), "done", reply={**REPLY, "id": 5, "title": "own"}
    )
    log.tag(own.id, "mine")
    assert source.copy_to(log) == 5
    assert sorted(log.frame()["title"].dropna()) == ["lost", "own", "rejected", "trained"]
    assert log.get(own.id) == own
    trained = log.find(SERVICE, "trained")
    assert trained is not None
    assert trained.id != 1
    assert log.prompts(trained) == PROMPTS
    of_trained = log.events().query(f"submission == {trained.id}")
    assert of_trained["kind"].tolist() == ["planned", "sending", "done", "poll", "tag", "note"]
    assert source.copy_to(log) == 0
    assert log.copy_to(source) == 1
    assert sorted(source.frame()["title"].dropna()) == ["lost", "own", "rejected", "trained"]
    assert len(source.events()) == len(log.events())


def test_what_was_found_out_there_is_not_taken_back(source: Log, log: Log) -> None:
    source.copy_to(log)
    log.change(log.get(2), "adopted", tune_id=8, reply={**REPLY, "id": 8, "title": "lost"})
    for _ in range(3):
        source.change(source.get(2), "unknown", problem="still not there")
    source.copy_to(log)
    assert (log.get(2).state, log.get(2).tune_id) == ("adopted", 8)
    assert log.copy_to(source) == 1
    assert source.get(2).state == "adopted"


def test_one_tune_that_both_have_recorded_is_one(source: Log, log: Log) -> None:
    adopted = log.change(log.plan(a_request("trained")), "adopted", reply={**REPLY, "title": "trained"})
    assert source.copy_to(log) == 5  # four are new, and one has labels
    assert log.find(SERVICE, "trained") == adopted


def test_titles_that_both_claim_are_told_and_nothing_is_copied(source: Log, log: Log) -> None:
    log.plan(a_request("lost", account="1"), sending=True)
    before = log.events()
    with pytest.raises(LogError, match=r"both logs have another submission of the title 'lost'.*recover or"):
        source.copy_to(log)
    pd.testing.assert_frame_equal(log.events(), before)
    assert len(log.frame()) == 1


def test_a_damaged_log_is_not_copied(source: Log, log: Log) -> None:
    source.close()
    with closing(sqlite3.connect(source.path)) as file, file:
        file.execute("UPDATE submission SET tune_id = 12345678 WHERE title = 'trained'")
    file.close()
    with pytest.raises(LogError, match="is damaged: submission 1 is not what was written"):
        source.copy_to(log)
    assert log.frame().empty


def test_a_log_is_not_copied_onto_itself(source: Log, tmp_path: Path) -> None:
    (tmp_path / "link.sqlite").symlink_to(source.path)
    for place in (source, str(source.path), tmp_path / "link.sqlite"):
        with pytest.raises(LogError, match="other: is this log itself; give another file or database"):
            source.copy_to(place)


@pytest.mark.parametrize("version", ["format_3", "format_4"])
def test_a_log_of_an_older_release_is_copied(version: str, log: Log, tmp_path: Path) -> None:
    old: Any = next((Path(__file__).parent / version).glob("*.sqlite"))
    with closing(Log(shutil.copy(old, tmp_path / "old.sqlite"))) as source:
        assert source.copy_to(log) >= len(source.frame())
        pd.testing.assert_frame_equal(source.frame(hidden=True), log.frame(hidden=True))
