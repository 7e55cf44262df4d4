"""Faults that answer with a status, and what the service has created by then."""

import http.client
from typing import get_args

import pytest
import requests

from astria_nb.sandbox import SandboxServer
from astria_nb.sandbox.faults import Status
from helpers.waiting import PATIENCE, until
from sandbox.helpers.api import Api
from sandbox.helpers.pack_runs import RUN, Run, as_json, as_multipart, only, raw

STATUSES = get_args(Status)


@pytest.fixture(params=[as_json, as_multipart], ids=["json", "multipart"])
def run(request: pytest.FixtureRequest) -> Run:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", STATUSES)
def test_a_status_is_answered_and_nothing_is_created(api: Api, run: Run, kind: str) -> None:
    api.sandbox.fail(kind, RUN)
    assert run(api).status_code == int(kind)
    struck = only(api.sandbox)
    assert (struck.fault, struck.status, struck.complete) == (kind, int(kind), True)
    assert (struck.params, struck.tune_ids, struck.prompt_ids) == (None, (), ())
    assert api.get("/tunes").json() == []


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("422", {"base": ["no"]}),
        ("429", {"error": "no"}),
        ("500", {"status": 500, "error": "Internal Server Error"}),
    ],
)
def test_errors_of_the_application_are_json(api: Api, kind: str, shape: object) -> None:
    api.sandbox.fail(kind, **{} if kind == "500" else {"message": "no"})
    reply = api.train()
    assert (reply.json(), reply.headers["Content-Type"]) == (shape, "application/json; charset=utf-8")
    assert "Retry-After" not in reply.headers


def test_a_refused_key_is_plain_text(api: Api) -> None:
    api.sandbox.fail("401", message="no")
    reply = api.train()
    assert (reply.text, reply.headers["Content-Type"]) == ("no\n", "text/plain; charset=utf-8")
    assert reply.headers["WWW-Authenticate"] == 'Token realm="Application"'


@pytest.mark.parametrize("kind", ["502", "503", "504"])
def test_errors_of_the_gateway_are_html(api: Api, kind: str) -> None:
    api.sandbox.fail(kind)
    reply = api.train()
    assert reply.headers["Content-Type"].startswith("text/html")
    assert f"<h1>{kind} {reply.reason}</h1>" in reply.text


@pytest.mark.parametrize("text", ["3", "Wed, 01 Jan 2031 00:00:00 GMT", "soon, ÿ", ""])
def test_retry_after_is_sent_as_it_was_given(api: Api, text: str) -> None:
    api.sandbox.fail("429", retry_after=text)
    assert api.train().headers["Retry-After"] == text


def test_the_connection_outlives_a_status(sandbox: SandboxServer) -> None:
    sandbox.fail("504", "POST *", count=2)
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=PATIENCE)
    for _ in range(2):
        connection.request("POST", "/p/43/tunes", b"x" * 300_000)
        first = connection.sock
        assert connection.getresponse().read().startswith(b"<html>")
        assert connection.sock is first
    connection.close()


def test_a_client_in_mid_upload_can_read_the_answer(api: Api) -> None:
    api.sandbox.fail("502")
    assert api.post("/p/43/tunes", data=b"x" * 20_000_000).status_code == 502
    assert (only(api.sandbox).body_bytes, only(api.sandbox).complete) == (20_000_000, True)


@pytest.mark.parametrize("kind", STATUSES)
def test_an_error_may_come_after_the_tune_was_made(api: Api, run: Run, kind: str) -> None:
    api.sandbox.fail(kind, RUN, commit="yes")
    assert run(api).status_code == int(kind)
    struck = only(api.sandbox)
    assert (struck.status, struck.tune_ids, len(struck.prompt_ids)) == (int(kind), (1000001,), 8)
    assert struck.params is not None
    assert struck.params["title"] == "t"
    assert [tune["id"] for tune in api.get("/tunes").json()] == [1000001]


@pytest.mark.parametrize("kind", ["504", "reset"])
def test_a_tune_may_be_created_late(api: Api, run: Run, kind: str) -> None:
    api.sandbox.fail(kind, RUN, commit="late", seconds=0.05)
    if kind == "reset":
        with pytest.raises(requests.ConnectionError):
            run(api)
    else:
        assert run(api).status_code == 504
    until(api.sandbox.received)
    (struck,) = api.sandbox.received()
    assert (struck.number, struck.status, struck.tune_ids) == (1, 504 if kind == "504" else None, (1000001,))
    assert len(api.get("/tunes").json()) == 1


def test_an_upload_that_was_broken_off_is_not_carried_out_late(api: Api) -> None:
    api.sandbox.fail("504", RUN, commit="late", seconds=0, count=2)
    # What arrives could be carried out, but is not all that was promised.
    with raw(api.sandbox, head="Content-Length: 999"):
        until(lambda: api.sandbox.ledger and only(api.sandbox).body_bytes)
    until(lambda: only(api.sandbox).status)
    assert api.train().status_code == 504
    until(api.sandbox.received)
    broken, whole = api.sandbox.ledger
    assert (broken.complete, broken.params, whole.tune_ids) == (False, None, (1000001,))
