"""A submission is over when its time is up, whatever drips or asks to wait, and says what is known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.errors import AstriaError, NotSentError, OutcomeUnknownError, TooManyRequestsError
from astria_nb.log import Log
from helpers.clock import Clock
from helpers.scripted_server import (
    PACK,
    TUNE,
    Answer,
    Exchange,
    ScriptedServer,
    after,
    hang_up,
    reply,
    reset,
    silence,
    slowly,
)
from helpers.waiting import PATIENCE

SECONDS = 0.5
ENOUGH = 2.0  # to get as far as the POST


@pytest.fixture
def log(tmp_path: Path, client: anb.Client) -> Log:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    # The first submission loads modules and opens the log, which is not to be timed here.
    anb.submit(a_tune("before"), client, log=log)
    return log


def a_tune(title: str = "t") -> anb.Tune:
    return anb.Tune(pack=43, title=title, name="cat", image_urls=["https://e.com/1.jpg"])


def titles(server: ScriptedServer) -> list[str]:
    """Return the titles that were sent."""
    return [json.loads(request.body)["tune"]["title"] for request in server.received("POST")]


def head(data: Any, status: int) -> bytes:
    return f"HTTP/1.1 {status} Slow\r\nContent-Length: {len(json.dumps(data))}\r\n\r\n".encode()


def slow_head(data: Any, status: int = 200) -> Answer:
    return slowly(head(data, status) + json.dumps(data).encode())


def slow_body(data: Any, status: int = 200) -> Answer:
    def answer(exchange: Exchange) -> bool:
        exchange.read()
        exchange.socket.sendall(head(data, status))
        exchange.read = lambda most=None: None  # type: ignore[method-assign]  # it was read
        return slowly(json.dumps(data).encode())(exchange)

    return answer


def ended(submit: Callable[[], Any]) -> AstriaError:
    """Return the error of a submission that ended before what it waits for would have been there."""
    with pytest.raises(AstriaError) as caught:
        submit()
    return caught.value


@pytest.mark.parametrize("slow", [slow_head, slow_body])
@pytest.mark.parametrize("path", ["/p/43", "/tunes"])
def test_what_is_asked_first_may_drip(
    server: ScriptedServer, client: anb.Client, log: Log, path: str, slow: Callable[..., Answer]
) -> None:
    server.on("GET", path, slow(PACK if path == "/p/43" else [TUNE]))
    # With a limit of the price, the pack is always fetched.
    error = ended(lambda: anb.submit(a_tune(), client, log=log, timeout=SECONDS, max_cost=1000))
    assert type(error) is NotSentError
    assert titles(server) == ["before"]


@pytest.mark.parametrize("slow", [slow_head, slow_body])
def test_the_answer_may_drip_and_nobody_knows(
    server: ScriptedServer, client: anb.Client, log: Log, slow: Callable[..., Answer]
) -> None:
    server.on("POST", "/p/43/tunes", slow(TUNE, 201))
    error = ended(lambda: anb.submit(a_tune(), client, log=log, timeout=ENOUGH))
    assert type(error) is OutcomeUnknownError
    assert list(log.frame()["state"]) == ["done", "unknown"]


def test_an_upload_that_is_not_taken_makes_nothing(
    server: ScriptedServer, client: anb.Client, log: Log, photos: list[Path]
) -> None:
    with photos[0].open("ab") as file:
        file.truncate(40 * 2**20)
    tune = anb.Tune(pack=43, title="t", name="cat", images=photos)
    server.on("POST", "/p/43/tunes", after(PATIENCE, reply(TUNE, 201)))
    error = ended(lambda: anb.submit(tune, client, log=log, timeout=ENOUGH, keep_metadata=True))
    assert type(error) is NotSentError
    assert list(log.frame()["state"]) == ["done", "not_sent"]


@pytest.mark.parametrize(
    ("look", "settle"),
    [(reply([]), 0.0), (reply([]), 120.0), (slow_body([TUNE]), 0.0), (silence, 0.2), (silence, 120.0)],
    ids=["quick", "quick, settle", "drips", "silent", "silent, settle"],
)
def test_the_settle_wait_and_the_look_are_part_of_it(
    server: ScriptedServer, client: anb.Client, log: Log, settle: float, look: Answer
) -> None:
    server.on("POST", "/p/43/tunes", hang_up)
    server.on("GET", "/tunes", reply([]), look)
    error = ended(lambda: anb.submit(a_tune(), client, log=log, timeout=ENOUGH, settle=settle))
    assert type(error) is OutcomeUnknownError
    assert titles(server) == ["before", "t"]
    server.on("GET", "/tunes", reply([{**TUNE, "id": 9}]), reply([]))
    assert list(anb.submit(a_tune(), client, log=log, settle=0)["id"]) == [9]
    assert titles(server) == ["before", "t"]


@pytest.mark.parametrize("retry_after", ["0", "3", "60", None])
def test_the_waits_that_are_asked_for_are_part_of_it(
    server: ScriptedServer, client: anb.Client, log: Log, retry_after: str | None
) -> None:
    headers = {} if retry_after is None else {"Retry_After": retry_after}
    server.on("POST", "/p/43/tunes", reply({}, 429, **headers))
    error = ended(lambda: anb.submit(a_tune(), client, log=log, timeout=ENOUGH))
    assert type(error) is TooManyRequestsError
    sent = titles(server)
    assert sent[:2] == ["before", "t"]
    assert len(sent) == 2 or retry_after == "0"  # the wait of a second: again for as long as there is time


def test_a_service_that_always_says_at_once_is_not_hammered(
    server: ScriptedServer, client: anb.Client, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock().install(monkeypatch)
    server.on("POST", "/p/43/tunes", reply({}, 429, Retry_After="0"))
    with pytest.raises(TooManyRequestsError):
        anb.submit(a_tune(), client, log=log, timeout=3600)
    assert 5 < len(server.received("POST")) < 200


@pytest.mark.parametrize("settle", [0.0, 0.1])
@pytest.mark.parametrize("look", [reply({}, 500), reply({}, 401), hang_up, reset(), reply(body=b"<html>")])
def test_a_look_that_fails_does_not_say_that_nothing_was_made(
    server: ScriptedServer, client: anb.Client, log: Log, look: Answer, settle: float
) -> None:
    server.on("POST", "/p/43/tunes", hang_up)
    server.on("GET", "/tunes", reply([]), look)
    with pytest.raises(OutcomeUnknownError, match=r"title: .*could not be searched.*; submit it again"):
        anb.submit(a_tune(), client, log=log, settle=settle)
    assert list(log.frame()["state"]) == ["done", "unknown"]
    with pytest.raises(OutcomeUnknownError):
        anb.submit(a_tune(), client, log=log, settle=settle)
    assert titles(server) == ["before", "t"]
