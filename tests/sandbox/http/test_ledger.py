"""The ledger: what arrived, in which order, and what it created."""

import hashlib
import socket
import threading
from collections import Counter
from datetime import UTC, datetime

import pytest

from astria_nb.sandbox import ReceivedRequest, SandboxServer
from astria_nb.sandbox.http._connection import Connection
from astria_nb.sandbox.http.exchange import RESET, Exchange
from helpers.waiting import PATIENCE, until
from sandbox.helpers.api import Api
from sandbox.helpers.pack_runs import RUN, only, raw

URL = "https://example.com/1.jpg"


def test_a_pack_run_is_recorded_completely(api: Api) -> None:
    reply = api.train(prompt_ids=[43001, 43002])
    body = reply.request.body
    assert body is not None
    assert api.sandbox.ledger == [
        ReceivedRequest(
            number=1,
            time=datetime(2026, 1, 1, 12, tzinfo=UTC),
            method="POST",
            path="/p/43/tunes",
            query="",
            content_type="application/json",
            body_bytes=len(body),
            complete=True,
            fault=None,
            status=201,
            params={"title": "t", "name": "man", "image_urls": [URL], "prompt_ids": [43001, 43002]},
            tune_ids=(1000001,),
            prompt_ids=(5000001, 5000002),
        )
    ]


def test_a_file_is_recorded_by_its_hash(api: Api, jpeg: bytes) -> None:
    form = {"tune[title]": "t", "tune[name]": "man"}
    api.post("/p/43/tunes", data=form, files={"tune[images][]": ("1.jpg", jpeg, "text/plain")})
    request = only(api.sandbox)
    assert request.content_type == "multipart/form-data"
    assert request.params == {
        "title": "t",
        "name": "man",
        "images": [
            {
                "filename": "1.jpg",
                "content_type": "image/jpeg",
                "size": len(jpeg),
                "sha256": hashlib.sha256(jpeg).hexdigest(),
            }
        ],
    }


def test_every_request_is_there_as_it_was_sent(api: Api) -> None:
    api.get("/packs.json?limit=3&x=%20")
    api.get("/tunes/", headers={"Authorization": "Bearer wrong"})
    api.delete("/n%C3%B6")
    assert [(r.number, r.method, r.path, r.query, r.status) for r in api.sandbox.ledger] == [
        (1, "GET", "/packs.json", "limit=3&x=%20", 200),
        (2, "GET", "/tunes/", "", 401),
        (3, "DELETE", "/n%C3%B6", "", 404),
    ]
    assert all(request.complete and not request.body_bytes for request in api.sandbox.ledger)


def test_a_brief_is_in_the_ledger(api: Api) -> None:
    api.train(brief="warm light")
    assert only(api.sandbox).params == {
        "title": "t", "name": "man", "image_urls": [URL], "brief": "warm light",
    }  # fmt: skip


def test_existing_tunes_give_prompts_only(api: Api) -> None:
    api.train()
    api.post("/p/43/tunes", json={"tune": {"tune_ids": [1000001], "prompt_ids": [43001]}})
    assert [(request.tune_ids, request.prompt_ids[-1]) for request in api.sandbox.ledger] == [
        ((1000001,), 5000008),
        ((), 5000009),
    ]
    assert api.sandbox.received() == api.sandbox.ledger


def test_a_refused_request_shows_what_was_sent_and_creates_nothing(api: Api) -> None:
    api.train(name="person")
    api.post("/p/43/tunes", data=b"{", headers={"Content-Type": "application/json"})
    api.post("/p/43/tunes", json={"tune": {}}, headers={"Authorization": ""})
    assert [(request.status, request.params) for request in api.sandbox.ledger] == [
        (422, {"title": "t", "name": "person", "image_urls": [URL]}),
        (400, None),
        (401, None),
    ]
    assert api.sandbox.received() == []


@pytest.mark.parametrize(
    "head",
    [
        b"POST /p HTTP/1.1\r\nContent-Length: x",
        b"POST /p HTTP/1.1\r\nTransfer-Encoding: gzip",
        b"BREW /p HTTP/1.1",
    ],
)
def test_a_request_with_an_invalid_head_is_recorded(sandbox: SandboxServer, head: bytes) -> None:
    host, _, port = sandbox.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(head + b"\r\n\r\n")
        status = int(connection.makefile("rb").read().split(b" ")[1])
    request = only(sandbox)
    assert (request.method, request.path, request.status) == (head[:4].decode(), "/p", status)
    assert not request.complete or request.method == "BREW"


def test_an_upload_is_recorded_while_it_arrives(sandbox: SandboxServer) -> None:
    body = b'{"tune": {"title": "t", "name": "man", "image_urls": ["http://a/b"]}}'
    with raw(sandbox, body[:10], f"Content-Length: {len(body)}") as connection:
        until(lambda: sandbox.ledger and only(sandbox).body_bytes == 10)
        assert (only(sandbox).complete, only(sandbox).status, only(sandbox).params) == (False, None, None)
        connection.sendall(body[10:])
        assert connection.recv(12) == b"HTTP/1.1 201"
    assert (only(sandbox).body_bytes, only(sandbox).complete) == (len(body), True)


def test_an_upload_that_was_broken_off_stays_incomplete(sandbox: SandboxServer) -> None:
    with raw(sandbox, b"x" * 10, "Content-Length: 99") as connection:
        until(lambda: sandbox.ledger and only(sandbox).body_bytes == 10)
        connection.shutdown(socket.SHUT_WR)  # and still reads: an answer that cannot be sent is none
        assert connection.recv(12) == b"HTTP/1.1 400"
    sandbox.stop()
    assert (only(sandbox).body_bytes, only(sandbox).complete, only(sandbox).status) == (10, False, 400)


def test_an_answer_to_a_client_that_hung_up_is_recorded_as_not_sent(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung_up, handlers = threading.Event(), []
    monkeypatch.setattr(Exchange, "wait", lambda self, seconds: hung_up.wait(PATIENCE))
    setup = Connection.setup
    monkeypatch.setattr(Connection, "setup", lambda self: (handlers.append(self), setup(self)))
    sandbox.fail("slow")
    with raw(sandbox) as connection:
        until(sandbox.received)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    hung_up.set()
    sandbox.stop()
    assert (only(sandbox).status, only(sandbox).tune_ids) == (None, (1000001,))
    (handler,) = handlers
    assert handler.rfile.closed  # or its socket stays open until the garbage is collected


def test_no_key_is_kept(api: Api) -> None:
    api.get("/packs", headers={"Authorization": "Bearer sd_secret", "Cookie": "sd_cookie"})
    api.train()
    text = repr(api.sandbox.ledger)
    assert not [key for key in (api.sandbox.api_key, "sd_secret", "sd_cookie") if key in text]


def test_what_was_read_earlier_does_not_change(api: Api) -> None:
    before = api.sandbox.ledger
    api.train()
    assert before == []
    assert len(api.sandbox.ledger) == 1


def test_it_outlives_the_sandbox(api: Api) -> None:
    api.train()
    api.sandbox.stop()
    assert only(api.sandbox).tune_ids == (1000001,)


CLIENTS, ROUNDS = 16, 12


def client(sandbox: SandboxServer, number: int, start: threading.Barrier, answers: dict[str, object]) -> None:
    """Send runs, every third of which is refused; record the tune's id or the status for each title."""
    with Api(sandbox) as api:
        start.wait()
        for turn in range(ROUNDS):
            title = f"{number}/{turn}"
            name = "person" if turn % 3 == 2 else "man"
            reply = api.train(title=title, name=name, prompt_ids=[43001, 43002])
            answers[title] = reply.json().get("id") if reply.status_code == 201 else reply.status_code


def test_it_is_exact_under_sixteen_connections_at_once(sandbox: SandboxServer) -> None:
    sandbox.fail("504", RUN, count=20, commit="yes")
    sandbox.fail("503", RUN, count=10, after=5)
    sandbox.fail("504", RUN, count=10, commit="late", seconds=0.01)
    answers: dict[str, object] = {}
    start = threading.Barrier(CLIENTS)
    clients = [
        threading.Thread(target=client, args=(sandbox, number, start, answers)) for number in range(CLIENTS)
    ]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()

    def late() -> list[ReceivedRequest]:
        struck = [request for request in sandbox.ledger if request.fault == "504"]
        return [request for request in struck if request.params]

    until(lambda: len(late()) == 30)
    sandbox.stop()
    ledger = sandbox.ledger
    assert [request.number for request in ledger] == list(range(1, CLIENTS * ROUNDS + 1))
    assert [request.time for request in ledger] == sorted(request.time for request in ledger)
    assert all(request.complete for request in ledger)
    assert Counter(request.fault for request in ledger)["504"] == 30
    assert Counter(request.fault for request in ledger)["503"] == 10

    read = {str(request.params["title"]): request for request in ledger if request.params}
    assert len(read) == CLIENTS * ROUNDS - 10  # all but what the 503 kept from the application
    for title, request in read.items():
        refused = request.params is not None and request.params["name"] == "person"
        assert (len(request.tune_ids), len(request.prompt_ids)) == ((0, 0) if refused else (1, 2))
        if request.fault:
            assert answers[title] == request.status == 504
        else:
            assert answers[title] == (422 if refused else request.tune_ids[0])
    tune_ids = [tune_id for request in ledger for tune_id in request.tune_ids]
    assert sorted(tune_ids) == list(range(1000001, 1000001 + len(tune_ids)))
    prompt_ids = [prompt_id for request in ledger for prompt_id in request.prompt_ids]
    assert sorted(prompt_ids) == list(range(5000001, 5000001 + 2 * len(tune_ids)))
