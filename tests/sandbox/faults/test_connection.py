"""Faults of the connection: resets, answers that are delayed, drip or break off, and a stop in the middle."""

import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from astria_nb.sandbox import SandboxServer
from helpers.waiting import PATIENCE, until
from sandbox.helpers.api import Api
from sandbox.helpers.pack_runs import RUN, Run, as_json, as_multipart, only, raw

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture(params=[as_json, as_multipart], ids=["json", "multipart"])
def run(request: pytest.FixtureRequest) -> Run:
    return request.param  # type: ignore[no-any-return]


def curl(sandbox: SandboxServer, *options: str) -> subprocess.CompletedProcess[str]:
    command = ["curl", "-sS", "-H", f"Authorization: Bearer {sandbox.api_key}"]
    fields = ["tune[title]=t", "tune[name]=man", "tune[image_urls][]=http://a/b"]
    command += [word for field in fields for word in ("-F", field)]
    return subprocess.run(
        [*command, *options, f"{sandbox.url}/p/43/tunes"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("at", ["before", "during", "after", "reply"])
def test_a_reset_leaves_no_answer_and_creates_a_tune_only_at_the_reply(api: Api, run: Run, at: str) -> None:
    api.sandbox.fail("reset", RUN, at=at)
    with pytest.raises(requests.RequestException):
        run(api)
    struck = only(api.sandbox)
    assert struck.fault == "reset"
    assert (struck.complete, struck.status) == (at in ("after", "reply"), 201 if at == "reply" else None)
    assert struck.tune_ids == ((1000001,) if at == "reply" else ())
    assert len(api.get("/tunes").json()) == (1 if at == "reply" else 0)


def test_a_reset_after_the_body_may_come_after_the_tune_was_made(api: Api, run: Run) -> None:
    api.sandbox.fail("reset", commit="yes")
    with pytest.raises(requests.ConnectionError):
        run(api)
    assert (only(api.sandbox).status, only(api.sandbox).tune_ids) == (None, (1000001,))


@pytest.mark.parametrize(
    ("at", "head", "sent", "read"),
    [
        ("before", "Content-Length: 400000", b"x" * 400, 0),
        ("during", "Content-Length: 400000", b"x" * 200_000, 200_000),
        ("during", "Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n", 5),
        ("during", "Content-Length: 0", b" ", 0),
        ("after", "Content-Length: 400000", b"x" * 400_000, 400_000),
    ],
)
def test_a_reset_comes_at_its_point_of_the_body(
    sandbox: SandboxServer, at: str, head: str, sent: bytes, read: int
) -> None:
    sandbox.fail("reset", at=at)
    with raw(sandbox, sent, head) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert only(sandbox).body_bytes == read


def test_a_reset_in_the_reply_leaves_half_of_it(sandbox: SandboxServer) -> None:
    sandbox.fail("reset", at="reply", after=1)
    answers = []
    for _ in range(2):
        with raw(sandbox) as connection:
            answers.append(b"")
            try:
                while b"orig_images" not in answers[-1]:
                    piece = connection.recv(65536)
                    assert piece, "an orderly end"
                    answers[-1] += piece
            except ConnectionResetError:
                pass
    whole, half = map(len, answers)
    assert answers[1].startswith(b"HTTP/1.1 201 CREATED\r\n")
    assert half == whole // 2


def test_a_slow_answer_outlasts_a_clients_patience(api: Api, run: Run) -> None:
    api.sandbox.fail("slow", RUN, seconds=3600)
    connection = Api(api.sandbox)
    with connection, pytest.raises(requests.ReadTimeout):
        connection.post("/p/43/tunes", json={"tune": {"tune_ids": []}}, timeout=0.2)
    until(lambda: api.sandbox.ledger)
    api.sandbox.fail("slow", RUN, seconds=0.05)
    assert run(api).status_code == 201
    slow, waited = api.sandbox.ledger
    assert (slow.status, waited.status) == (None, 201)


def test_a_drip_comes_byte_by_byte(sandbox: SandboxServer) -> None:
    sandbox.fail("drip", seconds=3600)
    with raw(sandbox) as connection:
        assert connection.recv(65536) == b"H"
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(65536)
    assert only(sandbox).tune_ids == (1000001,)


def test_a_drip_brings_the_whole_answer(api: Api, run: Run) -> None:
    api.sandbox.fail("drip", RUN, seconds=0.0005)
    assert run(api).json()["id"] == 1000001


def test_a_truncated_answer_that_promised_more_is_noticed(api: Api, run: Run) -> None:
    api.sandbox.fail("truncated", RUN)
    with pytest.raises(requests.RequestException, match="IncompleteRead"):
        run(api)
    assert (only(api.sandbox).status, only(api.sandbox).tune_ids) == (201, (1000001,))


def test_a_truncated_answer_without_a_length_looks_whole(api: Api, run: Run) -> None:
    api.sandbox.fail("truncated", RUN, length="omitted")
    reply = run(api)
    assert (reply.status_code, reply.headers["Connection"]) == (201, "close")
    assert "Content-Length" not in reply.headers
    assert reply.text.startswith('{"id":1000001,')
    with pytest.raises(requests.JSONDecodeError):
        reply.json()
    assert len(api.get("/tunes").json()) == 1


def _slow(sandbox: SandboxServer) -> None:
    sandbox.fail("slow", seconds=3600)


def _drip(sandbox: SandboxServer) -> None:
    sandbox.fail("drip", seconds=3600)


def _late(sandbox: SandboxServer) -> None:
    sandbox.fail("504", commit="late", seconds=3600)


@pytest.mark.parametrize("fail", [_slow, _drip, _late])
def test_stop_does_not_wait_for_faults(fail: Callable[[SandboxServer], None]) -> None:
    threads = set(threading.enumerate())
    sandbox = SandboxServer().start()
    fail(sandbox)
    with raw(sandbox):
        until(lambda: sandbox.ledger and (sandbox.received() or only(sandbox).status))
        stopping = threading.Thread(target=sandbox.stop)
        stopping.start()
        stopping.join(PATIENCE)
        assert not stopping.is_alive()
    assert set(threading.enumerate()) == threads
    assert len(sandbox.received()) == (fail is not _late)


@needs_curl
@pytest.mark.parametrize(
    ("kind", "rule", "exit_code", "status"),
    [
        ("503", {"commit": "yes"}, 0, "503"),
        ("429", {"retry_after": "3"}, 0, "429"),
        ("reset", {"at": "during"}, 56, "000"),
        ("reset", {"at": "after", "commit": "yes"}, 56, "000"),
        ("reset", {"at": "reply"}, 56, "201"),
        ("truncated", {}, 18, "201"),
        ("truncated", {"length": "omitted"}, 0, "201"),
        ("drip", {"seconds": 0}, 0, "201"),
    ],
)
def test_curl_meets_the_same_faults(
    sandbox: SandboxServer, kind: str, rule: dict[str, object], exit_code: int, status: str
) -> None:
    sandbox.fail(kind, RUN, **rule)
    done = curl(sandbox, "-o", "/dev/null", "-w", "%{http_code}")
    assert (done.returncode, done.stdout) == (exit_code, status), done.stderr
    creates = not {"429", "during"} & {kind, str(rule.get("at"))}
    assert len(sandbox.received()) == creates


@needs_curl
def test_curl_that_expects_100_continue_uploads_to_the_end(sandbox: SandboxServer, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 3_000_000)
    sandbox.fail("504", RUN)
    big = f"tune[images][]=@{tmp_path}/big"
    done = curl(sandbox, "-F", big, "-H", "Expect: 100-continue", "-o", "/dev/null", "-w", "%{http_code}")
    assert done.stdout == "504"
    assert only(sandbox).complete
    assert only(sandbox).body_bytes > 3_000_000
