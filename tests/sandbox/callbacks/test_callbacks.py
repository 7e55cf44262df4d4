"""Callbacks: what is sent and where, and that a bad receiver does not affect the others."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from astria_nb.sandbox import SandboxServer
from helpers.waiting import PATIENCE, until
from sandbox.helpers.api import Api


class Receiver(ThreadingHTTPServer):
    """Records what it receives; `/hang` never answers, `/move` redirects, `/fail` answers 500."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.got: list[tuple[str, str | None, object]] = []
        self.released: list[str] = []
        self.release = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def bodies(self, path: str) -> list[object]:
        return [body for sent_to, _, body in self.got if sent_to == path]


class _Hook(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((self.path, self.headers["Content-Type"], body))
        if self.path.startswith("/hang"):
            self.server.release.wait(PATIENCE)
            self.server.released.append(self.path)
        self.send_response({"/move": 307, "/fail": 500}.get(self.path, 200))
        self.send_header("Location", self.server.url("/elsewhere"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


def finish(api: Api) -> None:
    """Poll often enough for everything to be done."""
    for _ in range(8):
        api.get("/tunes")


def run(api: Api, receiver: Receiver, **paths: str) -> None:
    hooks = {name: receiver.url(path) for name, path in paths.items()}
    prompt_hook = hooks.pop("prompt", None)
    attributes = {"prompt_attributes": {"callback": prompt_hook}} if prompt_hook else {}
    assert api.train(prompt_ids=[43001, 43002], **hooks, **attributes).status_code == 201


def test_each_is_sent_once_in_the_documented_shape(api: Api, receiver: Receiver) -> None:
    run(api, receiver, callback="/tune?user_id=1", prompt="/prompt", prompts_callback="/all")
    time.sleep(0.1)
    assert receiver.got == []
    finish(api)
    until(lambda: len(api.sandbox.deliveries) == 4)
    (tune,) = receiver.bodies("/tune?user_id=1")
    assert (tune["tune"]["id"], tune["tune"]["trained_at"]) == (1000001, "2026-01-01T12:10:00.000Z")  # type: ignore[index]
    prompts = [body["prompt"] for body in receiver.bodies("/prompt")]  # type: ignore[index]
    assert [(prompt["id"], len(prompt["images"])) for prompt in prompts] == [(5000001, 1), (5000002, 1)]
    (everything,) = receiver.bodies("/all")
    assert [prompt["id"] for prompt in everything] == [5000001, 5000002]  # type: ignore[attr-defined]
    assert {kind for _, kind, _ in receiver.got} == {"application/json"}
    assert {delivery.status for delivery in api.sandbox.deliveries} == {200}


def test_bare_bodies_on_request(receiver: Receiver) -> None:
    with SandboxServer(deterministic=True, callback_body="bare") as sandbox, Api(sandbox) as api:
        run(api, receiver, callback="/tune", prompt="/prompt")
        finish(api)
        until(lambda: len(receiver.got) == 3)
        assert [body["id"] for body in receiver.bodies("/tune")] == [1000001]  # type: ignore[index]
        assert [body["id"] for body in receiver.bodies("/prompt")] == [5000001, 5000002]  # type: ignore[index]


def test_callbacks_are_sent_by_themselves_in_real_time(receiver: Receiver) -> None:
    with SandboxServer(speed=6000) as sandbox, Api(sandbox) as api:
        run(api, receiver, callback="/tune", prompts_callback="/all")
        until(lambda: len(receiver.got) == 2)


def test_a_failure_or_a_redirect_is_neither_retried_nor_followed(api: Api, receiver: Receiver) -> None:
    run(api, receiver, callback="/fail", prompts_callback="/move")
    finish(api)
    until(lambda: len(api.sandbox.deliveries) == 2)
    assert sorted(path for path, _, _ in receiver.got) == ["/fail", "/move"]
    assert {(delivery.event, delivery.status) for delivery in api.sandbox.deliveries} == {
        ("tune", 500),
        ("prompts", 307),
    }


def test_a_receiver_that_hangs_delays_nothing_else(receiver: Receiver) -> None:
    with SandboxServer(deterministic=True) as sandbox, Api(sandbox) as api:
        run(api, receiver, callback="/hang", prompt="/prompt", prompts_callback="/all")
        finish(api)
        until(lambda: len(receiver.got) == 4 and len(sandbox.deliveries) == 3)
    assert receiver.released == []  # stopping did not wait for its answer


@pytest.mark.parametrize(
    "url",
    ["http://192.0.2.1/hook", "https://example.com/hook", "ftp://127.0.0.1/x", "nonsense", "http://[x/"],
)
def test_nothing_is_sent_to_other_machines(api: Api, url: str) -> None:
    api.train(callback=url)
    finish(api)
    until(lambda: api.sandbox.deliveries)
    (delivery,) = api.sandbox.deliveries
    assert (delivery.event, delivery.url, delivery.status) == ("tune", url, None)
    assert delivery.error


@pytest.mark.parametrize(
    ("order", "events"),
    [
        ("prompt_first", ["tune", "prompt", "prompt", "prompts"]),
        ("prompts_first", ["tune", "prompt", "prompts", "prompt"]),
    ],
)
def test_the_order_of_the_last_two_callbacks(receiver: Receiver, order: str, events: list[str]) -> None:
    with SandboxServer(deterministic=True, callback_order=order) as sandbox, Api(sandbox) as api:
        run(api, receiver, callback="/x?tune", prompt="/x?prompt", prompts_callback="/x?prompts")
        sandbox.advance(3600)
        until(lambda: len(receiver.got) == 4)
        assert [path.partition("?")[2] for path, _, _ in receiver.got] == events


@pytest.mark.parametrize(("choice", "events"), [(False, []), (True, ["tune", "prompt", "prompt", "prompts"])])
def test_whether_a_failure_is_announced(receiver: Receiver, choice: bool, events: list[str]) -> None:
    options = {"callback_on_failure": choice, "failed_tune_prompts": "user_error" if choice else "pending"}
    with SandboxServer(deterministic=True, **options) as sandbox, Api(sandbox) as api:
        sandbox.fail("training")
        run(api, receiver, callback="/x?tune", prompt="/x?prompt", prompts_callback="/x?prompts")
        run(api, receiver, callback="/end")
        sandbox.advance(3600)
        until(lambda: receiver.bodies("/end"))
        until(lambda: len(receiver.got) == len(events) + 1)
        paths = [path.partition("?")[2] for path, _, _ in receiver.got if path != "/end"]
        assert paths == events


def test_no_callback_is_sent_for_deleted_objects(api: Api, receiver: Receiver) -> None:
    run(api, receiver, callback="/tune", prompt="/prompt", prompts_callback="/all")
    api.delete("/prompts/5000001")
    api.delete("/tunes/1000001")
    api.sandbox.advance(3600)
    until(lambda: len(api.sandbox.deliveries) == 4)
    assert receiver.bodies("/tune") == []
    assert [body["prompt"]["id"] for body in receiver.bodies("/prompt")] == [5000002]  # type: ignore[index]
    assert [[prompt["id"] for prompt in body] for body in receiver.bodies("/all")] == [[5000002]]  # type: ignore
