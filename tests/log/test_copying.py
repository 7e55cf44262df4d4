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


def test_a_log_is_copied_into_one_that_has_only_events(source: Log, log: Log) -> None:
    log.record_event("callback", tune_id=5, service=SERVICE, problem="no connection")
    assert source.copy_to(log) == 5
    assert len(log.events()) == len(source.events()) + 1
    pd.testing.assert_frame_equal(log.frame(), source.frame())


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
    with pytest.raises(
        LogError, match=r"the logs have different submissions of the title 'lost'.*recover or"
    ):
        source.copy_to(log)
    pd.testing.assert_frame_equal(log.events(), before)
    assert len(log.frame()) == 1


@pytest.fixture(params=["there", "back"])
def pair(request: pytest.FixtureRequest, source: Log, log: Log) -> tuple[Log, Log]:
    """Return two logs with the same content: what changes in the first one is copied to the second one."""
    source.copy_to(log)
    return (source, log) if request.param == "there" else (log, source)


TRAINED = {
    **REPLY,
    "title": "trained",
    "updated_at": "2026-01-01T13:00:00.000Z",
    "trained_at": "2026-01-01T13:00:00.000Z",
}


def status_of(log: Log, title: str = "trained") -> Any:
    return log.frame().set_index("title").loc[title, "status"]


def poll(log: Log, reply: dict[str, Any] = TRAINED) -> None:
    log.record_event("poll", submission=log.find(SERVICE, "trained"), reply=reply)


def test_a_tune_that_was_trained_since_is_copied(pair: tuple[Log, Log]) -> None:
    changed, other = pair
    poll(changed)
    assert changed.copy_to(other) == 1
    assert status_of(other) == "trained"
    assert_same(changed, other)
    assert changed.copy_to(other) == 0
    assert other.copy_to(changed) == 0


def test_a_tune_that_was_deleted_since_is_copied(pair: tuple[Log, Log]) -> None:
    changed, other = pair
    changed.mark_deleted(SERVICE, 7)
    assert changed.copy_to(other) == 1
    assert status_of(other) == "deleted"
    assert_same(changed, other)
    assert changed.copy_to(other) == 0


def test_an_older_state_of_a_tune_replaces_no_newer_one(pair: tuple[Log, Log]) -> None:
    behind, ahead = pair
    poll(ahead)
    poll(behind, {**REPLY, "title": "trained", "expires_at": "2026-02-01T12:00:00.000Z"})  # heard of later
    before = ahead.find(SERVICE, "trained")
    assert behind.copy_to(ahead) == 0
    assert ahead.find(SERVICE, "trained") == before
    assert ahead.copy_to(behind) == 1
    assert status_of(behind) == "trained"


def test_a_deletion_is_not_taken_back_by_what_was_heard_before(pair: tuple[Log, Log]) -> None:
    first, second = pair
    poll(second)
    first.mark_deleted(SERVICE, 7)  # which has not heard that it was trained
    assert second.copy_to(first) == 1
    assert status_of(first) == "deleted"
    assert first.copy_to(second) == 1
    assert status_of(second) == "deleted"
    assert not second.frame()["trained_at"].isna().all()
    pd.testing.assert_frame_equal(first.frame(), second.frame())


def test_a_tune_that_is_heard_of_again_is_not_deleted(pair: tuple[Log, Log]) -> None:
    first, second = pair
    first.mark_deleted(SERVICE, 7)
    poll(second)
    assert first.copy_to(second) == 0
    assert status_of(second) == "trained"
    second.copy_to(first)
    assert status_of(first) == "trained"


def test_what_is_heard_of_one_tune_that_both_have_recorded_is_copied(source: Log, log: Log) -> None:
    log.change(log.plan(a_request("trained")), "adopted", reply={**REPLY, "title": "trained"})
    source.copy_to(log)
    hashes = source.frame().set_index("title").loc["trained", "image_sha256"]
    poll(log)
    log.copy_to(source)
    assert status_of(source) == "trained"
    assert list(source.frame().set_index("title").loc["trained", "image_sha256"]) == list(hashes)


def done(log: Log, title: str, tune_id: int) -> None:
    """Record that a submission was sent, and made a tune."""
    submission = log.find(SERVICE, title) or log.plan(a_request(title), sending=True)
    log.change(submission, "done", reply={**REPLY, "id": tune_id, "title": title})


def assert_conflict(source: Log, log: Log, message: str) -> None:
    frame, events = log.frame(), log.events()
    with pytest.raises(LogError, match=message) as error:
        source.copy_to(log)
    assert [problem.kind for problem in error.value.problems] == ["conflict"]
    pd.testing.assert_frame_equal(log.frame(), frame)
    pd.testing.assert_frame_equal(log.events(), events)


def test_two_tunes_of_one_submission_are_told_and_both_stay_on_record(pair: tuple[Log, Log]) -> None:
    first, second = pair
    lost = second.find(SERVICE, "lost")
    assert lost is not None
    second.change(lost, "adopted", reply={**REPLY, "id": 9, "title": "lost"})
    first.change(first.get(2), "adopted", reply={**REPLY, "id": 8, "title": "lost"})
    message = "the logs have different results for the title 'lost'; keep both logs"
    assert_conflict(first, second, message)
    assert_conflict(second, first, message)
    assert (first.get(2).tune_id, second.get(2).tune_id) == (8, 9)


def test_two_runs_of_one_submission_are_told(source: Log, log: Log) -> None:
    run = source.plan(a_request(None, name="another"), sending=True)
    source.copy_to(log)
    log.change(log.get(run.id), "done", reply={"prompt_ids": [21]})
    source.change(run, "done", reply={"prompt_ids": [22]})
    assert_conflict(source, log, f"the logs have different results for run {run.id} here")


def test_a_title_that_was_planned_again_there_is_told(source: Log, log: Log) -> None:
    sent = source.plan(a_request("again"), sending=True)
    source.copy_to(log)
    log.change(log.get(sent.id), "not_sent")
    log.plan(a_request("again"), sending=True)
    source.change(sent, "done", reply={**REPLY, "id": 11, "title": "again"})
    assert_conflict(source, log, "the logs have different submissions of the title 'again'.*recover or")
    done(log, "again", 12)
    assert_conflict(source, log, "the logs have different results for the title 'again'")


def test_a_title_that_was_planned_again_here_is_copied(pair: tuple[Log, Log]) -> None:
    changed, other = pair
    sent = changed.plan(a_request("again"), sending=True)
    changed.copy_to(other)
    changed.change(sent, "not_sent")
    done(changed, "again", 12)
    assert changed.copy_to(other) == 2
    assert_same(changed, other)


def test_a_tune_that_was_found_there_for_another_plan_of_its_title_is_one(source: Log, log: Log) -> None:
    sent = source.plan(a_request("again"), sending=True)
    source.copy_to(log)
    log.change(log.get(sent.id), "not_sent")
    done(log, "again", 11)
    found = log.find(SERVICE, "again")
    source.change(sent, "done", reply={**REPLY, "id": 11, "title": "again"})
    assert source.copy_to(log) == 0
    assert log.find(SERVICE, "again") == found


def test_a_damaged_log_is_not_copied(source: Log, log: Log) -> None:
    source.close()
    with closing(sqlite3.connect(source.path)) as file, file:
        file.execute("UPDATE submission SET tune_id = 12345678 WHERE title = 'trained'")
    file.close()
    with pytest.raises(
        LogError, match=r"source\.sqlite' is damaged: submission 1 does not match what was written"
    ):
        source.copy_to(log)
    assert log.frame().empty


def test_a_damaged_log_is_not_brought_up_to_date(source: Log, file_log: Log) -> None:
    source.copy_to(file_log)
    poll(source)
    file_log.close()
    with closing(sqlite3.connect(file_log.path)) as file, file:
        file.execute("UPDATE submission SET problem = 'x' WHERE title = 'trained'")
    file.close()
    with pytest.raises(
        LogError, match=r"/log\.sqlite' is damaged: submission 1 does not match what was written"
    ):
        source.copy_to(file_log)


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
