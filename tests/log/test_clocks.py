"""What has expired is judged by the clock of its service, which may be far from this machine's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import astria_nb as anb
from astria_nb.log import Log
from helpers.submissions import REPLY, a_request

DAY, MONTH = timedelta(days=1), timedelta(days=30)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log.sqlite")


def trained(
    log: Log,
    title: str,
    created_at: datetime,
    *,
    service: str = "https://a.example",
    state: str = "done",
    is_sent: bool = False,
) -> None:
    submission = log.plan(a_request(title, service=service))
    if state == "done" or is_sent:
        submission = log.change(submission, "sending", attempt=1)
    times = {"created_at": created_at, "trained_at": created_at, "expires_at": created_at + MONTH}
    fields = {name: time.isoformat() for name, time in times.items()}
    log.change(
        submission, state, tune_id=int(title), reply={**REPLY, "id": int(title), "title": title, **fields}
    )


def statuses(log: Log) -> list[str]:
    return log.frame()["status"].tolist()


def test_a_deterministic_sandbox_is_not_judged_by_this_machines_clock(tmp_path: Path) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    with anb.Sandbox(deterministic=True) as sandbox:
        client = sandbox.client()
        row = anb.wait(anb.submit(tune, client, log=log), client, poll=0, log=log)
    assert row["expires_at"].iloc[0] < datetime.now(UTC)
    assert statuses(log) == row["status"].tolist() == ["trained"]


def test_rows_and_the_log_agree_on_the_time_of_a_service_that_was_asked(tmp_path: Path) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    with anb.Sandbox(deterministic=True) as sandbox:
        client = sandbox.client()
        sandbox.fail("504", "POST /p/*/tunes", commit="yes")  # the tune is found, and tells no time
        row = anb.wait(anb.submit(tune, client, log=log, settle=0), client, poll=0, log=log)
        assert log.frame()["state"].tolist() == ["adopted"]
        assert statuses(log) == row["status"].tolist() == ["trained"]
        sandbox.advance(31 * 24 * 3600)
        row = anb.rows.tune_frame([client.tune(int(row.loc[0, "id"]))], client.now())
        assert statuses(log) == row["status"].tolist() == ["expired"]
        assert client.now() - timedelta(seconds=5) < sandbox.client().now()  # one that has asked nothing yet
        assert sandbox.client().now() < client.now() + timedelta(seconds=5)


def test_what_has_expired_at_a_service_with_the_right_time_has_expired(log: Log) -> None:
    now = datetime.now(UTC)
    trained(log, "1", now - 31 * DAY, state="adopted")  # found on the account, made long before
    trained(log, "2", now - 29 * DAY, state="adopted")
    trained(log, "3", now)
    assert statuses(log) == ["expired", "trained", "trained"]


def test_a_tune_that_was_found_tells_no_time(log: Log) -> None:
    trained(log, "1", datetime.now(UTC) - 40 * DAY, state="adopted")
    assert statuses(log) == ["expired"]


def test_a_tune_that_was_found_after_its_answer_was_lost_tells_the_time(log: Log) -> None:
    trained(log, "1", datetime.now(UTC) - 40 * DAY, state="adopted", is_sent=True)
    assert statuses(log) == ["trained"]


def test_each_service_is_judged_by_its_own_clock_and_the_latest_tune_tells_it(log: Log) -> None:
    now, behind, ahead = datetime.now(UTC), "https://behind.example", "https://ahead.example"
    trained(log, "1", now - 400 * DAY, service=behind)
    trained(log, "2", now - 360 * DAY, service=behind)
    trained(log, "3", now + 100 * DAY, service=ahead)
    trained(log, "4", now + 140 * DAY, service=ahead)
    trained(log, "5", now)
    assert statuses(log) == ["expired", "trained", "expired", "trained", "trained"]
