"""Waits are kept: by a clock that only waiting moves, while somebody sets the wall clock to the worst."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import astria_nb as anb
from astria_nb.client.retry import ATTEMPTS
from astria_nb.errors import ApiError, TooManyRequestsError, TuneError
from astria_nb.log import Submission, environment
from astria_nb.log import _machine as machine
from astria_nb.submission import _settle_time as settle_time
from astria_nb.tune import Request
from helpers.clock import Clock
from helpers.scripted_server import TUNE, Answer, Exchange, ScriptedServer, hang_up, reply
from helpers.soak import sizes

SETTLE = 120.0
THROTTLED = 30.0  # promised after a 429 that says nothing
NEVER = float("inf")
CLOSE = 1e-6  # seconds that a sum of floats may be off
RUBBISH = [
    None, "", "soon", "-7", "1.5", "1e3", "NaN", "0x10", "1,5", "\xb2", "7 seconds",
    "Thu, 99 Jan 2026 12:00:00 GMT", "tomorrow, 12:00",
]  # fmt: skip
ABSURD = ["999999999", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"]
# What somebody sets the wall clock by: years, an hour, or just as far as would hurt.
JUMPS = st.sampled_from([-1e8, -3600.0, -SETTLE, -1.0, 0.0, 0.5, SETTLE - 1, SETTLE, 3600.0, 1e8])


@dataclass
class Refusal:
    """A refusal that asks to wait: for some seconds, until a date some seconds away, or by rubbish."""

    says: str | None
    least: float | None  # None where it says nothing
    is_date: bool = False


def refusals(longest: int) -> st.SearchStrategy[Refusal]:
    """Return refusals that ask for that many seconds at most, or for more than anybody has."""
    seconds = st.integers(0, longest)
    return (
        seconds.map(lambda wait: Refusal(str(wait), wait))
        | st.integers(-1000, longest).map(lambda wait: Refusal(None, wait, is_date=True))
        | st.sampled_from(RUBBISH).map(lambda text: Refusal(text, None))
        | st.sampled_from(ABSURD).map(lambda text: Refusal(text, NEVER))
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    clock.install(monkeypatch)
    return clock


@dataclass
class Arrivals:
    """When requests arrived, and the least wait after each."""

    clock: Clock
    times: list[float]
    leasts: list[float]

    def refuse(self, refusal: Refusal, status: int, otherwise: float, jump: float = 0.0) -> Answer:
        """Return an answer that refuses, while somebody sets the clock of the client."""

        def answer(exchange: Exchange) -> bool:
            now, says, least = self.clock.truth(), refusal.says, refusal.least
            if refusal.is_date and least is not None:
                date = now.replace(microsecond=0) + timedelta(seconds=least)
                says, least = format_datetime(date, usegmt=True), max(0.0, (date - now).total_seconds())
            self.times.append(self.clock.now)
            self.leasts.append(otherwise if least is None else max(least, 0.0))
            self.clock.set_by += jump
            headers = {} if says is None else {"Retry_After": says}
            return reply({}, status, Date=format_datetime(now, usegmt=True), **headers)(exchange)

        return answer

    def accept(self, data: Any) -> Answer:
        def answer(exchange: Exchange) -> bool:
            self.times.append(self.clock.now)
            return reply(data, 201)(exchange)

        return answer

    def gaps(self) -> list[float]:
        return [after - before for before, after in pairwise(self.times)]


@sizes(20, 2000)
def test_no_tune_is_sent_again_before_the_service_wants_it(
    server: ScriptedServer, client: anb.Client, clock: Clock, tmp_path: Path, size: int
) -> None:
    log, numbers = anb.ExperimentLog(tmp_path / "log.sqlite"), count()

    @settings(max_examples=size, deadline=None)
    @given(st.lists(st.tuples(refusals(600), JUMPS), min_size=1, max_size=4), st.floats(0, 1))
    def check(planned: list[tuple[Refusal, float]], part_of_a_second: float) -> None:
        clock.now += part_of_a_second
        arrivals, title = Arrivals(clock, [], []), str(next(numbers))
        answers = [arrivals.refuse(refusal, 429, THROTTLED, jump) for refusal, jump in planned]
        server.on("POST", "/p/43/tunes", *answers, arrivals.accept({**TUNE, "id": 7}))
        tune = a_tune(title)
        absurd = [refusal.least for refusal, _ in planned].index(NEVER) if _has_absurd(planned) else None
        if absurd is None:
            anb.submit(tune, client, log=log)
            assert len(arrivals.times) == len(planned) + 1
        else:
            with pytest.raises(TooManyRequestsError):
                anb.submit(tune, client, log=log)
            assert len(arrivals.times) == absurd + 1
        assert [
            gap for gap, least in zip(arrivals.gaps(), arrivals.leasts, strict=False) if gap < least - CLOSE
        ] == []

    check()


def _has_absurd(planned: list[tuple[Refusal, float]]) -> bool:
    return any(refusal.least == NEVER for refusal, _ in planned)


@sizes(20, 2000)
def test_nothing_is_asked_again_before_the_service_wants_it(
    server: ScriptedServer, client: anb.Client, clock: Clock, size: int
) -> None:
    @settings(max_examples=size, deadline=None)
    @given(
        st.lists(st.tuples(refusals(70), st.sampled_from([429, 503, 500, 502, 504])), min_size=1, max_size=5),
        st.floats(0, 1),
    )
    def check(planned: list[tuple[Refusal, int]], part_of_a_second: float) -> None:
        clock.now += part_of_a_second + 600  # nothing that was asked for in the example before holds any more
        arrivals = Arrivals(clock, [], [])
        answers = [arrivals.refuse(refusal, status, 0.0) for refusal, status in planned]
        server.on("GET", "/tunes/7", *answers, arrivals.accept(TUNE))
        with suppress(ApiError):
            assert client.tune(7) == TUNE
        # Only these two statuses say how long (RFC 9110); our own pauses double.
        asked = [
            least if status in (429, 503) else 0.0
            for least, (_, status) in zip(arrivals.leasts, planned, strict=False)
        ]
        leasts = [max(least, 0.5 * 2**number) for number, least in enumerate(asked)]
        assert [gap for gap, least in zip(arrivals.gaps(), leasts, strict=False) if gap < least - CLOSE] == []
        assert len(arrivals.times) <= ATTEMPTS
        if sum(leasts[: ATTEMPTS - 1]) < 50:
            assert len(arrivals.times) == min(len(planned) + 1, ATTEMPTS)

    check()


LOST: dict[str, Answer] = {"504": reply({}, 504), "hung up": hang_up, "HTML": reply(body=b"<html>")}
LATE = st.sampled_from([0.0, 1.0, SETTLE / 2, SETTLE - 1e-3]) | st.floats(0, SETTLE - 1e-3)


class Account:
    """A service that loses its answer, and makes the tune some time later."""

    def __init__(self, server: ScriptedServer, clock: Clock) -> None:
        self.server, self.clock, self.made_at, self.ids = server, clock, NEVER, count(8)
        server.on("GET", "/tunes", self._list)

    def lose(self, title: str, how: Answer, late: float) -> int:
        """Lose the next tune, and return its id."""
        self.tune = {**TUNE, "id": next(self.ids), "title": title}
        self.made_at = NEVER

        def answer(exchange: Exchange) -> bool:
            self.made_at = self.clock.now + late
            return how(exchange)

        self.server.on("POST", "/p/43/tunes", answer)
        return int(str(self.tune["id"]))

    def _list(self, exchange: Exchange) -> bool:
        is_there = self.clock.now >= self.made_at and "before_id" not in exchange.request.query
        return reply([self.tune] if is_there else [])(exchange)


@pytest.mark.slow
@sizes(20, 2000)
def test_a_lost_tune_is_not_looked_for_early(
    server: ScriptedServer, client: anb.Client, clock: Clock, tmp_path: Path, size: int
) -> None:
    log, numbers, account = anb.ExperimentLog(tmp_path / "log.sqlite"), count(), Account(server, clock)

    @settings(max_examples=size, deadline=None)
    @given(st.sampled_from(sorted(LOST)), LATE, JUMPS, JUMPS)
    def check(how: str, late: float, first: float, second: float) -> None:
        title = str(next(numbers))
        tune_id = account.lose(title, LOST[how], late)
        jumps = iter([first, second])

        def say(*_: object) -> None:  # in the middle of the wait
            clock.set_by += next(jumps, 0.0)

        tune = a_tune(title)
        row = anb.submit(tune, client, log=log, settle=SETTLE, say=say)
        assert list(row["id"]) == [tune_id]

    check()


class Killed(BaseException):
    """The process is no more."""


class MortalLog(anb.ExperimentLog):
    """A log whose process is killed when the answer is lost, before that is on record."""

    dies_before: str | None = None

    def change(self, submission: Any, state: str, **named: Any) -> Submission:
        if state == self.dies_before:
            raise Killed
        return super().change(submission, state, **named)


def a_tune(title: str) -> anb.Tune:
    return anb.Tune(pack=43, title=title, name="cat", image_urls=["https://e.com/1.jpg"])


def kill(*_: object) -> None:
    raise Killed


Elsewhere = Callable[[Clock, pytest.MonkeyPatch, float], None]


def here(clock: Clock, patch: pytest.MonkeyPatch, _: float) -> None:
    """Go on at the same machine."""


def after_a_start(clock: Clock, patch: pytest.MonkeyPatch, _: float) -> None:
    patch.setattr(machine, "place", lambda: "after a start")
    patch.setattr(clock, "booted", clock.now)


def on_another_machine(clock: Clock, patch: pytest.MonkeyPatch, uptime: float) -> None:
    patch.setattr(machine, "place", lambda: "another machine")
    patch.setattr(clock, "booted", clock.now - uptime)


def where_no_machine_tells(clock: Clock, patch: pytest.MonkeyPatch, _: float) -> None:
    patch.setattr(machine, "uptime", lambda: None)


@pytest.mark.slow
@sizes(20, 2000)
def test_another_process_does_not_look_early_whatever_its_clock_says(
    server: ScriptedServer,
    client: anb.Client,
    clock: Clock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    numbers, account = count(), Account(server, clock)
    monkeypatch.setattr(environment, "_sessions", {})
    monkeypatch.setenv("PATH", str(tmp_path))  # only for speed: git is not found
    monkeypatch.setattr(machine, "is_running", lambda *_: False)

    def new_process() -> None:
        environment._sessions.clear()
        settle_time._first_seen.clear()

    @settings(max_examples=size, deadline=None)
    @given(
        st.sampled_from(sorted(LOST)),
        LATE,
        st.sampled_from(["unknown", None]),
        st.sampled_from([0.0, 1.0, SETTLE - 1, SETTLE + 1, 1e5]) | st.floats(0, 1000),
        JUMPS,
        st.sampled_from([here, after_a_start, on_another_machine, where_no_machine_tells]),
        st.sampled_from([1.0, 1e9]),
        st.sampled_from(["recover", "submit", "submit another"]),
    )
    def check(
        how: str, late: float, dies_before: str | None, gap: float, jump: float, elsewhere: Elsewhere,
        uptime: float, way: str,
    ) -> None:  # fmt: skip
        number = next(numbers)
        path, title = tmp_path / f"{number // 50}.sqlite", str(number)
        tune_id = account.lose(title, LOST[how], late)
        tune = a_tune(title)
        log = MortalLog(path)
        log.dies_before = dies_before
        with pytest.MonkeyPatch.context() as patch:
            if elsewhere is where_no_machine_tells:
                elsewhere(clock, patch, uptime)
            with pytest.raises(Killed):
                anb.submit(tune, client, log=log, settle=SETTLE, say=kill)
            log.close()
            new_process()
            clock.now += gap
            clock.set_by += jump
            elsewhere(clock, patch, uptime)
            clock.waits.clear()
            log = MortalLog(path)
            if way == "submit another":
                server.on("POST", "/p/43/tunes", reply({**TUNE, "id": 10**6 + tune_id}, 201))
                anb.submit(a_tune(f"not {title}"), client, log=log, settle=SETTLE)
                assert clock.waits == []
            if way == "submit":
                with suppress(TuneError):
                    assert list(anb.submit(tune, client, log=log, settle=SETTLE)["id"]) == [tune_id]
            else:
                log.recover(client, settle=SETTLE)
            lost = log.find(client.service, title)
            assert lost is not None
            if elsewhere in (after_a_start, on_another_machine) and lost.state == "sending":
                assert dies_before  # that process may be alive
            else:
                assert (lost.state, lost.tune_id) == ("adopted", tune_id)
            if elsewhere is here and dies_before is None and gap > SETTLE:
                assert clock.waits == []  # it is long enough ago, and this machine knows
        new_process()
        log.recover(client, settle=0)  # leave nothing for the next
        log.close()

    check()


@pytest.mark.parametrize("elsewhere", [here, where_no_machine_tells])
def test_lost_tunes_are_waited_for_together(
    server: ScriptedServer, client: anb.Client, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    elsewhere: Elsewhere,
) -> None:  # fmt: skip
    elsewhere(clock, monkeypatch, 0)
    monkeypatch.setattr(environment, "_sessions", {})
    monkeypatch.setattr(machine, "is_running", lambda *_: False)
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    for number in range(5):
        request = Request.from_tune(a_tune(str(number)), client.service, "json")
        log.change(log.plan(request, 0), "sending", attempt=1)
    environment._sessions.clear()
    before = clock.now
    assert len(log.recover(client, settle=SETTLE)) == 5
    assert SETTLE <= clock.now - before < SETTLE + 1
