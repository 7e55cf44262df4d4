"""A service that makes the tune and answers oddly: one tune, no foreign error, and the row in the end."""

import json
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import astria_nb as anb
from astria_nb.client import _transport as transport
from astria_nb.errors import AstriaError, OutcomeUnknownError
from astria_nb.log import Log
from helpers.making_service import MakingService, raw
from helpers.scripted_server import KEY, PACK, TUNE, Answer, Exchange, reply
from helpers.soak import sizes
from helpers.web_pages import PAGES

REFUSALS = [400, 401, 402, 403, 404, 422, 426, 429]
UNKNOWN = [101, 300, 302, 303, 304, 307, 308, 405, 408, 409, 410, 413, 415, 417, 421, 424, 425, 428, 431, 444]
UNKNOWN += [451, 499, 500, 502, 503, 504, 520, 600, 999]
BODIES = [b"", b"{}", b'{"error": "no"}', b"<html>", b'{"title": ["is taken"]}', b"\xff"]


@pytest.fixture
def service() -> Iterator[MakingService]:
    with MakingService.running() as running:
        yield running


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return anb.ExperimentLog(tmp_path / "log.sqlite")


@pytest.fixture
def client(service: MakingService) -> Iterator[anb.Client]:
    client = anb.Client(KEY, base_url=service.server.url)
    yield client
    client.close()


def tune(title: str = "t") -> anb.Tune:
    return anb.Tune(pack=43, title=title, name="cat", image_urls=["https://e.com/1.jpg"])


def paid_once(service: MakingService, client: anb.Client, log: Log, answer: Answer, title: str) -> None:
    """Submit under an odd answer, and again; assert that one tune was made, and is the row in the end."""
    before = len(service.tunes)
    service.answers(answer)
    rows = []
    for _ in range(2):
        with suppress(OutcomeUnknownError):
            rows.append(anb.submit(tune(title), client, log=log))
    assert len(service.tunes) == before + 1
    assert [row.loc[0, "title"] for row in rows][-1:] == [title], "no row in the end"
    assert log.frame()["state"].isin(["done", "adopted"]).all()


def test_what_does_not_prove_that_nothing_was_made_is_looked_up(
    service: MakingService, client: anb.Client, log: Log
) -> None:
    for status in UNKNOWN:
        body = BODIES[status % len(BODIES)] if status not in (101, 304) else b""
        connections = service.server.connections
        paid_once(service, client, log, reply(status=status, body=body), f"status {status}")
        assert service.server.connections > connections, status  # the connection was not used again
    assert len(service.tunes) == len(UNKNOWN)
    assert set(log.frame()["state"]) == {"adopted"}


def test_the_page_of_a_gateway_is_looked_up(service: MakingService, client: anb.Client, log: Log) -> None:
    pages = [page for page in PAGES if page.status not in (400, 401, 404, 429)]  # which prove it
    for page in pages:
        paid_once(service, client, log, page.answer(), page.who)
    assert len(service.tunes) == len(pages)
    assert set(log.frame()["state"]) == {"adopted"}
    problems = [event["problem"] for event in log.events().to_dict("records") if event["kind"] == "unknown"]
    assert all(page.title in problem for page, problem in zip(pages, problems, strict=True))


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_frees_the_title_whatever_its_body(
    service: MakingService, client: anb.Client, log: Log, status: int
) -> None:
    for number, content in enumerate([*BODIES, json.dumps(TUNE).encode()]):
        service.server.on("POST", "/p/43/tunes", reply(status=status, body=content))
        with pytest.raises(AstriaError) as caught:
            anb.submit(tune(str(number)), client, log=log, timeout=25)  # a 429 without Retry-After waits 30 s
        assert getattr(caught.value, "status", None) == status
    assert set(log.frame()["state"]) == {"rejected"}
    service.answers(reply(TUNE, 201))
    anb.submit(tune("0"), client, log=log)
    assert service.server.connections == 1


def informational(*statuses: int, then: bytes = b"") -> bytes:
    return b"".join(b"HTTP/1.1 %d Early\r\nLink: </a>\r\n\r\n" % status for status in statuses) + then


@pytest.mark.parametrize("statuses", [[103], [102, 103, 199], [100, 102, 100, 103], [103] * 500])
def test_informational_answers_are_skipped(
    service: MakingService, client: anb.Client, log: Log, statuses: list[int]
) -> None:
    paid_once(service, client, log, raw(informational(*statuses), TUNE), "t")
    assert log.frame()["state"].tolist() == ["done"]
    for number in (11, 12, 13):
        service.server.on("GET", f"/tunes/{number}", raw(informational(*statuses), {**TUNE, "id": number}))
        assert client.tune(number)["id"] == number


def test_endless_informational_answers_end_with_the_deadline(
    service: MakingService, client: anb.Client, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.3)

    def endless(exchange: Exchange) -> bool:
        while not exchange.stopped.wait(0.001):
            exchange.socket.sendall(informational(103))
        return False

    paid_once(service, client, log, endless, "t")


def test_what_follows_an_answer_is_not_the_next_one(service: MakingService, client: anb.Client) -> None:
    """A service that answers twice, or more than it announced, is not asked again on that connection."""
    more = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + b'{"id": 1}'
    for number, (status, content) in enumerate([(302, b""), (408, b""), (502, b"no"), (200, b"<html>")]):
        head = b"HTTP/1.1 %d Odd\r\nContent-Length: %d\r\n\r\n" % (status, len(content))

        def late(exchange: Exchange, first: bytes = head + content) -> bool:
            exchange.socket.sendall(first)
            exchange.stopped.wait(0.05)
            exchange.socket.sendall(more)
            return True

        service.server.on("GET", "/tunes/11", late)
        with pytest.raises(AstriaError):
            client.tune(11)
        service.server.on("GET", f"/tunes/{20 + number}", reply({**TUNE, "id": 20 + number}))
        assert client.tune(20 + number)["id"] == 20 + number


def nested(depth: int, inside: str = "1") -> str:
    return '{"a":[' * (depth // 2) + inside + "]}" * (depth // 2)


NUMBERS = [
    "1" + "0" * 5000,
    "-" + "9" * 4301,
    "NaN",
    "-Infinity",
    "1e999",
    str(2**63),
    str(-(2**63) - 1),
    "1" * 300,
]
ODD = {
    "4,000 fields": ",".join(f'"f{number}_at": "2026-01-01T12:00:00Z"' for number in range(4000)),
    "20,000 fields": ",".join(f'"f{number}": {number}' for number in range(20_000)),
    "900 levels": f'"x": {nested(900)}',
    "100,000 levels": f'"x": {nested(100_000)}',
    "levels in a documented field": f'"orig_images": {nested(900)}, "characteristics": {nested(900)}',
    "odd numbers": ",".join(f'"n{index}": {number}' for index, number in enumerate(NUMBERS)),
    "odd numbers in documented fields": ",".join(
        f'"{name}": {number}'
        for number in NUMBERS
        for name in ("pack", "cost_mc", "steps", "eta", "trained_at", "url", "orig_images", "is_api")
    ),
    "lists of odd numbers": f'"prompt_ids": [{",".join(NUMBERS)}], "x": [{",".join(NUMBERS)}]',
    "surrogates": '"\\ud800": "\\udfff", "\\udfff": "\\ud800", "name": "\\ud83d", "url": "\\ud83d\\ud83d"',
    "keys": '"": 1, "\\u0000": 2, "id ": 3, "ID": 4, "submission": 5, "state": "lost", "service": []',
    "the same key": '"title": "another", "id": 3, "pack": null',
    "control characters": '"name": "\\u001b[2J\\u202e\\u0000", "x\\u001b": "\\u0007"',
    "our own statuses": '"status": "deleted", "state": "unknown", "version": 99, "tune": 5, "record": 1',
    "no error": '"error": null, "errors": null',
    "types": '"title": 5, "orig_images": "x", "created_at": [], "expires_at": {"a": 1}, "callback": 7',
    "dates": '"created_at": "9999-99-99", "trained_at": "0001-01-01T00:00:00+23:59", "expires_at": "now"',
    "a long text": f'"x": "{"?a=;" * 50_000}", "y": "{"://" * 50_000}", "z": "{"%25" * 50_000}"',
}


@pytest.mark.slow
@pytest.mark.parametrize("fields", ODD.values(), ids=ODD.keys())
def test_a_reply_with_an_id_is_a_row_at_once(
    service: MakingService, client: anb.Client, log: Log, fields: str
) -> None:
    content = f'{{{fields}, "id": 7, "title": "t"}}'.encode()
    service.answers(reply(body=content, status=201))
    row = anb.submit(tune(), client, log=log)
    assert row.loc[0, "id"] == 7
    assert row.loc[0, "title"] == "t"
    assert len(row.to_html(max_cols=1000)) > 0  # it can be shown
    assert log.frame()["state"].tolist() == ["done"]
    assert log.frame().loc[0, "id"] == 7
    assert anb.submit(tune(), client, log=log).loc[0, "id"] == 7
    assert len(log.events()) > 0
    assert len(service.tunes) == 1


@pytest.mark.parametrize("number", ["7", '"7"', "7.0", "7e0", str(2**63), "1" + "0" * 500, str(2**63 - 1)])
def test_an_id_of_any_kind_is_an_id(
    service: MakingService, client: anb.Client, log: Log, number: str
) -> None:
    service.answers(reply(body=f'{{"title": "t", "id": {number}}}'.encode(), status=201))
    row = anb.submit(tune(), client, log=log)
    value = row.loc[0, "id"]
    assert row.loc[0, "title"] == "t"
    if number.strip('"') in ("7", "7.0", "7e0"):
        assert value == 7
    assert log.frame()["state"].tolist() == ["done"]
    assert anb.submit(tune(), client, log=log).loc[0, "title"] == "t"
    assert len(service.tunes) == 1


@pytest.mark.parametrize(
    "content",
    ["true", "false", "0", "-7", "NaN", '"a"', "[7]", '{"id": 7}', "null", "1.5", '"' + "7" * 5000 + '"'],
)
def test_what_is_no_id_is_looked_up(
    service: MakingService, client: anb.Client, log: Log, content: str
) -> None:
    answer = reply(body=f'{{"title": "t", "id": {content}}}'.encode(), status=201)
    paid_once(service, client, log, answer, "t")
    assert log.frame().loc[0, "id"] == 7


def headers(*lines: str, body: bytes = json.dumps(TUNE).encode()) -> Answer:
    return raw("\r\n".join(["HTTP/1.1 201 Created", *lines, "", ""]).encode() + body, b"")


def closing(answer: Answer) -> Answer:
    return lambda exchange: answer(exchange) and False


FRAMED = {
    "two lengths": headers("Content-Length: 5", "Content-Length: 500"),
    "a negative length": closing(headers("Content-Length: -1")),
    "a length of words": closing(headers("Content-Length: many")),
    "a length too short": headers("Content-Length: 5"),
    "a length too long": closing(headers("Content-Length: 5000")),
    "two encodings": closing(headers("Transfer-Encoding: chunked", "Content-Length: 5")),
    "broken chunks": closing(headers("Transfer-Encoding: chunked", body=b"5\r\n{\r\nzz\r\n")),
    "an unknown encoding": closing(headers("Content-Encoding: br")),
    "200 headers": headers(*(f"X-{number}: 1" for number in range(200)), "Content-Length: 9"),
    "a long header": headers(f"X: {'y' * 70_000}", "Content-Length: 9"),
    "a header with control characters": headers("X: \x1b[2J\x00", f"Content-Length: {len(json.dumps(TUNE))}"),
    "no status": raw("HTTP/1.1\r\n\r\n"),
    "another protocol": closing(raw("HTTP/3.0 200 OK\r\n\r\n{}")),
    "no protocol": closing(raw("220 smtp ready\r\n")),
    "a status of words": closing(raw("HTTP/1.1 okay OK\r\n\r\n")),
    "status 99": closing(raw("HTTP/1.1 99 Low\r\n\r\n")),
    "an old protocol": closing(
        headers().__call__ and raw(b"HTTP/1.0 201 OK\r\n\r\n" + json.dumps(TUNE).encode())
    ),
    "nothing": closing(raw(b"")),
    "latin-1": reply(body=b'{"id": 7, "title": "t", "name": "caf\xe9"}', status=201),
    "utf-16": reply(body=json.dumps(TUNE).encode("utf-16"), status=201),
    "a byte order mark": reply(body=b"\xef\xbb\xbf" + json.dumps(TUNE).encode(), status=201),
    "two objects": reply(body=json.dumps(TUNE).encode() * 2, status=201),
    "half an object": reply(body=json.dumps(TUNE).encode()[:-9], status=201),
    "too large": reply(body=b'{"id": 7, "x": "' + b"y" * 17 * 2**20 + b'"}', status=201),
}


@pytest.mark.parametrize("answer", FRAMED.values(), ids=FRAMED.keys())
def test_an_answer_that_is_framed_oddly_costs_one_tune(
    service: MakingService, client: anb.Client, log: Log, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.5)
    paid_once(service, client, log, answer, "t")
    assert client.pack(43).id == PACK["id"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from([*anb.rows.TUNE_SCHEMA.names, "state", "submission", "error", "tune", ""])


@pytest.mark.slow
@sizes(25, 2000)
def test_generated_replies_cost_one_tune_each(
    service: MakingService, client: anb.Client, log: Log, size: int
) -> None:
    numbers = iter(range(10**6))

    @settings(
        max_examples=size, deadline=None, derandomize=True, database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )  # fmt: skip
    @given(
        status=st.sampled_from([200, 201, 202, 204, 303, 408, 500]),
        data=st.dictionaries(FIELDS, VALUES, max_size=6) | VALUES,
        cut=st.sampled_from([None, None, None, 1, 10]),
    )
    def check(status: int, data: Any, cut: int | None) -> None:
        content = json.dumps(data).encode()
        answer = reply(body=b"" if status == 204 else content[:cut], status=status)
        paid_once(service, client, log, answer, f"generated {next(numbers)}")

    check()
    assert len(log.frame()) == len(service.tunes)


def gone(*_: object) -> None:
    """Stand for a stream on which no warning can be shown."""
    raise ValueError("I/O operation on closed file")


@pytest.mark.parametrize(
    "error", [OSError("disk"), OverflowError("too large"), RecursionError(), RuntimeError()]
)
@pytest.mark.parametrize("filters", ["error", "ignore", "default"])
def test_whatever_fails_after_the_tune_was_made_its_row_is_returned(
    service: MakingService,
    client: anb.Client,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    filters: Any,
) -> None:
    change = log.change

    def failing(submission: Any, state: str, **values: Any) -> Any:
        if state == "done":
            raise error
        return change(submission, state, **values)

    service.answers(reply({**TUNE, "title": "t"}, 201))
    with warnings.catch_warnings(), monkeypatch.context() as patch:
        warnings.simplefilter(filters)
        patch.setattr(log, "change", failing)
        patch.setattr(warnings, "showwarning", gone)
        assert anb.submit(tune(), client, log=log).loc[0, "id"] == 7
    assert log.frame()["state"].tolist() == ["sending"]
    assert anb.submit(tune(), client, log=log).loc[0, "id"] == 7  # found on the account
    assert len(service.tunes) == 1


def test_a_row_that_cannot_be_built_is_what_is_certain(
    service: MakingService, client: anb.Client, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = anb.rows.tune_frame

    def failing(tunes: Any, *now: Any) -> Any:
        if any("odd" in record for record in tunes):
            raise MemoryError
        return frame(tunes, *now)

    monkeypatch.setattr("astria_nb.rows.tune_frame", failing)
    service.answers(reply({**TUNE, "title": "t", "odd": 1}, 201))
    with pytest.warns(UserWarning, match="the row lacks what the service answered .MemoryError"):
        row = anb.submit(tune(), client, log=log)
    assert (row.loc[0, "id"], row.loc[0, "title"], row.loc[0, "pack"]) == (7, "t", 43)


def test_an_error_of_the_caller_after_the_last_byte_does_not_hide_the_tune(
    service: MakingService, client: anb.Client, log: Log
) -> None:
    def on_sent(sent: int, total: int) -> None:
        if sent == total:
            raise ZeroDivisionError

    service.answers(reply(TUNE, 201))
    assert anb.submit(tune(), client, log=log).loc[0, "id"] == 7
    assert len(service.tunes) == 1


def test_any_error_after_the_last_byte_is_looked_behind(
    service: MakingService, client: anb.Client, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = anb.Client.create_tune

    def failing(self: anb.Client, *args: Any) -> Any:
        post(self, *args)
        raise MemoryError

    monkeypatch.setattr(anb.Client, "create_tune", failing)
    service.answers(reply(TUNE, 201))
    assert anb.submit(tune(), client, log=log).loc[0, "id"] == 7
    assert log.frame()["state"].tolist() == ["adopted"]
    assert len(service.tunes) == 1


@pytest.mark.slow
def test_thousands_of_unknown_fields_take_time_in_proportion(log: Log) -> None:
    """Ten times the fields take about ten times as long; with a quadratic step it would be a hundred."""

    def seconds(count: int) -> float:
        record = {f"field_{number}_at": "2026-01-01T12:00:00Z" for number in range(count)}
        started = time.thread_time()
        anb.rows.tune_frame([{**TUNE, **record}] * 2)
        return time.thread_time() - started

    seconds(100)
    assert seconds(9000) < 60 * seconds(900)
