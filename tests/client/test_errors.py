"""The client when something fails: one typed error for each fault, and no paid request repeated."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb import errors
from astria_nb.client import _transport as transport
from astria_nb.client.retry import ATTEMPTS
from astria_nb.errors import AstriaError, NotSentError, OutcomeUnknownError
from astria_nb.tune import Body, encode
from helpers.large_photos import enlarge
from helpers.scripted_server import KEY, TUNE, Answer, ScriptedServer, cut, hang_up, reply, reset, silence

HTML = b"<html><body>Bad  gateway</body></html>"
Fetch = Callable[[ScriptedServer, Answer], AstriaError]


def body(images: list[Path] | None = None) -> Body:
    source: dict[str, Any] = {"images": images} if images else {"image_urls": ["https://e.com/1.jpg"]}
    return encode(anb.Tune(pack=43, title="t", name="cat", **source))


def failed_get(server: ScriptedServer, client: anb.Client, answer: Answer) -> AstriaError:
    server.on("GET", "/tunes/7", answer)
    with pytest.raises(AstriaError) as caught:
        client.tune(7)
    return caught.value


def failed_post(
    server: ScriptedServer, client: anb.Client, answer: Answer, images: list[Path] | None = None
) -> AstriaError:
    """Return the error of a POST, and assert that it was sent once."""
    server.on("POST", "/p/43/tunes", answer)
    with body(images) as sent, pytest.raises(AstriaError) as caught:
        client.create_tune(43, sent)
    assert len(server.requests) == 1
    return caught.value


STATUSES = [
    (400, errors.RejectedError), (401, errors.UnauthorizedError), (402, errors.RejectedError),
    (403, errors.RejectedError), (404, errors.NotFoundError), (422, errors.RejectedError),
    (426, errors.RejectedError), (429, errors.TooManyRequestsError),
]  # fmt: skip
FAILURES = [500, 502, 503, 504, 599]
PASSING = [429, 500, 502, 503, 504]


@pytest.mark.parametrize(
    ("status", "kind"), [*STATUSES, *((status, errors.ServerError) for status in FAILURES)]
)
def test_each_status_of_a_get_is_an_error_of_its_own(
    server: ScriptedServer, client: anb.Client, status: int, kind: type
) -> None:
    error = failed_get(server, client, reply({"error": "because"}, status))
    assert type(error) is kind
    assert getattr(error, "status", None) == status
    assert "because" in str(error)
    assert len(server.requests) == (ATTEMPTS if status in PASSING else 1)


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_a_rejected_post_says_so_and_is_not_repeated(
    server: ScriptedServer, client: anb.Client, status: int, kind: type
) -> None:
    assert type(failed_post(server, client, reply({"error": "because"}, status))) is kind


@pytest.mark.parametrize("status", [400, 413, 500])
def test_a_limit_that_the_body_exceeds_is_named(
    server: ScriptedServer, client: anb.Client, status: int
) -> None:
    server.on("POST", "/p/43/tunes", reply({"error": "Bad Request"}, status))
    addresses = ["https://e.com/1.jpg"] * 4100
    tune = anb.Tune(pack=43, title="t", name="cat", image_urls=addresses)
    for encoding, words in (
        ("form", r"the form has 4,102 fields, and a stock Rails reads 4,096; choose encoding='json'"),
        ("multipart", r"the body has 4,102 parts, and a stock Rails reads 4,095; choose encoding='json'"),
    ):
        with encode(tune, encoding) as sent, pytest.raises(AstriaError, match=words):  # type: ignore[arg-type]
            client.create_tune(43, sent)
    with encode(tune, "json") as sent, pytest.raises(AstriaError) as caught:
        client.create_tune(43, sent)
    assert "Rails" not in str(caught.value)


@pytest.mark.parametrize("status", FAILURES)
def test_after_a_server_error_the_outcome_is_unknown_and_nothing_is_repeated(
    server: ScriptedServer, client: anb.Client, status: int
) -> None:
    error = failed_post(server, client, reply(body=HTML, status=status, Content_Type="text/html"))
    assert type(error) is OutcomeUnknownError
    assert f"status {status}" in str(error)
    assert "client.tunes(title=" in error.problems[0].hint


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"title": ["is blank"], "name": ["a", "b"]}, [("title", "is blank"), ("name", "a, b")]),
        ({"errors": {"title": ["can't be blank"]}}, [("title", "can't be blank")]),
        ({"base": ["You have no balance"]}, [("tune", "You have no balance")]),
        ({"error": "could not download"}, [("tune", "could not download")]),
        ({"message": "no"}, [("tune", "no")]),
        ({"title": "can't be blank"}, [("title", "can't be blank")]),
        ({"tune": {"title": ["is blank"]}}, [("title", "is blank")]),
        ({"error": {"message": "no", "code": 7}}, [("tune", "no")]),
        ({"error": "Unprocessable", "errors": {"name": "is unknown"}}, [("name", "is unknown")]),
        ({"errors": ["first", "second"]}, [("tune", "first, second")]),
        ({"errors": [{"field": "name", "message": "is unknown"}]}, [("name", "is unknown")]),
        ({"success": False, "errors": [{"code": 10, "message": "no"}]}, [("tune", "no")]),
        ({"type": "about:blank", "title": "Forbidden", "status": 422}, [("tune", "Forbidden")]),
        ({"status": 422, "error": "Unprocessable Content"}, [("tune", "Unprocessable Content")]),
        ({"errors": {}, "error": "", "message": None, "reason": "no"}, [("reason", "no")]),
        ({"error": True}, [("tune", '{"error": true}')]),
        (["first", "second"], [("tune", "first, second")]),
        ("only text", [("tune", "only text")]),
    ],
)  # fmt: skip
def test_the_messages_of_a_422_are_reported_by_field(
    server: ScriptedServer, client: anb.Client, content: Any, expected: list[tuple[str, str]]
) -> None:
    error = failed_post(server, client, reply(content, 422))
    assert [(problem.field, problem.what) for problem in error.problems] == expected


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "gave no reason"),
        (b"\xff\xfe\0", "\ufffd"),
        (b"x" * 9000, "x" * 399 + "…"),
    ],
    ids=["nothing", "not text", "long"],
)
def test_a_reason_that_is_not_json_is_shown_as_text(
    server: ScriptedServer, client: anb.Client, content: bytes, what: str
) -> None:
    error = failed_post(server, client, reply(body=content, status=422))
    assert what in error.problems[0].what
    assert len(error.problems[0].what) <= 400


@pytest.mark.parametrize(
    ("headers", "hint"),
    [
        ({"Retry_After": "7"}, "wait 7 seconds"),
        ({"Retry_After": "Thu, 01 Jan 2026 00:00:00 GMT"}, "wait a while"),
        ({}, "wait a while"),
    ],
)
def test_too_many_requests_says_how_long_to_wait(
    server: ScriptedServer, client: anb.Client, headers: Any, hint: str
) -> None:
    error = failed_post(server, client, reply({"error": "slow down"}, 429, **headers))
    assert isinstance(error, errors.TooManyRequestsError)
    assert error.retry_after == headers.get("Retry_After")
    assert hint in error.problems[0].hint


UNREADABLE = {
    "204": reply(body=b"", status=204),
    "HTML 200": reply(body=HTML, Content_Type="text/html"),
    "truncated JSON": cut(TUNE, 201),
    "shorter than promised": cut(TUNE, 201, Content_Length=10_000),
    "broken gzip": reply(TUNE, 201, Content_Encoding="gzip"),
    "a number": reply(5, 201),
    "a list of two": reply([TUNE, TUNE], 201),
    "reset after the body": reset(),
    "hung up after the body": hang_up,
}


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_without_a_readable_answer_the_outcome_of_a_post_is_unknown(
    server: ScriptedServer, client: anb.Client, answer: Answer, photos: list[Path]
) -> None:
    assert type(failed_post(server, client, answer, photos)) is OutcomeUnknownError


@pytest.mark.parametrize("answer", [hang_up, reset()], ids=["hung up", "reset"])
def test_a_get_without_an_answer_is_sent_a_few_times(
    server: ScriptedServer, client: anb.Client, answer: Answer
) -> None:
    assert isinstance(failed_get(server, client, answer), NotSentError)
    assert len(server.requests) == ATTEMPTS


def test_a_service_that_never_answers_leaves_the_outcome_unknown(
    server: ScriptedServer, client: anb.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.2)
    error = failed_post(server, client, silence)
    assert type(error) is OutcomeUnknownError
    assert "no answer in time" in str(error)


@pytest.fixture
def large(photos: list[Path]) -> list[Path]:
    """Return a photo that is larger than any socket buffer."""
    return [enlarge(photos[0], 40 * 2**20)]


@pytest.mark.parametrize("read", [0, 10**5, 5 * 10**6])
def test_a_reset_during_an_upload_means_that_nothing_was_created(
    server: ScriptedServer, client: anb.Client, large: list[Path], read: int
) -> None:
    error = failed_post(server, client, reset(read), large)
    assert type(error) is NotSentError
    assert "nothing was created" in str(error)
    assert len(server.requests[0].body) == read


def test_a_refusal_during_an_upload_is_noticed(
    server: ScriptedServer, client: anb.Client, large: list[Path]
) -> None:
    server.on("POST", "/p/43/tunes", reply({"error": "too large"}, 413, read=10**5))
    with body(large) as sent, pytest.raises((errors.RejectedError, NotSentError)):
        client.create_tune(43, sent)
    assert len(server.requests) == 1


PAGE = b"<html><head><title>413 Request Entity Too Large</title></head></html>"


@pytest.mark.parametrize("read", [10**5, None], ids=["in the middle of it", "at its end"])
def test_an_upload_that_is_too_large_for_a_server_says_what_to_do(
    server: ScriptedServer, client: anb.Client, large: list[Path], read: int | None
) -> None:
    page = reply(body=PAGE, status=413, Content_Type="text/html", read=read)
    server.on("POST", "/p/43/tunes", page)
    with body(large) as sent, pytest.raises(AstriaError) as caught:
        client.create_tune(43, sent)
    assert len(server.requests) == 1
    assert isinstance(caught.value, OutcomeUnknownError) == (read is None)
    if isinstance(caught.value, NotSentError):
        return  # the connection was closed before its answer could be read
    words = str(caught.value)
    assert "images: make a request of " in words
    assert "more than the server takes (status 413)" in words
    assert "make them smaller with max_side=2048, or send fewer" in words
    assert ("nothing was created" in words) == (read is not None)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    "call", [lambda c: c.create_tune(43, body()), lambda c: c.pack(43), lambda c: list(c.tunes())]
)
def test_a_service_that_is_not_there_is_not_reached(call: Any) -> None:
    client = anb.Client(KEY, base_url=f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(
        NotSentError, match=r"base_url: .*Connection refused.*check the connection and try again"
    ):
        call(client)


@pytest.mark.parametrize("content", [{"id": 1}, [1], [{"title": "t"}], "text", None])
def test_anything_but_a_list_is_unexpected(server: ScriptedServer, client: anb.Client, content: Any) -> None:
    server.on("GET", "/tunes", reply(content))
    with pytest.raises(errors.UnexpectedReplyError, match="something other than a list"):
        list(client.tunes())


def test_an_unknown_pack_is_named(server: ScriptedServer, client: anb.Client) -> None:
    with pytest.raises(
        errors.NotFoundError, match=r"pack: 99 is not known to .*client\.packs\(gallery=True\)"
    ):
        client.pack(99)
