"""The log records requests and their outcome, and gives a title to one submission at a time."""

import pickle
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from astria_nb.errors import LogError, TuneError
from astria_nb.log import Log, RequestClaimed, StaleSubmission, Submission
from astria_nb.log._states import STATES
from helpers.submissions import IMAGES, KEY, REPLY, SERVICE, a_request


def moved(log: Log, *states: str, title: str | None = "t") -> Submission:
    """Plan a submission and move it through some states."""
    submission = log.plan(a_request(title))
    for state in states:
        submission = log.change(submission, state)
    return submission


def test_nothing_is_made_before_the_first_use(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.sqlite")
    assert not log.path.exists()
    log.unsettled(SERVICE)
    assert log.path.exists()


def test_a_log_stays_where_it_was_when_the_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log = Log("log.sqlite")
    monkeypatch.chdir("/")
    log.plan(a_request())
    assert (tmp_path / "log.sqlite").exists()


def test_a_plan_is_there_for_everyone_once_it_is_returned(log: Log) -> None:
    planned = log.plan(a_request(images=IMAGES, characteristics={"eye_color": "blue"}), newest_known_id=41)
    assert Log(log.path).get(planned.id) == planned
    assert (planned.state, planned.attempt, planned.newest_known_id) == ("planned", 0, 41)
    assert planned.request.images == IMAGES
    assert planned.request.parameters["characteristics"] == {"eye_color": "blue"}
    assert planned.record is None
    assert datetime.now(UTC) - planned.planned_at < timedelta(minutes=1)


def test_a_title_is_claimed_once(log: Log) -> None:
    first = log.plan(a_request())
    with pytest.raises(RequestClaimed) as caught:
        log.plan(a_request(name="dog"))
    assert caught.value.submission == first
    assert len(log.events()) == 1


@pytest.mark.parametrize("state", ["sending", "done", "unknown", "adopted", "needs_review"])
def test_a_title_stays_claimed_while_its_tune_may_exist(log: Log, state: str) -> None:
    submission = moved(log, "sending", *([] if state == "sending" else [state]))
    assert log.find(SERVICE, "t") == submission
    with pytest.raises(RequestClaimed):
        log.plan(a_request())


@pytest.mark.parametrize("state", ["rejected", "not_sent"])
def test_a_title_is_free_again_when_nothing_was_made(log: Log, state: str) -> None:
    moved(log, "sending", state)
    assert log.find(SERVICE, "t") is None
    again = log.plan(a_request())
    assert log.find(SERVICE, "t") == again


def test_the_database_itself_keeps_a_title_from_being_claimed_twice(file_log: Log) -> None:
    import sqlite3

    moved(file_log)
    with (
        closing(sqlite3.connect(file_log.path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="UNIQUE"),
    ):
        connection.execute(
            "INSERT INTO submission (service, title, state, version, attempt, request, fingerprint,"
            " planned_at, changed_at, session) SELECT service, title, 'sending', 0, 0, request, fingerprint,"
            " planned_at, changed_at, session FROM submission"
        )
    connection.close()


def test_a_rehearsal_does_not_block_the_real_run(log: Log) -> None:
    log.plan(a_request(service="http://127.0.0.1:8000"))
    real = log.plan(a_request())
    assert log.find(SERVICE, "t") == real
    assert log.unsettled(SERVICE) == [real]


def test_a_run_without_a_title_is_claimed_until_its_row_was_handed_out(log: Log) -> None:
    callback = {"callback": "https://example.com/hook?secret=1"}
    first = log.plan(a_request(None, **callback))
    again = a_request(None, callback="https://example.com/hook?secret=2")
    for state in ("sending", "unknown", "needs_review", "adopted"):
        first = log.change(first, state, reply={"prompt_ids": [1]} if state == "adopted" else None)
        assert log.claimant(again) == first
        with pytest.raises(RequestClaimed):
            log.plan(again)
    log.note_returned(first)
    assert log.claimant(again) is None
    assert log.plan(again).id > first.id


@pytest.mark.parametrize("state", ["rejected", "not_sent"])
def test_a_run_of_which_nothing_was_made_claims_nothing(log: Log, state: str) -> None:
    moved(log, "sending", state, title=None)
    assert log.claimant(a_request(None)) is None


def test_different_runs_without_a_title_claim_nothing_of_each_other(log: Log) -> None:
    runs = [
        a_request(None),
        a_request(None, pack=44),
        a_request(None, tune_ids=[8]),
        a_request(None, prompt_ids=[1]),
        a_request(None, characteristics={"title": "queen"}),
        a_request(None, service="http://127.0.0.1:8000"),
    ]
    assert len({log.plan(run).id for run in runs}) == len(runs)


def test_a_lost_run_in_a_log_of_format_3_is_still_claimed(file_log: Log) -> None:
    import sqlite3

    lost = moved(file_log, "sending", "unknown", title=None)
    with closing(sqlite3.connect(file_log.path)) as connection, connection:
        connection.execute("UPDATE submission SET content_fingerprint = NULL, checksum = NULL")
    connection.close()
    assert file_log.claimant(a_request(None)) == lost
    assert file_log.claimant(a_request(None, pack=44)) is None


@pytest.mark.parametrize("state", sorted(STATES))
def test_a_state_leads_only_where_it_makes_sense(file_log: Log, state: str) -> None:
    ways = {
        "planned": [], "sending": ["sending"], "unknown": ["sending", "unknown"],
        "needs_review": ["sending", "needs_review"], "done": ["sending", "done"],
        "adopted": ["sending", "adopted"], "rejected": ["rejected"], "not_sent": ["not_sent"],
    }  # fmt: skip
    submission = moved(file_log, *ways[state])
    for target in set(STATES) - set(STATES[state]):
        with pytest.raises(ValueError, match=f"{state} cannot become {target}"):
            file_log.change(submission, target)
    assert file_log.get(submission.id) == submission


def test_what_was_not_sent_is_not_done(log: Log) -> None:
    with pytest.raises(ValueError, match="planned cannot become done"):
        log.change(moved(log), "done")


def test_a_change_keeps_what_it_does_not_mention(log: Log) -> None:
    submission = log.change(log.plan(a_request(), 41), "sending", attempt=2)
    submission = log.change(submission, "unknown", problem="no answer")
    assert (submission.attempt, submission.newest_known_id, submission.problem) == (2, 41, "no answer")
    submission = log.change(submission, "adopted", reply=REPLY)
    assert (submission.attempt, submission.tune_id, submission.problem) == (2, 7, None)


def test_an_outcome_carries_the_services_word_and_ours(log: Log) -> None:
    submission = log.change(log.plan(a_request(images=IMAGES)), "sending")
    done = log.change(submission, "done", reply={**REPLY, "new_field": 1}, image_sha256=["aa", None])
    assert done.record is not None
    assert done.record["new_field"] == 1
    assert (done.record["pack"], done.record["encoding"]) == (43, "json")
    assert done.record["image_sha256"] == ["aa", None]
    assert [image.sha256 for image in done.request.images] == ["aa", None]
    assert log.get(done.id) == done


def test_a_fingerprint_is_that_of_the_plan_also_when_the_files_are_known(log: Log) -> None:
    request = a_request(images=IMAGES)
    submission = log.change(log.plan(request), "sending", image_sha256=["aa", "bb"])
    assert submission.request.fingerprint == request.fingerprint


def test_an_error_does_not_pass_for_a_tune(log: Log) -> None:
    submission = log.change(log.plan(a_request()), "sending")
    rejected = log.change(
        submission, "rejected", reply={"title": ["is too long"]}, problem="title: is too long"
    )
    assert rejected.record is None
    assert log.events()["reply"].iloc[-1] == '{"title":["is too long"]}'


def test_a_run_without_a_tune_keeps_only_what_rows_know(log: Log) -> None:
    submission = log.change(log.plan(a_request(None)), "sending")
    done = log.change(submission, "done", reply={"message": "Prompts created", "prompt_ids": [5, 6]})
    assert done.record == {
        "title": None, "name": None, "pack": 43, "encoding": "json", "tune_ids": [7], "prompt_ids": [5, 6],
    }  # fmt: skip
    assert done.tune_id is None


def test_who_comes_second_is_told_how_things_stand(log: Log) -> None:
    before = moved(log, "sending")
    changed = log.change(before, "unknown")
    with pytest.raises(StaleSubmission) as caught:
        log.change(before, "not_sent")
    assert caught.value.submission == changed
    assert log.events()["kind"].tolist() == ["planned", "sending", "unknown"]


def test_a_second_attempt_is_a_change_too(log: Log) -> None:
    before = moved(log, "sending")
    log.change(before, "sending", attempt=2)
    with pytest.raises(StaleSubmission):
        log.change(before, "sending", attempt=2)


def test_a_poll_brings_the_record_up_to_date_and_changes_no_state(log: Log) -> None:
    done = log.change(moved(log, "sending"), "done", reply=REPLY)
    trained = {"id": 7, "updated_at": "2026-01-01T13:00:00.000Z", "trained_at": "2026-01-01T13:00:00.000Z"}
    log.record_event("poll", submission=done, reply=trained)
    updated = log.get(done.id)
    assert updated.record == {**(done.record or {}), **trained}
    assert (updated.state, updated.changed_at, updated.version) == ("done", done.changed_at, done.version)
    assert log.events()["kind"].tolist()[-1] == "poll"


def test_a_callback_finds_its_submission_by_the_tune(log: Log) -> None:
    done = log.change(moved(log, "sending"), "done", reply=REPLY)
    log.record_event("callback", service=SERVICE, tune_id=7, reply={"tune": {"id": 7, "steps": 300}})
    assert (log.get(done.id).record or {})["steps"] == 300
    assert log.events()["submission"].iloc[-1] == done.id


def test_late_news_do_not_undo_later_ones(log: Log) -> None:
    done = log.change(moved(log, "sending"), "done", reply=REPLY)
    log.record_event(
        "poll", submission=done, reply={"id": 7, "updated_at": "2026-01-01T11:00:00.000Z", "steps": 1}
    )
    log.record_event(
        "poll", submission=done, reply={"id": 8, "updated_at": "2026-01-01T14:00:00.000Z", "steps": 2}
    )
    assert log.get(done.id) == done


def test_a_note_may_concern_nothing_that_is_known(log: Log) -> None:
    log.record_event("callback", service=SERVICE, tune_id=99, reply=[1, "two"], problem="nobody's")
    (event,) = log.events().to_dict("records")
    assert (event["tune_id"], event["service"], event["reply"]) == (99, SERVICE, '[1,"two"]')


def test_what_is_unsettled_is_listed_oldest_first(log: Log) -> None:
    for title, states in {
        "a": (), "b": ("sending",), "c": ("sending", "unknown"), "d": ("sending", "done"),
        "e": ("needs_review",), "f": ("not_sent",),
    }.items():  # fmt: skip
        moved(log, *states, title=title)
    assert [submission.title for submission in log.unsettled(f"{SERVICE}/")] == ["a", "b", "c"]


def test_an_unknown_id_is_an_error_of_ours_and_a_key_error(log: Log) -> None:
    for call in (lambda: log.get(1), lambda: log.diff(1, 2)):
        with pytest.raises(LogError, match=r"^log: has no submission 1; choose one of ") as caught:
            call()
        copy = pickle.loads(pickle.dumps(caught.value))
        assert isinstance(copy, KeyError)
        assert str(copy) == str(caught.value)


def test_one_body_is_stored_once(log: Log) -> None:
    done = log.change(moved(log, "sending"), "done", reply=REPLY)
    log.record_event("poll", submission=done, reply=REPLY)
    size = len(log.events()["reply"].dropna().unique())
    assert size == 1


def test_the_process_is_on_record(log: Log) -> None:
    moved(log)
    log.close()
    Log(log.path).record_event("poll")
    assert log.events()["session"].nunique() == 1


def test_a_title_with_a_key_in_it_is_refused(log: Log) -> None:
    with pytest.raises(
        TuneError, match="title: holds what looks like a key or a password; choose another one"
    ):
        log.plan(a_request(f"mine {KEY}"))
    assert log.plan(a_request("sd_images_1")).title == "sd_images_1"


def test_pruning_takes_only_what_is_old_and_settled(log: Log) -> None:
    remaining = [moved(log, *states, title=str(states)) for states in ((), ("sending",), ("needs_review",))]
    old = log.change(moved(log, "sending", title="old"), "done", reply=REPLY)
    log.record_event("poll", submission=old, reply={**REPLY, "steps": 1})
    moved(log, "rejected", title="old too")
    moment = datetime.now(UTC)
    remaining.append(log.change(moved(log, "sending", title="fresh"), "done", reply={"id": 8}))
    assert log.prune(moment - timedelta(days=1)) == 0
    assert log.prune(moment) == 2
    assert [log.get(submission.id) for submission in remaining] == remaining
    assert log.frame()["title"].tolist() == [submission.title for submission in remaining]
    assert set(log.events()["submission"]) == {submission.id for submission in remaining}
    assert '"steps":1' not in _bodies(log)
    assert log.plan(a_request("old")).id > old.id


def test_pruning_keeps_what_was_labelled_or_heard_of_since(log: Log) -> None:
    titles = "tagged", "polled", "deleted", "hidden", "old"
    tunes = {
        title: log.change(
            moved(log, "sending", title=title), "done", reply={**REPLY, "id": number, "title": title}
        )
        for number, title in enumerate(titles)
    }
    moment = datetime.now(UTC)
    log.tag(tunes["tagged"], "the best")
    log.record_event("poll", submission=tunes["polled"], reply={**REPLY, "id": 1, "title": "polled"})
    log.mark_deleted(SERVICE, 2)
    log.hide(tunes["hidden"])
    assert log.prune(moment) == 1
    assert log.frame(hidden=True)["title"].tolist() == [*titles[:-1]]
    assert len(log.events()) == 4 * 4
    assert log.prune(datetime.now(UTC)) == 4
    assert log.events().empty


def test_pruning_wants_a_time_zone(log: Log) -> None:
    with pytest.raises(LogError, match="before: has no time zone; write it like"):
        log.prune(datetime(2026, 1, 1))


def test_an_event_of_a_pruned_submission_is_refused(log: Log) -> None:
    pruned = log.change(moved(log, "sending"), "done", reply=REPLY)
    log.prune(datetime.now(UTC))
    with pytest.raises(LogError, match="no longer has submission 1: it was pruned"):
        log.record_event("poll", submission=pruned, reply=REPLY)
    assert log.events().empty


def test_pruning_wants_a_time(log: Log) -> None:
    log.change(moved(log, "sending"), "done", reply=REPLY)
    latest: Any = log.events(until=datetime(2020, 1, 1, tzinfo=UTC))["at"].max()
    with pytest.raises(LogError, match=r"before: .*NaT.* is not a datetime"):
        log.prune(latest)
    assert len(log.frame()) == 1


def test_a_log_shows_its_path_and_survives_a_pickle(log: Log) -> None:
    planned = moved(log)
    copy = pickle.loads(pickle.dumps(log))
    assert repr(copy) == repr(log) == f"Log({str(log.path)!r})"
    assert copy.get(planned.id) == planned


def test_a_closed_log_opens_again(log: Log) -> None:
    planned = moved(log)
    log.close()
    log.close()
    assert log.get(planned.id) == planned


def _bodies(log: Log) -> str:
    with log._database.store.reading() as connection:
        return "\n".join(text for (text,) in connection.execute("SELECT json FROM body").fetchall())
