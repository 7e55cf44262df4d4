"""Whatever happens to callbacks, and whoever sends them, the log has the service's replies only."""

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import astria_nb as anb
from astria_nb.results.callbacks import _refresher as refresher
from astria_nb.utils.redaction import redact_json
from helpers.callback_senders import post
from helpers.soak import sizes
from helpers.waiting import until

DAY = 86_400.0
LIES: dict[str, Any] = {
    "title": "forged", "name": "forged", "status": "trained", "trained_at": "2020-01-01T00:00:00.000Z",
    "failed_at": "2020-01-01T00:00:00.000Z", "updated_at": "2999-01-01T00:00:00.000Z", "text": "<lora:1:1>",
    "images": ["https://forged.example/1"], "tunes": [{"id": 1}], "tune_id": 1504944, "callback": "forged",
}  # fmt: skip
# Chosen by index: hypothesis keeps a repr of every value that it draws from.
RUBBISH = [
    b"",
    b"{",
    b"null",
    b"[[[[[[[]]]]]]]",
    b"[" * 20_000,
    b"\xff",
    b" " * (4 * 2**20 + 1),
    b'{"id": 1e999}',
]


class Relay(ThreadingHTTPServer):
    """Stands between the service and the receiver, like a tunnel, and holds back the callbacks."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Keep)
        self.kept: list[bytes] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        thread.start()
        yield
        self.shutdown()
        thread.join()
        self.server_close()


class _Keep(BaseHTTPRequestHandler):
    server: Relay

    def do_POST(self) -> None:
        self.server.kept.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Witness(anb.Client):
    """A client that keeps every reply of the service."""

    def __init__(self, sandbox: anb.Sandbox) -> None:
        super().__init__(sandbox.api_key, base_url=sandbox.url)
        self.tune_replies: list[dict[str, Any]] = []
        self.prompt_replies: list[dict[str, Any]] = []

    def tune(self, id: int) -> dict[str, Any]:  # noqa: A002  the API's own name
        entity = super().tune(id)
        self.tune_replies.append(redact_json(entity))
        return entity

    def tunes(self, **query: Any) -> Iterator[dict[str, Any]]:
        for entity in super().tunes(**query):
            self.tune_replies.append(redact_json(entity))
            yield entity

    def prompts(self, tune_id: int) -> Iterator[dict[str, Any]]:
        for entity in super().prompts(tune_id):
            self.prompt_replies.append(redact_json(entity))
            yield entity


class World:
    """One sandbox and one relay for many stories, a log for fifty; each has its own receiver and tunes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.numbers = folder, count(1)
        self.counts: Counter[str] = Counter()
        self._log: anb.ExperimentLog | None = None
        self._open = ExitStack()

    def __enter__(self) -> "World":
        self.sandbox = self._open.enter_context(anb.Sandbox(deterministic=True))
        self.relay = Relay()
        self._open.enter_context(self.relay.running())
        return self

    def __exit__(self, *error: object) -> None:
        self.close_log()
        self._open.close()

    def log(self, number: int) -> anb.ExperimentLog:
        """Return the log for a story; shared, as creating a file takes longer than a story."""
        if self._log is None or number % 50 == 0:
            self.close_log()
            self._log = anb.ExperimentLog(self.folder / f"{number}.sqlite")
        return self._log

    def close_log(self) -> None:
        if self._log is not None:
            self._log.close()

    def now(self) -> str:
        moment = self.sandbox._state._clock.now() / 1000
        return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def pass_time(self, seconds: float) -> None:
        """Move the service's clock, and let its callbacks reach the relay."""
        self.sandbox.advance(seconds)
        self.let_callbacks_leave()

    def let_callbacks_leave(self) -> None:
        courier, clock = self.sandbox._courier, self.sandbox._state._clock
        courier.wake()
        until(lambda: not courier._lanes and not (courier._jobs and clock.until(courier._jobs[0].due) == 0))


class Story(RuleBasedStateMachine):
    """What may happen, in any order."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.number = next(self.world.numbers)
        self.log = self.world.log(self.number)
        self.sender, self.client = self.world.sandbox.client(), Witness(self.world.sandbox)
        self.callbacks = anb.Callbacks(self.log, self.client).start()
        self.world.relay.kept.clear()
        self.sent: list[bytes] = []
        self.ids: list[int] = []
        self.seen_events = 0
        self.new_events()

    @initialize(fails=st.sampled_from([False, False, False, True]))
    def submit_one(self, fails: bool) -> None:
        self.submit(fails, prompts=True)

    @precondition(lambda self: len(self.ids) < 3)
    @rule(fails=st.booleans(), prompts=st.booleans())
    def submit_another(self, fails: bool, prompts: bool) -> None:
        self.submit(fails, prompts)

    def submit(self, fails: bool, prompts: bool) -> None:
        self.world.counts["tunes"] += 1
        self.world.sandbox.heal()
        if fails:
            self.world.sandbox.fail("training", "POST /p/*/tunes")
        relay = self.world.relay.url
        hooks = {"prompts_callback": relay, "prompt_attributes": {"callback": relay}} if prompts else {}
        tune = anb.Tune(
            pack=797, title=f"{self.number}.{len(self.ids)}", name="cat", prompt_ids=[797001],
            image_urls=["https://example.com/1.jpg"], callback=f"{relay}?run={self.number}", **hooks,
        )  # fmt: skip
        self.ids.append(int(anb.submit(tune, self.sender, log=self.log).loc[0, "id"]))

    @rule(seconds=st.sampled_from([700.0, 290.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @rule()
    def the_next_one_comes(self) -> None:
        self.deliver(at=0, times=1)

    @rule(at=st.integers(1, 99))
    def a_later_one_comes_first(self, at: int) -> None:
        self.deliver(at, times=1)

    @rule(at=st.integers(0, 99), times=st.integers(2, 3))
    def one_comes_again_and_again(self, at: int, times: int) -> None:
        self.deliver(at, times)

    @rule(at=st.integers(0, 99))
    def one_is_lost(self, at: int) -> None:
        self.deliver(at, times=0)

    def deliver(self, at: int, times: int) -> None:
        """Deliver one of the pending callbacks some times; without any, let time pass first."""
        undelivered = self.world.relay.kept
        if not undelivered:
            self.world.pass_time(700.0)
        if undelivered:
            self.sent.append(undelivered.pop(at % len(undelivered)))
            for _ in range(times):
                assert post(self.callbacks.url, self.sent[-1]) == 200
            self.world.counts["arrived" if times else "lost"] += 1

    @precondition(lambda self: self.sent)
    @rule(at=st.integers(0, 99))
    def an_old_one_is_repeated(self, at: int) -> None:
        assert post(self.callbacks.url, self.sent[at % len(self.sent)]) == 200
        self.world.counts["repeated"] += 1

    @rule(
        at=st.integers(0, 99),
        foreign=st.sampled_from([0, 1, -1, 10**6, 2**63, 2**70]),
        lies=st.sets(st.sampled_from(sorted(LIES))),
        wrapper=st.sampled_from(["", "tune", "prompt", "prompts"]),
        knows=st.booleans(),
    )
    def somebody_lies(self, at: int, foreign: int, lies: set[str], wrapper: str, knows: bool) -> None:
        number = self.ids[at % len(self.ids)] if self.ids and not foreign else self.a_stranger(foreign)
        entity = {"id": number, **{name: LIES[name] for name in lies}}
        body: Any = {wrapper: [entity] if wrapper == "prompts" else entity} if wrapper else entity
        url = self.callbacks.url if knows else self.callbacks.url[:-1]
        self.world.counts["lies"] += 1
        before = len(self.world.sandbox.ledger)
        assert post(url, body) == (200 if knows else 404)
        if foreign or not knows:
            assert self.callbacks._refresher.wait_until_idle(60)
            assert len(self.world.sandbox.ledger) == before  # costs the service nothing

    @rule(at=st.sampled_from(range(len(RUBBISH))))
    def rubbish_arrives(self, at: int) -> None:
        with suppress(ConnectionError):  # what is too large is not read to its end
            assert post(self.callbacks.url, RUBBISH[at]) in (200, 400, 413)

    @rule(kind=st.sampled_from(["401", "500", "truncated"]))
    def the_service_fails_once(self, kind: Any) -> None:
        self.world.sandbox.fail(kind, "GET /tunes/*")

    @rule()
    def somebody_polls(self) -> None:
        self.world.sandbox.heal()
        self.callbacks.poll()
        self.world.counts["polls"] += 1

    @rule()
    def the_kernel_restarts(self) -> None:
        self.world.sandbox.heal()
        self.callbacks.stop()
        self.callbacks = anb.Callbacks(self.log, self.client).start()

    @invariant()
    def the_log_has_only_what_the_service_said(self) -> None:
        self.world.counts["steps"] += 1
        refresher_thread = self.callbacks._refresher
        assert refresher_thread.wait_until_idle(60), vars(refresher_thread)
        self.world.let_callbacks_leave()
        for kind, reply in self.new_events():
            content = json.loads(reply)
            if kind in ("callback", "poll"):
                recorded_by_service = (
                    self.client.prompt_replies if isinstance(content, list) else self.client.tune_replies
                )
                assert all(
                    entity in recorded_by_service
                    for entity in (content if isinstance(content, list) else [content])
                )
        for number in self.ids:
            record = self.record(number)
            last = [tune for tune in self.client.tune_replies if tune["id"] == number][-1:]
            # The service's latest reply, even if an older one was recorded after it.
            assert all(record[key] == value for tune in last for key, value in tune.items())
            truth = self.world.sandbox._state.own_tune(number)
            assert truth is not None
            assert record["title"] == truth.title
            ended = max(record.get("trained_at") or "", record.get("failed_at") or "")
            assert ended <= self.world.now()
            assert not (record.get("trained_at") and truth.fails)

    def teardown(self) -> None:
        self.world.sandbox.heal()
        if self.ids:
            self.callbacks._refresher.refresh_unfinished()  # as `poll`, which makes a frame of it
            self.the_log_has_only_what_the_service_said()
            self.world.pass_time(DAY)  # and its callbacks are lost
            self.callbacks._refresher.refresh_unfinished()
        for number in self.ids:
            truth = redact_json(anb.Client.tune(self.client, number))
            assert {key: self.record(number)[key] for key in truth} == truth
            assert truth.get("trained_at") or truth.get("failed_at")
        self.callbacks.stop()
        self.client.close()
        self.client.tune_replies.clear()  # megabytes: thousands of stories live on in their runner
        self.client.prompt_replies.clear()
        self.sender.close()

    def a_stranger(self, number: int) -> int:
        return number or 1

    def record(self, number: int) -> dict[str, Any]:
        submission = self.log.of_tune(self.client.service, number)
        assert submission is not None
        assert submission.record is not None
        return submission.record

    def new_events(self) -> list[tuple[str, str]]:
        if not self.log.path.exists():
            return []
        with closing(sqlite3.connect(self.log.path)) as connection:
            rows = connection.execute(
                "SELECT event.id, kind, json FROM event JOIN body ON sha256 = reply WHERE event.id > ?",
                [self.seen_events],
            ).fetchall()
        self.seen_events = max([self.seen_events, *(row[0] for row in rows)])
        return [(kind, reply) for _, kind, reply in rows]


@pytest.mark.slow
@sizes(12, 5000)
def test_whatever_happens_the_log_converges_and_never_has_a_lie(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresher, "MIN_INTERVAL", 0.0)
    monkeypatch.setattr(refresher, "_FIRST_RETRY", 0.001)
    with World(tmp_path) as world:
        story = type("Bound", (Story,), {"world": world})
        # Hypothesis draws which steps a story has; now and then, few of them are arrivals.
        for _ in range(4):
            run_state_machine_as_test(
                story,
                settings=settings(
                    max_examples=size, stateful_step_count=12, deadline=None, database=None,
                    phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
                ),
            )  # fmt: skip
            if world.counts["arrived"] > size / 4:
                break
        print(f"{size} stories:", ", ".join(f"{number} {name}" for name, number in world.counts.items()))
        assert world.counts["arrived"] > size / 4  # else nothing was tried
