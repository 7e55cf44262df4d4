"""What is retried and what is not: every fault of a GET, every wait, and never a POST."""

import logging
import random
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb import errors
from astria_nb.client import Throttle, retry
from astria_nb.client import _transport as transport
from astria_nb.client.retry import ATTEMPTS, retry_after_seconds
from astria_nb.errors import AstriaError, NotSentError, UnexpectedReplyError
from astria_nb.tune import encode
from helpers.certificate import self_signed
from helpers.scripted_server import (
    KEY,
    TUNE,
    Answer,
    ScriptedServer,
    cut,
    hang_up,
    reply,
    reset,
    silence,
    slowly,
)

SLEEP = retry._sleep  # the fixture around every test replaces it
HTML = b"<html><body>Bad gateway</body></html>"
AGAIN = {429: errors.TooManyRequestsError, **dict.fromkeys([500, 502, 503, 504], errors.ServerError)}
ONCE = {
    **dict.fromkeys([301, 302, 303, 307, 308], errors.UnexpectedReplyError),
    **dict.fromkeys([400, 402, 403, 409, 422, 426], errors.RejectedError),
    **dict.fromkeys([501, 599], errors.ServerError),
    401: errors.UnauthorizedError,
    404: errors.NotFoundError,
}
BROKEN = {
    "reset": (reset(), NotSentError),
    "hung up": (hang_up, NotSentError),
    "shorter than promised": (cut(TUNE, Content_Length=10_000), NotSentError),
    "broken gzip": (reply(TUNE, Content_Encoding="gzip"), NotSentError),
    "truncated JSON": (cut(TUNE), UnexpectedReplyError),
    "HTML page": (reply(body=HTML, Content_Type="text/html"), UnexpectedReplyError),
    "nothing": (reply(body=b"", status=204), UnexpectedReplyError),
    "no HTTP": (slowly(b"SSH-2.0-OpenSSH_9.2\r\n", 0), NotSentError),
}
ANSWERS: dict[str, tuple[Answer, type[AstriaError], int]] = {
    **{name: (answer, kind, ATTEMPTS) for name, (answer, kind) in BROKEN.items()},
    **{
        f"{status}{', wait' if headers else ''}": (reply({}, status, **headers), kind, number)
        for statuses, number in ((AGAIN, ATTEMPTS), (ONCE, 1))
        for status, kind in statuses.items()
        for headers in ({}, {"Retry_After": "1"})
    },
    "HTML 502": (reply(body=HTML, status=502), errors.ServerError, ATTEMPTS),
}


@pytest.mark.parametrize(("answer", "kind", "requests"), ANSWERS.values(), ids=ANSWERS.keys())
def test_each_answer_to_a_get_has_its_error_and_its_number_of_requests(
    server: ScriptedServer, client: anb.Client, answer: Answer, kind: type, requests: int
) -> None:
    server.on("GET", "/tunes/7", answer)
    with pytest.raises(AstriaError) as caught:
        client.tune(7)
    assert type(caught.value) is kind
    assert len(server.requests) == requests


@pytest.mark.parametrize("answer", [a for a, _, number in ANSWERS.values() if number > 1])
def test_a_fault_that_passes_is_not_reported(
    server: ScriptedServer, client: anb.Client, answer: Answer
) -> None:
    server.on("GET", "/tunes/7", answer, answer, reply(TUNE))
    assert client.tune(7) == TUNE
    assert len(server.requests) == 3


def test_an_unknown_host_is_resolved_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def unknown(host: object, *_: object, **__: object) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotSentError, match=r"cannot be reached \(Name or service not known\)"):
        anb.Client(KEY, base_url="https://astria.invalid").tune(7)
    assert asked == ["astria.invalid"] * ATTEMPTS


def test_a_refused_connection_is_tried_a_few_times(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "astria_nb")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NotSentError, match=r"cannot be reached \(Connection refused\)"):
        anb.Client(KEY, base_url=f"http://127.0.0.1:{port}").tune(7)
    assert len(log_lines(caplog)) == ATTEMPTS - 1


def test_no_request_is_sent_to_an_untrusted_certificate(tmp_path: Path) -> None:
    context, _ = self_signed(tmp_path)
    with ScriptedServer(context).running() as secure:
        with pytest.raises(NotSentError, match="its certificate is not trusted"):
            anb.Client(KEY, base_url=secure.url).tune(7)
        assert secure.requests == []
        assert secure.connections == 1  # it would be untrusted again


def test_a_service_that_does_not_answer_is_asked_until_the_timeout(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "_FIRST_WAIT", 0)
    monkeypatch.setattr(retry, "_JITTER", 0)
    server.on("GET", "/tunes/7", silence)
    with pytest.raises(NotSentError, match="no answer in time"):
        anb.Client(KEY, base_url=server.url, timeout=2).tune(7)
    server.await_request(2)
    assert len(server.requests) == 2


POSTED = {**{name: answer for name, (answer, _, _) in ANSWERS.items()}, "silence": silence}


@pytest.mark.parametrize("encoding", ["multipart", "form", "json"])
@pytest.mark.parametrize("answer", POSTED.values(), ids=POSTED.keys())
def test_a_post_is_sent_once_whatever_the_answer(
    server: ScriptedServer, client: anb.Client, answer: Answer, encoding: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer is silence:
        monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.2)
    server.on("POST", "/p/43/tunes", answer)
    tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://e.com/1.jpg"])
    with encode(tune, encoding) as body, pytest.raises(AstriaError):
        client.create_tune(43, body)
    server.await_request()
    assert [request.method for request in server.requests] == ["POST"]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds of each wait, without waiting."""
    seconds: list[float] = []
    monkeypatch.setattr(retry, "_sleep", seconds.append)
    monkeypatch.setattr(Throttle, "wait", lambda _: 0.0)  # it would wait forever: no time passes
    return seconds


def test_the_waits_grow_and_are_jittered(
    server: ScriptedServer, client: anb.Client, waits: list[float]
) -> None:
    server.on("GET", "/tunes/7", reply({}, 500))
    for _ in range(2):
        with pytest.raises(errors.ServerError):
            client.tune(7)
    first, second = waits[: ATTEMPTS - 1], waits[ATTEMPTS - 1 :]
    for number, pair in enumerate(zip(first, second, strict=True)):
        assert all(0.5 * 2**number <= wait <= 0.5 * 2**number + 0.5 for wait in pair)
        assert len(set(pair)) == 2


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("7", 7, 7.5),
        ("0", 0.5, 1),
        ("Tue, 01 Jan 2030 12:00:07 GMT", 6.5, 7.5),
        ("Tuesday, 01-Jan-30 12:00:07 GMT", 6.5, 7.5),
        ("Mon, 01 Jan 2029 12:00:00 GMT", 0.5, 1),
        ("soon", 0.5, 1),
        ("-7", 0.5, 1),
        ("1.5", 0.5, 1),
        ("", 0.5, 1),
    ],
)
def test_a_retry_after_is_interpreted_by_the_services_clock(
    server: ScriptedServer,
    client: anb.Client,
    waits: list[float],
    status: int,
    retry_after: str,
    least: float,
    most: float,
) -> None:
    refusal = reply({}, status, Date="Tue, 01 Jan 2030 12:00:00 GMT", Retry_After=retry_after)
    server.on("GET", "/tunes/7", refusal, reply(TUNE))
    assert client.tune(7) == TUNE
    (wait,) = waits
    assert least <= wait <= most


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("retry_after", ["60", "3600", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_beyond_the_deadline_is_left_to_the_caller(
    server: ScriptedServer, client: anb.Client, waits: list[float], status: int, retry_after: str
) -> None:
    server.on("GET", "/tunes/7", reply({}, status, Retry_After=retry_after))
    with pytest.raises(errors.ApiError) as caught:
        client.tune(7)
    assert caught.value.retry_after == retry_after
    assert waits == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
def test_other_statuses_have_no_retry_after(
    server: ScriptedServer, client: anb.Client, waits: list[float], status: int
) -> None:
    server.on("GET", "/tunes/7", reply({}, status, Retry_After="3600"), reply(TUNE))
    assert client.tune(7) == TUNE
    assert waits[0] < 1.1


def test_an_invalid_retry_after_is_ignored() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for text in (
        None,
        "",
        " ",
        "soon",
        "-1",
        "1e3",
        "0x10",
        "NaN",
        "1,5",
        "\N{ARABIC-INDIC DIGIT SEVEN}",
        "Thu, 99 Jan 2026 12:00:00 GMT",
    ):
        assert retry_after_seconds(text, noon) is None


def log_lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name.startswith("astria_nb")]


def test_each_retry_is_a_line_in_the_log(
    server: ScriptedServer, client: anb.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("GET", "/tunes", reply({"error": "busy"}, 503))
    with pytest.raises(errors.ServerError):
        list(client.tunes(title="private"))
    lines = log_lines(caplog)
    assert [record.levelname for record in lines] == ["INFO"] * (ATTEMPTS - 1)
    assert lines[0].getMessage().startswith("retrying GET /tunes in ")
    assert "s (attempt 2): base_url: the service failed (503: busy)" in lines[0].getMessage()
    output = "".join(str(vars(record)) for record in caplog.records if "urllib3" not in record.name)
    assert KEY not in output
    assert "private" not in output


def test_a_retry_prints_nothing(
    server: ScriptedServer,
    client: anb.Client,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as without any logging configuration
    server.on("GET", "/tunes/7", reply({}, 503), reply(TUNE))
    client.tune(7)
    assert capfd.readouterr() == ("", "")


def test_a_wait_is_really_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_sleep", SLEEP)
    monkeypatch.setattr(retry, "_JITTER", 0)
    monkeypatch.setattr(retry, "_FIRST_WAIT", 0.05)

    def fail() -> None:
        raise NotSentError

    started = time.monotonic()
    with pytest.raises(NotSentError):
        retry.call_with_retries(fail, seconds=30, name="GET /tunes", now=lambda: datetime.now(UTC))
    assert time.monotonic() - started >= 0.35  # 50, 100 and 200 ms


def test_a_retry_draws_no_number_of_pythons_generator(server: ScriptedServer, client: anb.Client) -> None:
    random.seed(7)
    expected = random.random()
    server.on("GET", "/tunes/7", reply({}, 503), reply(TUNE))
    random.seed(7)
    client.tune(7)
    assert random.random() == expected
