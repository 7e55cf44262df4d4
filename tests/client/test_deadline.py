"""The deadline: however slow the other side is, a call ends in time and leaves nothing open."""

import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.client import _connection as connection
from astria_nb.client import _transport as transport
from astria_nb.client import retry
from astria_nb.client.deadline import Deadline, current_deadline
from astria_nb.errors import AstriaError, NotSentError, OutcomeUnknownError, RejectedError
from astria_nb.tune import encode
from helpers.certificate import self_signed
from helpers.large_photos import enlarge
from helpers.scripted_server import KEY, TUNE, Answer, Exchange, ScriptedServer, after, reply, silence, slowly
from helpers.waiting import PATIENCE

JSON = json.dumps(TUNE).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(JSON)


# Each of them would succeed after a minute.
SLOW = {
    "the head": slowly(HEAD + b"\r\n" + JSON),
    "a header": slowly(HEAD + b"X-Slow: " + b"x" * 100 + b"\r\n\r\n" + JSON),
    "a hundred": slowly(b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + HEAD + b"\r\n" + JSON),
    "the answer": after(PATIENCE, reply(TUNE)),
}


def slow_body(exchange: Exchange) -> bool:
    exchange.read()
    exchange.socket.sendall(HEAD + b"\r\n")
    for index in range(len(JSON)):
        exchange.stopped.wait(PATIENCE / len(JSON))
        exchange.socket.sendall(JSON[index : index + 1])
    return True


SLOW["the body"] = slow_body


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[ScriptedServer]:
    """Return a server with TLS and a certificate that the client of `client_of` trusts."""
    context, certificate = self_signed(tmp_path)
    with ScriptedServer(context).running() as running:
        running.certificate = str(certificate)  # type: ignore[attr-defined]
        yield running


def client_of(server: ScriptedServer, timeout: float = 0.4) -> anb.Client:
    client = anb.Client(KEY, base_url=server.url, timeout=timeout)
    client._transport._api_session.verify = getattr(server, "certificate", True)
    return client


@pytest.fixture(params=["HTTP", "TLS"])
def service(request: pytest.FixtureRequest, server: ScriptedServer, secure: ScriptedServer) -> ScriptedServer:
    return server if request.param == "HTTP" else secure


@pytest.fixture
def large(photos: list[Path]) -> list[Path]:
    """Return a photo that is larger than any socket buffer."""
    return [enlarge(photos[0], 40 * 2**20)]


@pytest.fixture
def at_once_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no pause between two attempts, which would count against the deadline."""
    monkeypatch.setattr(retry, "_FIRST_WAIT", 0)
    monkeypatch.setattr(retry, "_JITTER", 0)


def a_tune(images: list[Path] | None = None) -> anb.Tune:
    source: dict[str, Any] = {"images": images} if images else {"image_urls": ["https://e.com/1.jpg"]}
    return anb.Tune(pack=43, title="t", name="cat", **source)


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW.keys())
def test_a_get_ends_whichever_part_is_slow(service: ScriptedServer, answer: Answer) -> None:
    service.on("GET", "/tunes/7", answer)
    with pytest.raises(NotSentError, match="no answer in time"):
        client_of(service).tune(7)


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW.keys())
def test_a_post_that_was_sent_completely_has_an_unknown_outcome(
    service: ScriptedServer, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.4)
    service.on("POST", "/p/43/tunes", answer)
    with encode(a_tune()) as body, pytest.raises(OutcomeUnknownError, match="no answer in time"):
        client_of(service).create_tune(43, body)
    service.await_request()
    assert len(service.requests) == 1


def test_a_post_that_is_not_read_was_not_sent(
    service: ScriptedServer, large: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "UPLOAD_SECONDS", 1.0)
    monkeypatch.setattr(transport, "SLOWEST_LINE", 200e6)
    service.on("POST", "/p/43/tunes", after(PATIENCE, reply(TUNE, 201)))
    with encode(a_tune(large)) as body, pytest.raises(NotSentError, match=r"broke after [\d.]+ of 42 MB"):
        client_of(service).create_tune(43, body)
    service.await_request()
    assert len(service.requests) == 1


def test_a_large_upload_has_more_time_than_a_small_one(
    server: ScriptedServer, large: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "UPLOAD_SECONDS", 0.0)
    server.on("POST", "/p/43/tunes", after(0.5, reply(TUNE, 201)))
    with encode(a_tune(large)) as body:
        assert client_of(server).create_tune(43, body) == TUNE


def test_the_time_of_an_upload_is_not_taken_from_its_answer(
    server: ScriptedServer, large: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 2.0)
    server.on("POST", "/p/43/tunes", after(2.1, reply(TUNE, 201)))
    with encode(a_tune(large)) as body:
        assert client_of(server).create_tune(43, body) == TUNE


def test_a_status_counts_even_if_its_body_is_slow(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 2.0)

    def answer(exchange: Exchange) -> bool:
        exchange.read()
        exchange.head(422, Content_Length=100)
        return silence(exchange)

    server.on("POST", "/p/43/tunes", answer)
    with encode(a_tune()) as body, pytest.raises(RejectedError):
        client_of(server).create_tune(43, body)


def test_a_picture_ends_too(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PICTURE_SECONDS", 0.4)
    server.on("GET", "/picture", slow_body)
    with pytest.raises(AstriaError, match=r"cannot be fetched \(no answer in time\)"):
        client_of(server).picture(f"{server.url}/picture")


def test_a_service_that_does_not_finish_tls_is_not_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # accepted by the system, never answered
        client = anb.Client(KEY, base_url=f"https://127.0.0.1:{mute.getsockname()[1]}", timeout=0.4)
        with pytest.raises(NotSentError, match=r"cannot be reached \(no answer in time\)"):
            client.tune(7)


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Make every name resolution hang; return an event that is set once one has begun."""
    asked, over = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> Any:
        asked.set()
        over.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", hang)
        yield asked
        over.set()


def test_a_host_that_is_not_resolved_in_time_is_not_reached(no_names: threading.Event) -> None:
    client = anb.Client(KEY, base_url="https://astria.invalid", timeout=0.4)
    with pytest.raises(NotSentError, match=r"cannot be reached \(no answer in time\)"):
        client.tune(7)
    assert no_names.is_set()


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(server.url.rpartition(":")[2])
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (host, port)) for host in ("a", "127.0.0.1")]
    )
    tried: list[tuple[str, float]] = []

    def connect(address: tuple[str, int], seconds: float, *options: Any) -> socket.socket:
        tried.append((address[0], seconds))
        if address[0] == "a":
            raise TimeoutError
        sock = socket.socket()
        sock.connect(address)
        return sock

    monkeypatch.setattr(connection, "create_connection", connect)
    server.on("GET", "/tunes/7", reply(TUNE))
    assert anb.Client(KEY, base_url=f"http://localhost:{port}", timeout=8).tune(7) == TUNE
    assert [host for host, _ in tried] == ["a", "127.0.0.1"]
    assert tried[0][1] <= 2  # half of the attempt's four seconds


def test_no_thread_and_no_connection_stays(server: ScriptedServer, at_once_again: None) -> None:
    before = set(threading.enumerate())
    peers: list[Any] = []

    def recording(then: Answer) -> Answer:
        def answer(exchange: Exchange) -> bool:
            peers.append(exchange.socket.getpeername())
            return then(exchange)

        return answer

    server.on("GET", "/tunes/7", recording(slow_body), recording(reply(TUNE)))
    assert client_of(server, timeout=4).tune(7) == TUNE
    assert len(set(peers)) == 2
    assert set(threading.enumerate()) - before - set(server._threads) == set()


def test_an_attempt_that_hangs_leaves_time_for_another(server: ScriptedServer, at_once_again: None) -> None:
    server.on("GET", "/tunes/7", silence, reply(TUNE))
    assert client_of(server, timeout=4).tune(7) == TUNE


def test_an_outer_deadline_holds_for_all_calls_within(server: ScriptedServer) -> None:
    server.on("GET", "/tunes/7", silence)
    with Deadline(0.3), pytest.raises(NotSentError, match="no answer in time"):
        client_of(server, timeout=600).tune(7)
    server.on("POST", "/p/43/tunes", silence)
    with encode(a_tune()) as body, Deadline(1.5), pytest.raises(OutcomeUnknownError):
        client_of(server).create_tune(43, body)
    with pytest.raises(LookupError):
        current_deadline()


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 86_401])
def test_a_timeout_is_a_number_of_seconds_within_limits(timeout: float) -> None:
    with pytest.raises(AstriaError, match=r"^timeout: .* is not a valid number of seconds"):
        anb.Client(KEY, base_url="http://127.0.0.1:1", timeout=timeout)


def test_an_endless_answer_is_not_read_to_the_end(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "JSON_BYTES", 2**20)

    def answer(exchange: Exchange) -> bool:
        exchange.read()
        exchange.head(200, Content_Type="application/json")
        while not exchange.stopped.is_set():
            exchange.socket.sendall(b" " * 2**16)
        return False

    server.on("GET", "/tunes/7", answer)
    with pytest.raises(AstriaError, match="something larger than 1 MiB"):
        client_of(server, timeout=PATIENCE).tune(7)
    server.on("POST", "/p/43/tunes", answer)
    with encode(a_tune()) as body, pytest.raises(OutcomeUnknownError):
        client_of(server).create_tune(43, body)


def interrupted() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def interrupting(closed: threading.Event, content: bytes = b"", *, read: bool = True) -> Answer:
    """Send a part of an answer, press Ctrl-C, and set `closed` when the connection is closed."""

    def answer(exchange: Exchange) -> bool:
        if read:
            exchange.read()
        exchange.socket.sendall(content)
        interrupted()
        with suppress(ConnectionError):  # closed with unread data
            while exchange.socket.recv(2**20):
                pass
        closed.set()
        return False

    return answer


@pytest.mark.parametrize("content", [b"", HEAD, HEAD + b"\r\n" + JSON[:9]], ids=["nothing", "head", "body"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ctrl_c_ends_the_wait_for_an_answer(service: ScriptedServer, method: str, content: bytes) -> None:
    closed = threading.Event()
    service.on("GET", "/tunes/7", interrupting(closed, content))
    service.on("POST", "/p/43/tunes", interrupting(closed, content))
    client = client_of(service, timeout=PATIENCE)
    with encode(a_tune()) as body, pytest.raises(KeyboardInterrupt):
        client.tune(7) if method == "GET" else client.create_tune(43, body)
    assert closed.wait(PATIENCE)
    assert len(service.requests) == 1


def test_ctrl_c_ends_an_upload(service: ScriptedServer, large: list[Path]) -> None:
    closed = threading.Event()
    service.on("POST", "/p/43/tunes", interrupting(closed, read=False))
    with encode(a_tune(large)) as body, pytest.raises(KeyboardInterrupt):
        client_of(service).create_tune(43, body)
    assert closed.wait(PATIENCE)


def while_waiting_for(event: threading.Event, call: Callable[[], Any]) -> None:
    """Press Ctrl-C in a call as soon as the event is set."""
    presser = threading.Thread(target=lambda: event.wait() and interrupted())
    presser.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            call()
    finally:
        event.set()
        presser.join()


def test_ctrl_c_ends_a_name_resolution(no_names: threading.Event) -> None:
    while_waiting_for(no_names, lambda: anb.Client(KEY, base_url="https://astria.invalid").tune(7))


def test_ctrl_c_ends_the_wait_before_the_next_attempt(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("GET", "/tunes/7", reply({}, 503))
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        raise KeyboardInterrupt

    monkeypatch.setattr(retry, "_sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        client_of(server, timeout=PATIENCE).tune(7)
    assert len(waits) == len(server.requests) == 1
    assert retry.ATTEMPTS > 1
