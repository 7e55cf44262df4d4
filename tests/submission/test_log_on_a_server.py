"""What `submit`, a form and the command line promise holds with a log on a server too."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

import astria_nb as anb
from astria_nb.cli import main
from astria_nb.errors import OutcomeUnknownError, TuneError
from helpers.processes import elsewhere


def a_tune(title: str, **fields: object) -> anb.Tune:
    return anb.Tune(pack=43, name="cat", title=title, image_urls=["https://example.com/1.jpg"], **fields)  # type: ignore[arg-type]


@pytest.fixture
def log(server_address: str) -> Iterator[anb.ExperimentLog]:
    with closing(anb.ExperimentLog(server_address)) as log:
        yield log


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox() as sandbox:
        yield sandbox


def made(sandbox: anb.Sandbox) -> int:
    return sum(len(request.tune_ids) for request in sandbox.ledger)


def submit_elsewhere(place: tuple[str, str, str, str]) -> str:
    """Submit a title in another process, and return what came of it."""
    address, url, key, title = place
    log = anb.ExperimentLog(address)
    try:
        row = anb.submit(a_tune(title), anb.Client(key, base_url=url), log=log, say=lambda *_: None)
    except TuneError as error:
        return str(error.problems[0].kind)
    finally:
        log.close()
    return str(row["title"].item())


def test_processes_that_submit_the_same_titles_pay_once_each(
    log: anb.ExperimentLog, sandbox: anb.Sandbox
) -> None:
    places = [(str(log.path), sandbox.url, sandbox.api_key, title) for title in "ab" for _ in range(2)]
    with ThreadPoolExecutor(len(places)) as pool:
        outcomes = list(pool.map(lambda place: elsewhere(submit_elsewhere, place), places))
    assert {outcome for outcome in outcomes if outcome != "conflict"} == {"a", "b"}
    assert made(sandbox) == 2
    assert sorted(log.frame()["title"]) == ["a", "b"]
    assert set(log.frame()["state"]) == {"done"}


def test_once_pays_for_one_of_equal_tunes_that_are_sent_at_the_same_time(
    log: anb.ExperimentLog, sandbox: anb.Sandbox
) -> None:
    logs = [log, anb.ExperimentLog(str(log.path))]
    barrier, outcomes = threading.Barrier(2), []

    def submit(title: str, of: anb.ExperimentLog) -> None:
        barrier.wait()
        try:
            anb.submit(a_tune(title), sandbox.client(), log=of, once=True, say=lambda *_: None)
            outcomes.append("row")
        except TuneError as error:
            outcomes.append(error.problems[0].kind)

    threads = [threading.Thread(target=submit, args=pair) for pair in zip("ab", logs, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logs[1].close()
    assert made(sandbox) == 1
    assert outcomes.count("row") >= 1


def test_a_lost_answer_is_found_resolved_and_replayed(log: anb.ExperimentLog, sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    sandbox.fail("504", "POST /p/*/tunes", commit="yes")
    row = anb.submit(a_tune("lost"), client, log=log, settle=0)
    assert log.frame()["state"].tolist() == ["adopted"]
    sandbox.fail("504", "POST /p/*/tunes", commit="no")
    with pytest.raises(OutcomeUnknownError):
        anb.submit(a_tune("never made", characteristics={"hair": "red"}), client, log=log, settle=0)
    number = int(log.frame().query("title == 'never made'")["submission"].item())
    log.resolve(number)
    assert log.get(number).state == "not_sent"
    again = log.replay(int(log.frame()["submission"].iloc[0]), client)
    assert again["id"].item() != row["id"].item()
    left_open = log.plan(log.get(number).request, sending=True)
    assert log.recover(client, settle=0)["state"].tolist() == ["needs_review"]
    assert log.get(left_open.id).state == "needs_review"


def test_a_form_uses_it(
    log: anb.ExperimentLog, sandbox: anb.Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = {"pack": 43, "name": "cat", "title": "t", "image_urls": ["https://example.com/1.jpg"]}
    form = anb.TuneForm(sandbox.client(), log=log, **fields)  # type: ignore[arg-type]
    assert form.submit()["title"].item() == "t"
    assert main(["log", "--log", str(log.path)]) == 0
    assert "done" in capsys.readouterr().out


def test_the_command_line_names_a_log_that_is_not_there(
    postgres: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASTRIA_NB_LOG", postgres.replace("postgres@", "postgres:p4ss@"))
    assert main(["log", "frame"]) == 1
    assert capsys.readouterr().err.endswith("; name another one with --log\n")
    monkeypatch.setenv("ASTRIA_NB_LOG", "postgresql://ann:p4ss@127.0.0.1:1/lab")
    assert main(["log", "recover"]) == 1
    error = capsys.readouterr().err
    assert "'postgresql://ann@127.0.0.1:1/lab' cannot be reached" in error
    assert "p4ss" not in error
