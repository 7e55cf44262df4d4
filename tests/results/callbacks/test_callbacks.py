"""A receiver on this machine: the log follows the service, and trusts no callback."""

import json
import os
import pickle
import socket
import subprocess
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

import astria_nb as anb
from astria_nb.errors import AstriaError, TuneError
from astria_nb.results.callbacks import _receiver as receiver
from astria_nb.results.callbacks import _refresher as refresher
from astria_nb.results.callbacks import _server as server_module
from astria_nb.results.callbacks._secret import Secret
from helpers.callback_senders import post, raw, target
from helpers.forked_kernels import python
from helpers.scripted_server import KEY, TUNE, ScriptedServer, reply, silence
from helpers.waiting import PATIENCE, until

SECRET = "a-secret-that-only-this-test-has"
URLS = ["https://example.com/1.jpg"]
DAY = 86_400.0


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresher, "MIN_INTERVAL", 0.0)


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(speed=1) as running:  # its time is this machine's, and `advance`
        yield running


@pytest.fixture
def log(tmp_path: Path) -> Iterator[anb.ExperimentLog]:
    experiment_log = anb.ExperimentLog(tmp_path / "log.sqlite")
    yield experiment_log
    experiment_log.close()


@pytest.fixture
def callbacks(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> Iterator[anb.Callbacks]:
    with anb.Callbacks(log, sandbox.client(), secret=SECRET) as running:
        yield running


def submitted(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, title: str = "title", **fields: Any
) -> pd.DataFrame:
    tune = anb.Tune(pack=797, title=title, name="cat", image_urls=URLS, prompt_ids=[797001, 797002], **fields)
    return anb.submit(tune, sandbox.client(), log=log)


def statuses(log: anb.ExperimentLog) -> list[str]:
    return list(log.frame()["status"])


def gets(sandbox: anb.Sandbox) -> list[str]:
    return [
        request.path
        for request in sandbox.ledger
        if request.method == "GET" and not request.path.startswith("/p/")
    ]


def is_idle(callbacks: anb.Callbacks) -> bool:
    return callbacks._refresher.wait_until_idle(PATIENCE)


def test_all_three_callbacks_reach_the_log_without_a_poll(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    row = submitted(sandbox, log, **callbacks.fields())
    assert statuses(log) == ["queued"]
    assert gets(sandbox) == ["/tunes"]  # of the submission, before it was sent
    sandbox.advance(DAY)
    until(lambda: len(sandbox.deliveries) == 4)
    assert {(delivery.event, delivery.status) for delivery in sandbox.deliveries} == {
        ("tune", 200), ("prompt", 200), ("prompts", 200),
    }  # fmt: skip
    assert is_idle(callbacks)
    assert statuses(log) == ["trained"]
    assert set(log.events()["kind"]) == {"planned", "sending", "done", "callback"}
    replies = log.events()["reply"].dropna()
    assert replies.str.contains('"images":["http', regex=False).any()
    waited = callbacks.wait(row)
    assert waited["status"].tolist() == ["trained"]
    assert waited.dtypes.equals(row.dtypes)
    assert waited["pack"].tolist() == [797]


def test_the_log_has_each_picture_once(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    submitted(sandbox, log, **callbacks.fields())
    for _ in range(3):
        sandbox.advance(600)
        assert is_idle(callbacks)
    until(lambda: len(sandbox.deliveries) == 4)
    assert is_idle(callbacks)
    replies = "".join(log.events()["reply"].dropna())
    assert [
        replies.count(f'[{{"id":{prompt_id}') + replies.count(f',{{"id":{prompt_id}')
        for prompt_id in (5000001, 5000002)
    ] == [
        1,
        1,
    ]


SHAPES = [
    "tune", "bare tune", "prompt", "bare prompt", "prompts", "wrapped prompts", "tune with its id as text",
    "prompt with ids as text", "prompt of a FaceID",
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_a_body_is_understood(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks, shape: str
) -> None:
    row = submitted(sandbox, log)
    sandbox.advance(DAY)
    number = int(row["id"].iloc[0])
    prompt = {"id": 5000001, "text": f"<lora:{number}:1> a cat", "tune_id": 1504944, "images": []}
    bodies = {
        "tune": {"tune": {"id": number}}, "bare tune": {"id": number},
        "prompt": {"prompt": prompt}, "bare prompt": prompt,
        "prompts": [prompt], "wrapped prompts": {"prompts": [{"prompt": prompt}]},
        "tune with its id as text": {"tune": {"id": str(number)}},
        "prompt with ids as text": {"prompt": {**prompt, "text": "", "tunes": [{"id": str(number)}]}},
        "prompt of a FaceID": {"prompt": {**prompt, "text": f"<faceid:{number}:1.0> a man"}},
    }  # fmt: skip
    assert post(callbacks.url, bodies[shape]) == 200
    assert is_idle(callbacks)
    assert statuses(log) == ["trained"]
    assert ("/tunes/1000001/prompts" in gets(sandbox)) == ("prompt" in shape)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "image/png", ""])
def test_the_content_type_does_not_matter(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks, kind: str
) -> None:
    submitted(sandbox, log)
    sandbox.advance(DAY)
    assert post(callbacks.url, {"tune": {"id": 1000001}}, **{"Content-Type": kind}) == 200
    assert is_idle(callbacks)
    assert statuses(log) == ["trained"]


def test_a_lie_about_a_tune_changes_nothing(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    submitted(sandbox, log)
    lie = {"id": 1000001, "title": "hacked", "trained_at": "2026-01-01T12:00:05.000Z", "status": "trained"}
    assert post(callbacks.url, {"tune": lie}) == 200
    assert is_idle(callbacks)
    assert statuses(log) == ["queued"]
    assert b"hacked" not in log.path.read_bytes() + Path(f"{log.path}-wal").read_bytes()


def test_a_tune_that_is_not_in_the_log_is_not_fetched(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    submitted(sandbox, log)
    anb.submit(
        anb.Tune(pack=797, title="not in this log", name="cat", image_urls=URLS), sandbox.client(),
        log=anb.ExperimentLog(log.path.with_name("other.sqlite")),
    )  # fmt: skip
    before, events = gets(sandbox), len(log.events())
    for lie in (
        {"tune": {"id": 1000002}},
        {"tune": {"id": 999}},
        [{"id": 5, "tune_id": 999}],
        {"id": -1},
        {},
    ):
        assert post(callbacks.url, lie) == 200
    assert is_idle(callbacks)
    assert gets(sandbox) == before
    assert len(log.events()) == events


def test_a_run_on_a_tune_that_another_log_made_is_known(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    submitted(sandbox, anb.ExperimentLog(log.path.with_name("other.sqlite")))
    run = anb.Tune(pack=797, tune_ids=[1000001], prompt_ids=[797001], **callbacks.fields())
    anb.submit(run, sandbox.client(), log=log)
    sandbox.advance(DAY)
    until(lambda: len(sandbox.deliveries) == 2)
    assert is_idle(callbacks)
    assert log.events()["reply"].dropna().str.contains('"images":["http', regex=False).any()


def test_many_callbacks_for_one_tune_are_few_requests(
    server: ScriptedServer, client: anb.Client, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresher, "MIN_INTERVAL", 0.3)
    server.on("GET", "/tunes/7", reply({**TUNE, "trained_at": "2026-01-01T12:10:00.000Z"}))
    anb.submit(anb.Tune(pack=43, title="t", name="cat", image_urls=URLS), client, log=log)
    with anb.Callbacks(log, client) as callbacks:
        assert is_idle(callbacks)
        before, fetches = time.monotonic(), len(fetches_of_the_tune(server))
        for _ in range(50):
            assert post(callbacks.url, {"tune": {"id": 7}}) == 200
        assert is_idle(callbacks)
        seconds = time.monotonic() - before
    assert 1 <= len(fetches_of_the_tune(server)) - fetches <= seconds / 0.3 + 1
    assert (log.events()["kind"] == "callback").sum() <= 20  # somebody with the secret cannot fill the disk


def fetches_of_the_tune(server: ScriptedServer) -> list[str]:
    return [request.path for request in server.requests if request.path == "/tunes/7"]


def test_a_failed_fetch_is_recorded_and_made_up_for_by_a_poll(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    submitted(sandbox, log)
    sandbox.advance(DAY)
    sandbox.fail("401", "GET /tunes/*")
    assert post(callbacks.url, {"tune": {"id": 1000001}}) == 200
    until(lambda: "was refused" in str(log.events()["problem"].iloc[-1]))
    assert statuses(log) == ["queued"]
    assert len(callbacks.poll()) == 1
    assert statuses(log) == ["trained"]


def test_a_failed_fetch_is_retried(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresher, "_FIRST_RETRY", 0.01)
    submitted(sandbox, log)
    sandbox.advance(DAY)
    sandbox.fail("401", "GET /tunes/*", count=3)
    assert post(callbacks.url, {"tune": {"id": 1000001}}) == 200
    assert is_idle(callbacks)
    assert statuses(log) == ["trained"]
    assert log.events()["problem"].notna().sum() == 1


def test_a_callback_that_outruns_the_reply_is_not_lost(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresher, "_FIRST_RETRY", 0.01)

    class Late(anb.ExperimentLog):
        def change(self, submission: Any, state: str, **news: Any) -> Any:
            if state == "done":  # the service has made it, and we do not know yet
                sandbox.advance(DAY)
                assert post(callbacks.url, {"tune": {"id": 1000001}}) == 200
                time.sleep(0.05)
                assert gets(sandbox) == ["/tunes"]
            return super().change(submission, state, **news)

    submitted(sandbox, Late(log.path))
    assert is_idle(callbacks)
    assert statuses(log) == ["trained"]


def test_lost_callbacks_are_made_up_for_by_a_poll(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    for number in range(6):
        submitted(sandbox, log, title=f"t{number}")
    sandbox.advance(DAY)
    before = len(gets(sandbox))
    polled = callbacks.poll()
    assert polled["status"].tolist() == ["trained"] * 6
    assert len(gets(sandbox)) - before == 1  # one list, and not a request each
    assert (log.events()["kind"] == "poll").sum() == 6
    assert callbacks.poll().empty
    assert len(gets(sandbox)) - before == 1


def test_a_poll_that_finds_nothing_new_records_nothing(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    submitted(sandbox, log, **callbacks.fields())
    callbacks.poll()
    events = len(log.events())
    callbacks.poll()
    assert len(log.events()) == events


def test_a_failed_training_is_found_by_a_poll(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    sandbox.fail("training", "POST /p/*/tunes")
    row = submitted(sandbox, log, **callbacks.fields())
    sandbox.advance(DAY)
    assert callbacks.wait(row, timeout=0.1)["status"].tolist() == ["queued"]
    assert callbacks.wait(row, poll=0.01)["status"].tolist() == ["failed"]


@pytest.mark.parametrize("fault", [("slow", {"seconds": 2.0}), ("429", {"retry_after": "2"})])
def test_a_poll_does_not_prolong_a_wait(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    monkeypatch.setattr("astria_nb.results.callbacks._callbacks._LAST_POLL", 0.3)
    row = submitted(sandbox, log)
    sandbox.advance(DAY)
    kind, options = fault
    sandbox.fail(kind, "GET /tunes*", count=1, **options)
    callbacks = anb.Callbacks(log, sandbox.client())
    assert callbacks.wait(row, poll=0.01, timeout=0.1)["status"].tolist() == [
        "queued"
    ]  # not two seconds later
    assert callbacks.wait(row, poll=0.01, timeout=PATIENCE)["status"].tolist() == ["trained"]


def test_an_error_that_another_poll_cannot_fix_ends_a_wait_that_is_nearly_over(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    row = submitted(sandbox, log)
    sandbox.fail("401", "GET /tunes*")
    with pytest.raises(AstriaError, match=r"^api_key: "):
        anb.Callbacks(log, sandbox.client()).wait(row, poll=0.01, timeout=1)


def test_a_deleted_tune_ends_the_wait(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    row = submitted(sandbox, log)
    sandbox._state.remove_tune(sandbox._state.own_tune(1000001))  # type: ignore[arg-type]
    # It may only not show yet.
    assert callbacks.wait(row, poll=0.01, timeout=0.1)["status"].tolist() == ["queued"]
    sandbox.advance(120)
    after = callbacks.wait(row, poll=0.01, timeout=PATIENCE)
    assert after["status"].tolist() == ["deleted"]
    assert log.frame()["status"].tolist() == ["deleted"]
    assert after.dtypes.equals(row.dtypes)
    assert "is no longer on the account" in str(log.events()["problem"].iloc[-1])
    requests = len(gets(sandbox))
    callbacks.poll()
    assert len(gets(sandbox)) == requests


def test_wait_keeps_the_order_and_the_index_of_its_rows(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    first, second = submitted(sandbox, log), submitted(sandbox, log, title="second", **callbacks.fields())
    run = anb.submit(anb.Tune(pack=797, tune_ids=[1000001]), sandbox.client(), log=log)
    rows = pd.concat([second, run, first])
    sandbox.advance(DAY)
    after = callbacks.wait(rows, poll=0.2)
    assert after["id"].tolist()[::2] == [1000002, 1000001]
    assert after["status"].tolist()[::2] == ["trained", "trained"]
    assert after.index.tolist() == rows.index.tolist()
    with pytest.raises(TuneError, match=r"frame: expected the DataFrame .*, got None"):
        callbacks.wait(None)  # type: ignore[arg-type]


def test_two_receivers_on_one_log_do_not_disturb_each_other(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    with anb.Callbacks(anb.ExperimentLog(log.path), sandbox.client()) as second:
        row = submitted(sandbox, log, callback=callbacks.url, prompts_callback=second.url)
        sandbox.advance(DAY)
        until(lambda: len(sandbox.deliveries) == 2)
        assert [delivery.status for delivery in sandbox.deliveries] == [200, 200]
        assert second.wait(row)["status"].tolist() == callbacks.wait(row)["status"].tolist() == ["trained"]
    assert statuses(log) == ["trained"]


def test_an_older_reply_does_not_undo_a_newer_one(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks
) -> None:
    submitted(sandbox, log)
    client = sandbox.client()
    old = client.tune(1000001)
    sandbox.advance(DAY)
    callbacks.poll()
    log.record_event("callback", tune_id=1000001, service=client.service, reply=old)
    assert statuses(log) == ["trained"]


# Who gets in, and how much.


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "POST"])
@pytest.mark.parametrize(
    "where",
    ["/", "/?secret=", "/?secret=x", "/?secret=a-secret", f"/{SECRET}", "/?token=" + SECRET, "/?secret=%ff"],
)
def test_without_the_secret_nothing_is_revealed(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, callbacks: anb.Callbacks, method: str, where: str
) -> None:
    submitted(sandbox, log)
    before = gets(sandbox), len(log.events())
    body = b'{"tune": {"id": 1000001}}'
    head = f"{method} {where} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    status, *headers = raw(callbacks.url, head + body).decode().split("\r\n")
    assert status == "HTTP/1.1 404 Not Found"
    assert [header for header in headers if not header.startswith("Date: ")] == [
        "Connection: close", "Content-Length: 0", "", "",
    ]  # fmt: skip
    assert is_idle(callbacks)
    assert (gets(sandbox), len(log.events())) == before


def test_even_with_the_secret_only_post_is_accepted(callbacks: anb.Callbacks) -> None:
    for request in (f"GET {target(callbacks.url)} HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n", "POST\r\n\r\n"):
        assert raw(callbacks.url, request.encode()).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"7", b'"text"', b"[" * 100_000, b"\xff\xfe", b'{"a":' * 50_000],
    ids=["nothing", "half", "null", "number", "text", "deep list", "no text", "deep object"],
)
def test_what_is_not_json_is_refused(callbacks: anb.Callbacks, body: bytes) -> None:
    assert post(callbacks.url, body) == 400
    assert post(callbacks.url, {}) == 200


def test_limits_of_size(callbacks: anb.Callbacks) -> None:
    line = f"POST {target(callbacks.url)} HTTP/1.1\r\n"
    for head, status in {
        "Content-Length: 99999999\r\n": b"413",
        "Content-Length: 4194305\r\n": b"413",
        f"Content-Length: {'9' * 5000}\r\n": b"413",
        "": b"411",
        "Content-Length: -1\r\n": b"404",
        "Content-Length: 2\r\nContent-Length: 3\r\n": b"404",
        "Transfer-Encoding: gzip\r\n": b"404",
        "".join(f"X-{number}: 1\r\n" for number in range(200)): b"411",
        f"X: {'x' * 20_000}\r\nContent-Length: 2\r\n": b"404",  # a head of more than 16 KiB
    }.items():
        assert raw(callbacks.url, f"{line}{head}\r\n".encode()).startswith(b"HTTP/1.1 " + status), head
    assert post(callbacks.url, b" " * (4 * 2**20 - 2) + b"{}") == 200


def test_a_chunked_body_is_a_body(callbacks: anb.Callbacks) -> None:
    head = f"POST {target(callbacks.url)} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert raw(callbacks.url, head, b"2\r\n{}\r\n0\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    too_large = b"500000\r\n" + b" " * 0x500000
    assert raw(callbacks.url, head, too_large).startswith((b"HTTP/1.1 413 ", b""))
    assert post(callbacks.url, {}) == 200


def test_a_sender_may_ask_whether_to_send_its_body(callbacks: anb.Callbacks) -> None:
    line = f"POST {target(callbacks.url)} HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    address = ("127.0.0.1", callbacks._receiver.port)  # type: ignore[union-attr]
    with socket.create_connection(address, timeout=PATIENCE) as polite, polite.makefile("rb") as answer:
        polite.sendall(line.encode())
        assert answer.read(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        polite.sendall(b"{}")
        assert answer.readline().startswith(b"HTTP/1.1 200 ")
    too_large = line.replace("Length: 2", "Length: 4194305").encode()
    assert raw(callbacks.url, too_large).startswith(b"HTTP/1.1 413 ")


def test_a_large_body_of_a_stranger_is_not_read(callbacks: anb.Callbacks) -> None:
    head = b"POST /?secret=x HTTP/1.1\r\nContent-Length: 65537\r\n\r\n"
    assert raw(callbacks.url, head).startswith(b"HTTP/1.1 404 ")


def test_a_sender_that_drips_is_cut_off(
    callbacks: anb.Callbacks, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server_module, "SECONDS", 0.3)
    line = f"POST {target(callbacks.url)} HTTP/1.1\r\nContent-Length: 1000000\r\n".encode()
    for start, piece in ((line, b"X: 1\r\n"), (line + b"\r\n", b"x")):
        with socket.create_connection(("127.0.0.1", callbacks._receiver.port)) as slow:  # type: ignore[union-attr]
            slow.sendall(start)
            with pytest.raises(ConnectionError):
                until(lambda connection=slow, drop=piece: connection.sendall(drop))
    assert capfd.readouterr() == ("", "")  # a slow sender must not print below a cell


def test_slow_senders_do_not_keep_a_quick_one_out(callbacks: anb.Callbacks) -> None:
    address = ("127.0.0.1", callbacks._receiver.port)  # type: ignore[union-attr]
    slow = [socket.create_connection(address) for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(b"POST /")
        assert post(callbacks.url, {}) == 200
    finally:
        for connection in slow:
            connection.close()


def test_a_flood_is_slowed_down(
    callbacks: anb.Callbacks, monkeypatch: pytest.MonkeyPatch, sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    monkeypatch.setattr(receiver, "BURST", 3)
    monkeypatch.setattr(receiver, "RATE", 0.0)
    with anb.Callbacks(log, sandbox.client()) as strict:
        assert [post(strict.url, {}) for _ in range(5)] == [200, 200, 200, 429, 429]
        monkeypatch.setattr(strict._receiver._rate_limit, "_rate", 50.0)  # type: ignore[union-attr]
        until(lambda: post(strict.url, {}) == 200)


def test_stop_frees_the_port_and_start_takes_it_again(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    callbacks = anb.Callbacks(log, sandbox.client(), port=port, secret=SECRET)
    with pytest.raises(AstriaError, match="callbacks: have no address yet"):
        _ = callbacks.url
    with callbacks:
        assert callbacks.start() is callbacks
        with pytest.raises(AstriaError, match=rf"port: {port} cannot be used \([^()]*\); choose another"):
            anb.Callbacks(log, sandbox.client(), port=port).start()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    callbacks.stop()
    row = submitted(sandbox, log, callback=f"http://127.0.0.1:{port}/?secret={SECRET}")
    with callbacks:
        sandbox.advance(DAY)
        assert callbacks.wait(row)["status"].tolist() == ["trained"]


def test_stop_closes_connections_that_are_still_sending(callbacks: anb.Callbacks) -> None:
    with socket.create_connection(("127.0.0.1", callbacks._receiver.port), timeout=PATIENCE) as slow:  # type: ignore[union-attr]
        slow.sendall(b"POST /")
        time.sleep(0.1)
        callbacks.stop()
        assert slow.recv(10) == b""


def test_stop_answers_a_callback_that_is_being_processed() -> None:
    is_processing, secret = threading.Event(), Secret(SECRET)

    def process(_: bytes) -> int:
        is_processing.set()
        time.sleep(0.2)
        return 200

    running = receiver.Receiver(0, secret, process)
    running.start()
    with ThreadPoolExecutor(1) as pool:
        status = pool.submit(post, secret.added_to(f"http://127.0.0.1:{running.port}/"), {})
        assert is_processing.wait(PATIENCE)
        running.stop()
        assert status.result() == 200


def test_what_was_missed_is_fetched_on_the_next_start(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    with anb.Callbacks(log, sandbox.client()) as callbacks:
        row = submitted(sandbox, log, **callbacks.fields())
    sandbox.advance(DAY)  # nobody listens
    with anb.Callbacks(log, sandbox.client()) as callbacks:
        assert callbacks.wait(row, timeout=PATIENCE, poll=DAY)["status"].tolist() == ["trained"]


KERNEL = """
import sys, time
import astria_nb as anb

url, key, path = sys.argv[1:]
client = anb.Client(key, base_url=url, timeout=3600)
callbacks = anb.Callbacks(anb.ExperimentLog(path), client).start()
import urllib.request
for _ in range(20):
    urllib.request.urlopen(callbacks.url, b'{"tune": {"id": 7}}').read()
print("ends", flush=True)
"""


def test_a_process_can_end_while_it_listens_and_fetches(
    server: ScriptedServer, log: anb.ExperimentLog
) -> None:
    client = anb.Client(KEY, base_url=server.url)
    anb.submit(anb.Tune(pack=43, title="t", name="cat", image_urls=URLS), client, log=log)
    server.on("GET", "/tunes/7", silence)
    done = subprocess.run(
        [*python(), "-c", textwrap.dedent(KERNEL), server.url, KEY, str(log.path)],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == ("ends\n", "", 0)
    assert (log.events()["kind"] == "callback").sum() >= 1  # on the disk before it was answered


# The secret.


def as_text(thing: Any) -> str:
    return f"{thing!r} {thing} {thing:} "


def test_the_secret_is_shown_nowhere(
    sandbox: anb.Sandbox,
    log: anb.ExperimentLog,
    callbacks: anb.Callbacks,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    row = submitted(sandbox, log, **callbacks.fields(num_images=2))
    sandbox.advance(DAY)
    waited = callbacks.wait(row)
    until(lambda: len(sandbox.deliveries) == 4)
    assert is_idle(callbacks)
    post(callbacks.url.replace("secret=", "secret=x"), {})
    tune = anb.Tune(pack=797, title="x", name="cat", image_urls=URLS, **callbacks.fields())
    prompts = anb.prompts(waited, sandbox.client())
    assert prompts["callback"].str.endswith("?secret=…").all()
    frames = [row, waited, callbacks.poll(), log.frame(), log.events(), prompts]
    texts = [as_text(callbacks), as_text(tune), str(vars(callbacks)), as_text(log.get(1))]
    texts += [frame.to_csv() + frame.to_html() for frame in frames]
    texts += [*capfd.readouterr(), caplog.text]
    for path in log.path.parent.iterdir():
        texts.append(path.read_bytes().decode("latin-1"))
    log.export(log.path.with_name("runs.csv"))
    texts.append(log.path.with_name("runs.csv").read_text())
    assert [text[:200] for text in texts if SECRET in text] == []
    assert "secret=…" in "".join(texts)
    with pytest.raises(TypeError, match="hold a secret"):
        pickle.dumps(callbacks)
    with pytest.raises(TypeError, match="a secret cannot be pickled"):
        pickle.dumps(callbacks._secret)


CELLS = [
    """
    import os
    import astria_nb as anb
    client, log = anb.Client(), anb.ExperimentLog("log.sqlite")
    callbacks = anb.Callbacks(log, client, secret=os.environ["CALLBACK_SECRET"]).start()
    callbacks""",
    """
    source = {"image_urls": ["https://example.com/1.jpg"], "prompt_ids": [797001]}
    tune = anb.Tune(pack=797, title="t", name="cat", **source, **callbacks.fields())
    tune""",
    "row = anb.submit(tune, client, log=log); row, row.to_dict()",
    "row = callbacks.wait(row); row, row.to_dict(), vars(callbacks)",
    "anb.wait(row, client, until='prompts')",
    "anb.prompts(row, client).to_dict()",
    "log.frame().to_dict(), log.events().to_dict(), log.get(1)",
    """
    import urllib.parse
    taken = urllib.parse.urlsplit(callbacks.url).port
    anb.Callbacks(log, client, port=taken, secret=os.environ["CALLBACK_SECRET"]).start()""",
    "callbacks.stop()",
]


def test_a_saved_notebook_does_not_have_the_secret(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(textwrap.dedent(cell).strip()) for cell in CELLS]
    book = nbformat.v4.new_notebook(cells=cells)
    runner = NotebookClient(
        book, kernel_name="python3", timeout=PATIENCE, allow_errors=True, store_widget_state=True,
        resources={"metadata": {"path": str(tmp_path)}},
    )  # fmt: skip
    with anb.Sandbox(speed=1000) as sandbox:
        keys = {"ASTRIA_API_KEY": sandbox.api_key, "ASTRIA_BASE_URL": sandbox.url}
        runner.execute(env={**os.environ, **keys, "CALLBACK_SECRET": SECRET})
        assert {delivery.status for delivery in sandbox.deliveries} == {200}
    outputs = [output for cell in book.cells for output in cell.outputs]
    assert [output.ename for output in outputs if output.output_type == "error"] == ["AstriaError"]
    saved = nbformat.writes(book)
    assert "'status': {0: 'trained'}" in saved
    assert "Waiting for callbacks" in json.dumps(book.metadata.widgets)
    assert "?secret=…" in saved
    assert SECRET not in saved


def test_a_fresh_secret_is_long_and_new_each_time(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    secrets = set()
    for _ in range(3):
        with anb.Callbacks(log, sandbox.client()) as callbacks:
            secrets.add(callbacks.url.partition("?secret=")[2])
    assert len(secrets) == 3
    assert {len(secret) for secret in secrets} == {43}


@pytest.mark.parametrize("secret", ["", "short", "with a space in the middle", "ä" * 30, 7, "x" * 300])
def test_a_weak_secret_is_refused_without_being_repeated(sandbox: anb.Sandbox, secret: Any) -> None:
    with pytest.raises(AstriaError, match="secret: is not text of 20 to 200") as caught:
        anb.Callbacks(client=sandbox.client(), secret=secret)
    assert not secret or str(secret) not in str(caught.value).replace("20 to 200", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "public_url: is missing, and api.astria.ai cannot reach this machine; start a tunnel"),
        ({"public_url": "example.com"}, "public_url: 'example.com' is not a web address"),
        ({"public_url": "http://example.com"}, "would send the secret unencrypted"),
        ({"public_url": "https://example.com/#top"}, "has a part after #"),
        ({"public_url": "https://example.com", "port": 70_000}, "port: 70000 is not a port"),
    ],
)
def test_an_address_that_cannot_work_is_refused(options: Any, message: str) -> None:
    with pytest.raises(AstriaError, match=message):
        anb.Callbacks(client=anb.Client(KEY, base_url="https://api.astria.ai"), **options)


@pytest.mark.parametrize(
    ("public_url", "url"),
    [
        ("https://example.com", f"https://example.com?secret={SECRET}"),
        ("https://example.com/hook", f"https://example.com/hook?secret={SECRET}"),
        ("https://example.com/hook?user=7", f"https://example.com/hook?user=7&secret={SECRET}"),
    ],
)
def test_the_address_of_a_tunnel_is_what_the_service_is_told(public_url: str, url: str) -> None:
    client = anb.Client(KEY, base_url="https://api.astria.ai")
    callbacks = anb.Callbacks(client=client, public_url=public_url, secret=SECRET)
    assert callbacks.url == url
    assert callbacks.fields(num_images=2) == {
        "callback": url, "prompts_callback": url, "prompt_attributes": {"num_images": 2, "callback": url},
    }  # fmt: skip
