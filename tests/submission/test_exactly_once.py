"""One title, one tune: what is sent again, what is not, and what is on record. Faults: test_every_fault."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.errors import (
    AstriaError,
    LogError,
    NotSentError,
    OutcomeUnknownError,
    RejectedError,
    TooManyRequestsError,
    TuneError,
)
from astria_nb.log import Log
from astria_nb.tune import Request
from helpers.faulty_service import StruckLog
from helpers.large_photos import enlarge
from helpers.scripted_server import TUNE, ScriptedServer, reply
from helpers.waiting import until

ROUTE = "POST /p/*/tunes"


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return anb.ExperimentLog(tmp_path / "log.sqlite")


@pytest.fixture
def plain() -> Iterator[anb.Sandbox]:
    with anb.Sandbox() as running:
        yield running


def tune(title: str = "t", photos: list[Path] | None = None, **fields: Any) -> anb.Tune:
    source = {"images": photos} if photos else {"image_urls": ["https://example.com/1.jpg"]}
    return anb.Tune(**{"pack": 797, "title": title, "name": "cat", **source, **fields})


def posts(sandbox: anb.Sandbox) -> int:
    return sum(request.method == "POST" for request in sandbox.ledger)


def created(sandbox: anb.Sandbox) -> list[int]:
    """Return the ids of all tunes that were created."""
    return [tune_id for request in sandbox.ledger for tune_id in request.tune_ids]


def test_a_reset_in_mid_upload_makes_nothing_and_frees_the_title(
    plain: anb.Sandbox, log: Log, photos: list[Path]
) -> None:
    enlarge(photos[0], 40 * 2**20)
    plain.fail("reset", ROUTE, at="during")
    with pytest.raises(NotSentError):
        anb.submit(tune(photos=photos), plain.client(), log=log)
    assert list(log.frame()["state"]) == ["not_sent"]
    anb.submit(tune(photos=photos), plain.client(), log=log)
    assert len(created(plain)) == 1


def test_a_service_that_is_not_there_costs_nothing_and_frees_the_title(log: Log, plain: anb.Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    gone = anb.Client("sd_sandbox_x", base_url=f"http://127.0.0.1:{port}")
    with pytest.raises(NotSentError):
        anb.submit(tune(), gone, log=log)
    anb.submit(tune(), plain.client(), log=log)


def test_the_same_again_is_the_recorded_row_and_nothing_is_sent(
    plain: anb.Sandbox, log: Log, photos: list[Path]
) -> None:
    first = anb.submit(tune(photos=photos), plain.client(), log=log)
    again = anb.submit(tune(photos=photos), plain.client(), log=log)
    assert posts(plain) == 1
    assert again.loc[0, "id"] == first.loc[0, "id"]
    assert list(again.loc[0, "image_sha256"]) == list(first.loc[0, "image_sha256"])
    assert again.dtypes.equals(first.dtypes)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "dog"}, "name"),
        ({"characteristics": {"fur_color": "red fur"}}, "characteristics.fur_color"),
        ({"image_urls": ["https://example.com/2.jpg"]}, "image_urls"),
        ({"prompt_ids": [797001]}, "prompt_ids"),
        ({"pack": 43}, "pack"),
    ],
)
def test_another_request_under_the_same_title_is_refused_by_field(
    plain: anb.Sandbox, log: Log, changed: dict[str, Any], field: str
) -> None:
    anb.submit(tune(), plain.client(), log=log)
    with pytest.raises(TuneError, match=f"title: 't' was submitted before with other fields: {field}; give"):
        anb.submit(tune(**changed), plain.client(), log=log)
    assert posts(plain) == 1


def test_other_line_ends_are_no_other_request(plain: anb.Sandbox, log: Log) -> None:
    for end in ("\r\n", "\n", "\r"):
        text = f"at sea{end}at noon"
        fields = {"brief": text, "characteristics": {"hair": text}, "prompt_attributes": {"style": text}}
        anb.submit(tune(**fields), plain.client(), log=log)
        anb.submit(tune(title="another", **fields), plain.client(), log=log, once=True)
    assert posts(plain) == 1


def test_an_image_of_the_same_name_and_size_is_another_image(
    plain: anb.Sandbox, log: Log, photos: list[Path]
) -> None:
    anb.submit(tune(photos=photos), plain.client(), log=log)
    data = photos[2].read_bytes()
    photos[2].write_bytes(data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
    with pytest.raises(TuneError, match="with other fields: images"):
        anb.submit(tune(photos=photos), plain.client(), log=log)


def test_a_title_of_one_service_is_free_on_another(log: Log) -> None:
    for _ in range(2):
        with anb.Sandbox() as service:
            anb.submit(tune(), service.client(), log=log)
            assert len(created(service)) == 1


def test_what_is_said_of_a_lost_tune_resolves_it_in_its_own_log(plain: anb.Sandbox, log: Log) -> None:
    default = anb.ExperimentLog()
    for one in (default, log):
        plain.fail("504", ROUTE)
        with pytest.raises(OutcomeUnknownError) as caught:
            anb.submit(tune(), plain.client(), log=one, settle=0)
    _, _, code = str(caught.value).rpartition("say so with ")
    exec(code, {"anb": anb})
    assert [*default.frame()["state"], *log.frame()["state"]] == ["needs_review", "not_sent"]


def test_a_refused_title_may_be_corrected_and_sent(plain: anb.Sandbox, log: Log) -> None:
    plain.fail("422", ROUTE)
    with pytest.raises(RejectedError):
        anb.submit(tune(), plain.client(), log=log)
    anb.submit(tune(name="dog"), plain.client(), log=log)
    assert list(log.frame()["state"]) == ["done"]
    assert [kind for kind in log.events()["kind"] if kind in ("rejected", "done")] == ["rejected", "done"]


def test_a_lost_tune_that_comes_late_is_found_by_the_next_look(plain: anb.Sandbox, log: Log) -> None:
    plain.fail("504", ROUTE, commit="late", seconds=2)
    with pytest.raises(OutcomeUnknownError, match=r"Log\(.*\)\.resolve"):
        anb.submit(tune(), plain.client(), log=log, settle=0)
    until(lambda: created(plain))
    row = anb.submit(tune(), plain.client(), log=log, settle=0)
    assert list(row["id"]) == created(plain)
    assert posts(plain) == 1


def test_the_settle_time_is_waited_for(plain: anb.Sandbox, log: Log) -> None:
    plain.fail("504", ROUTE, commit="late", seconds=0.3)
    row = anb.submit(tune(), plain.client(), log=log, settle=2.5)
    assert list(row["id"]) == created(plain)


def test_an_interrupt_while_waiting_loses_no_record(
    plain: anb.Sandbox, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **_until: object) -> None:
        raise KeyboardInterrupt

    plain.fail("504", ROUTE, commit="yes")
    monkeypatch.setattr("astria_nb.submission._settling.wait_with_progress", interrupted)
    with pytest.raises(KeyboardInterrupt):
        anb.submit(tune(), plain.client(), log=log, settle=100)
    monkeypatch.undo()
    assert list(log.frame()["state"]) == ["unknown"]
    frame = log.recover(plain.client(), settle=0)
    assert list(frame["state"]) == ["adopted"]
    assert list(frame["id"]) == created(plain)


@pytest.mark.parametrize("encoding", ["multipart", "json"])
def test_an_interrupt_as_the_last_byte_leaves_is_no_proof_that_nothing_was_made(
    plain: anb.Sandbox, log: Log, photos: list[Path], monkeypatch: pytest.MonkeyPatch, encoding: Any
) -> None:
    send = http.client.HTTPConnection.send
    tail = b"--\r\n" if encoding == "multipart" else b"}}"

    def interrupted(self: Any, data: Any) -> None:
        send(self, data)
        if bytes(data).endswith(tail):
            while not created(plain):
                pass
            raise KeyboardInterrupt

    monkeypatch.setattr("http.client.HTTPConnection.send", interrupted)
    mine = tune(photos=photos if encoding == "multipart" else None)
    with pytest.raises(KeyboardInterrupt):
        anb.submit(mine, plain.client(), log=log, encoding=encoding)
    monkeypatch.undo()
    assert list(log.frame()["state"]) == ["unknown"]
    assert list(anb.submit(mine, plain.client(), log=log, settle=0)["id"]) == created(plain)
    assert posts(plain) == 1


def test_photos_that_were_hashed_to_compare_are_sent_whole_again(
    plain: anb.Sandbox, log: Log, photos: list[Path]
) -> None:
    plain.fail("504", ROUTE)
    reason = r"its answer was lost \(status 504: the web page '504 Gateway Timeout'\), and"
    with pytest.raises(OutcomeUnknownError, match=f"created: {reason} the service may need"):
        anb.submit(tune(photos=photos), plain.client(), log=log, settle=100, timeout=20)
    with pytest.raises(OutcomeUnknownError, match=f"is unknown: {reason} it was not on the account"):
        anb.submit(tune(photos=photos), plain.client(), log=log, settle=0)
    row = anb.submit(tune(photos=photos), plain.client(), log=log, settle=0, idempotent=True)
    assert list(row["id"]) == created(plain)
    assert list(log.frame()["state"]) == ["done"]


@pytest.mark.parametrize("kind", ["422", "401"])
def test_a_refusal_of_a_second_attempt_says_nothing_of_the_first(
    plain: anb.Sandbox, log: Log, kind: str
) -> None:
    plain.fail("504", ROUTE)
    plain.fail(kind, ROUTE)
    with pytest.raises((RejectedError, anb.errors.UnauthorizedError)) as caught:
        anb.submit(tune(), plain.client(), log=log, settle=0, idempotent=True)
    assert "nothing was created" not in str(caught.value)
    assert ("an earlier attempt may have created it" in str(caught.value)) == (kind == "422")
    assert list(log.frame()["state"]) == ["needs_review"]
    with pytest.raises(OutcomeUnknownError) as left:
        anb.submit(tune(), plain.client(), log=log, settle=0)
    assert "nothing was created" not in f"{left.value} {log.events()['problem'].tolist()}"
    assert posts(plain) == 2


def test_one_that_cannot_be_looked_for_holds_up_no_other(plain: anb.Sandbox, log: Log) -> None:
    client = plain.client()
    lost = Request.from_tune(anb.Tune(pack=797, tune_ids=[999]), client.service, "json")
    log.change(log.change(log.plan(lost, 0), "sending", attempt=1), "unknown")
    plain.fail("500", "GET /tunes/999/prompts", count=99)
    assert list(anb.submit(tune(), client, log=log)["id"]) == created(plain)
    assert list(log.frame()["state"]) == ["unknown", "done"]


def test_what_its_owner_resolves_is_settled(plain: anb.Sandbox, log: Log) -> None:
    for title in ("made", "not made"):
        plain.fail("504", ROUTE)
        with pytest.raises(OutcomeUnknownError):
            anb.submit(tune(title), plain.client(), log=log, settle=0)
    first, second = log.frame()["submission"]
    log.resolve(first, tune_id=7)
    log.resolve(second)
    assert list(log.frame()["state"]) == ["adopted", "not_sent"]
    assert list(anb.submit(tune("made"), plain.client(), log=log)["id"]) == [7]
    anb.submit(tune("not made"), plain.client(), log=log)
    assert len(created(plain)) == 1
    with pytest.raises(LogError, match="only a submission in needs_review can be resolved"):
        log.resolve(first)


@pytest.mark.parametrize("after", ["99999", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_an_absurd_wait_is_not_waited(plain: anb.Sandbox, log: Log, after: str) -> None:
    plain.fail("429", ROUTE, retry_after=after)
    with pytest.raises(TooManyRequestsError) as caught:
        anb.submit(tune(), plain.client(), log=log)
    assert caught.value.retry_after == after
    assert list(log.frame()["state"]) == ["rejected"]


def test_what_cannot_be_recorded_is_not_sent(plain: anb.Sandbox, tmp_path: Path) -> None:
    (tmp_path / "log.sqlite").write_bytes(b"no log at all" * 1000)
    with pytest.raises(LogError):
        anb.submit(tune(), plain.client(), log=anb.ExperimentLog(tmp_path / "log.sqlite"))
    assert posts(plain) == 0


def test_a_run_on_existing_tunes_whose_answer_is_lost_is_found(plain: anb.Sandbox, log: Log) -> None:
    client = plain.client()
    (tune_id,) = anb.submit(tune(), client, log=log)["id"]
    plain.fail("504", ROUTE, commit="yes")
    run = anb.Tune(pack=797, tune_ids=[tune_id], prompt_ids=[797001, 797002])
    row = anb.submit(run, client, log=log, settle=0)
    assert pd_ids(row) == sorted(plain.ledger[-3].prompt_ids) or len(pd_ids(row)) == 2
    assert posts(plain) == 2


def pd_ids(row: Any) -> list[int]:
    return list(row.loc[0, "prompt_ids"])


@pytest.mark.parametrize("other", [{"name": "dog"}, {"base_pack_id": 44}, {"title": "t "}, {"id": 9}])
def test_a_lost_tune_is_told_from_others_of_its_title_in_any_order(
    server: ScriptedServer, client: anb.Client, log: Log, other: dict[str, Any]
) -> None:
    old, foreign, own = ({**TUNE, "id": number} for number in (5, 8, 7))
    server.on("GET", "/tunes", reply([{**old, "title": "u"}]), reply([old, own, {**foreign, **other}]))
    server.on("POST", "/p/43/tunes", reply({}, 504))
    assert list(anb.submit(tune(pack=43), client, log=log, settle=0)["id"]) == [7]


def test_what_costs_more_than_allowed_is_not_sent(plain: anb.Sandbox, log: Log) -> None:
    with pytest.raises(TuneError, match=r"max_cost: is \$1\.00, and this run costs about \$1\.98"):
        anb.submit(tune(), plain.client(), log=log, max_cost=1.0)
    assert posts(plain) == 0
    anb.submit(tune(), plain.client(), log=log, max_cost=2.0)


@pytest.mark.parametrize("named", ["number", "row"])
def test_a_replay_is_the_same_request_under_another_title(
    plain: anb.Sandbox, log: Log, photos: list[Path], named: str
) -> None:
    mine = tune(photos=photos, characteristics={"fur_color": "red fur"}, prompt_ids=[797001])
    row = anb.submit(mine, plain.client(), log=log)
    (number,) = log.frame()["submission"]
    log.replay(number if named == "number" else row, plain.client())
    first, second = (request.params for request in plain.ledger if request.method == "POST")
    assert first is not None
    assert second is not None
    assert {**first, "title": ""} == {**second, "title": ""}
    assert first["title"] != second["title"]
    photos[1].write_bytes(photos[0].read_bytes())
    with pytest.raises(TuneError, match=r"images: '2\.jpg' has changed since it was sent"):
        log.replay(number, plain.client())
    photos[1].unlink()
    with pytest.raises(TuneError, match=r"images: '2\.jpg' was moved or deleted"):
        log.replay(number, plain.client())
    assert posts(plain) == 2


def test_a_replay_says_if_it_is_not_on_record_what_was_sent(
    plain: anb.Sandbox, log: Log, photos: list[Path]
) -> None:
    client = plain.client()
    submission = log.plan(Request.from_tune(tune(photos=photos), client.service, "multipart"))
    with pytest.raises(
        TuneError, match=r"^images: '1\.jpg' cannot be compared .* hash was not recorded; check"
    ):
        log.replay(submission.id, client)
    log.replay(submission.id, client, images=photos)
    assert posts(plain) == 1


def test_a_replay_asks_for_what_was_not_kept(plain: anb.Sandbox, log: Log) -> None:
    anb.submit(tune(callback="https://example.com/hook?secret=s3cret"), plain.client(), log=log)
    (number,) = log.frame()["submission"]
    with pytest.raises(
        TuneError, match=r"callback: was recorded without its secret.*replay\(…, callback=…\)"
    ):
        log.replay(number, plain.client())
    log.replay(number, plain.client(), callback="https://example.com/hook?secret=s3cret")
    assert posts(plain) == 2


def test_a_record_that_fails_after_the_tune_was_made_keeps_the_row(
    plain: anb.Sandbox, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = Log.change

    def failing(self: Log, submission: Any, state: str, **named: Any) -> Any:
        if state == "done":
            raise LogError(anb.errors.Problem("log", "the disk is full", "make room"))
        return change(self, submission, state, **named)

    monkeypatch.setattr(Log, "change", failing)
    with pytest.warns(UserWarning, match="the disk is full"):
        row = anb.submit(tune(), plain.client(), log=log)
    monkeypatch.undo()
    assert list(row["id"]) == created(plain)
    again = anb.submit(tune(), plain.client(), log=log, settle=0)
    assert list(again["id"]) == created(plain)
    assert posts(plain) == 1


def test_what_one_thread_is_about_to_send_is_not_taken_for_left_open_by_another(
    plain: anb.Sandbox, tmp_path: Path
) -> None:
    log = StruckLog(tmp_path / "log.sqlite")

    def look() -> None:  # by a thread that comes between the record and the sending
        settled = log.recover(plain.client(), settle=0)
        observed.append((log.frame()["state"].tolist(), len(settled)))

    observed: list[tuple[list[str], int]] = []
    log.strike = look
    anb.submit(tune(), plain.client(), log=log)
    assert observed == [(["sending"], 0)]
    assert log.frame()["state"].tolist() == ["done"]


def test_an_intent_and_its_sending_are_two_events_and_one_wait_for_the_disk(
    plain: anb.Sandbox, log: Log
) -> None:
    anb.submit(tune(), plain.client(), log=log)
    events = log.events()
    assert events["kind"].tolist() == ["planned", "sending", "done"]
    assert events["attempt"].tolist() == [0, 1, 1]
    assert events["at"].nunique() == 2


def test_every_error_is_one_of_ours(plain: anb.Sandbox, log: Log) -> None:
    for kind in ("401", "422", "500"):
        plain.fail(kind, ROUTE)
        with pytest.raises(AstriaError) as caught:
            anb.submit(tune(kind), plain.client(), log=log, settle=0)
        assert all(problem.field and problem.what and problem.hint for problem in caught.value.problems)
