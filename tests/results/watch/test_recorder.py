"""What polls found is recorded once, as the service sent it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import astria_nb as anb
from astria_nb.results.watch import PollRecorder, poll_until_finished
from astria_nb.utils.redaction import redact_json

URLS = ["https://example.com/1.jpg"]


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(speed=1) as running:
        yield running


@pytest.fixture
def log(tmp_path: Path) -> Iterator[anb.ExperimentLog]:
    experiment_log = anb.ExperimentLog(tmp_path / "log.sqlite")
    yield experiment_log
    experiment_log.close()


def submit(sandbox: anb.Sandbox, log: anb.ExperimentLog, title: str) -> int:
    tune = anb.Tune(pack=797, title=title, name="cat", image_urls=URLS, prompt_ids=[797001, 797002])
    return int(anb.submit(tune, sandbox.client(), log=log).loc[0, "id"])


def kinds(log: anb.ExperimentLog) -> list[str]:
    return log.events()["kind"].tolist()


def test_a_poll_is_recorded_as_the_service_sent_it(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    client = sandbox.client()
    tune_id = submit(sandbox, log, "t")
    recorder = PollRecorder(log, client.service)
    sandbox.advance(86_400)
    row = log.frame()[["id", "status"]]
    for result in poll_until_finished(row, client, "prompts", poll=0, sleep=lambda _: None):
        recorder.record(result)
        recorder.record(result)
    submission = log.find(client.service, "t")
    assert submission is not None
    assert submission.record is not None
    tune = redact_json(client.tune(tune_id))
    assert {key: submission.record[key] for key in tune} == tune
    assert log.prompts(submission) == redact_json([*client.prompts(tune_id)][::-1])
    assert kinds(log) == ["planned", "sending", "done", "poll", "poll"]


def test_only_what_is_new_is_recorded(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    client = sandbox.client()
    tune_id = submit(sandbox, log, "t")
    recorder = PollRecorder(log, client.service)
    tune = client.tune(tune_id)
    recorder.record_tune(tune)
    assert not recorder.record_tune(tune)
    assert not recorder.record_tune(tune, kind="callback")
    assert recorder.record_tune({"id": tune_id, "status": "deleted"})
    assert not recorder.record_tune({"id": tune_id, "status": "deleted"})
    assert recorder.record_tune(tune)
    assert kinds(log)[3:] == ["poll", "callback", "poll", "poll"]
    assert log.frame()["status"].tolist() == ["queued"]


def test_another_signature_of_an_image_is_not_news(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    tune_id = submit(sandbox, log, "t")
    recorder = PollRecorder(log, sandbox.client().service)
    prompt = {"id": 5, "text": "a cat", "images": ["https://example.com/1.jpg?signature=a"], "liked": False}
    assert recorder.record_prompts(tune_id, [prompt])
    assert not recorder.record_prompts(
        tune_id, [{**prompt, "images": ["https://example.com/1.jpg?signature=b"]}]
    )
    assert recorder.record_prompts(tune_id, [{**prompt, "liked": True}])


def test_a_tune_that_is_not_in_the_log_is_not_recorded(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    client = sandbox.client()
    submit(sandbox, log, "t")
    stranger = submit(sandbox, anb.ExperimentLog(log.path.with_name("other.sqlite")), "another")
    assert not PollRecorder(log, client.service).record_tune({**client.tune(stranger), "trained_at": "x"})
    assert len(log.events()) == 3
