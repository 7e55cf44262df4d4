"""Keeping tunes beyond their thirty days: sent once, looked up, and paid for as said."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import (
    AstriaError,
    NotSentError,
    OutcomeUnknownError,
    TooManyRequestsError,
    TuneError,
    UnauthorizedError,
)
from helpers.clock import Clock
from helpers.scripted_server import TUNE, Exchange, ScriptedServer, hang_up, reply

URL = "https://example.com/1.jpg"
DAY = 86400
TRAINED = {**TUNE, "trained_at": "2126-01-01T12:00:00Z", "expires_at": "2126-01-31T12:00:00Z"}
LATER = "2126-03-01T12:00:00Z"
ROW = anb.rows.tune_frame([TRAINED])


@pytest.fixture(params=["documented", "record"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[anb.Sandbox]:
    """Sandboxes that do not show `auto_extend`, and that do."""
    with anb.Sandbox(deterministic=True, tune_fields=request.param) as running:
        yield running


def trained(client: anb.Client, count: int = 1) -> pd.DataFrame:
    tunes = [anb.Tune(pack=43, name="cat", title=f"t{at}", image_urls=[URL]) for at in range(count)]
    rows = pd.concat([anb.submit(tune, client, once=False) for tune in tunes], ignore_index=True)
    return anb.wait(rows, client, until="prompts", poll=0)


def states(rows: pd.DataFrame, client: anb.Client) -> list[str]:
    """Return the status of tunes at the service."""
    tunes = [client.tune(tune_id) for tune_id in rows["id"]]
    return list(anb.rows.tune_frame(tunes, client.now())["status"])


def patches(target: anb.Sandbox | ScriptedServer) -> int:
    requests: Any = target.ledger if isinstance(target, anb.Sandbox) else target.requests
    return sum(request.method == "PATCH" for request in requests)


def balance(client: anb.Client) -> int:
    return int(client._transport.get("/users", {})["usd_balance_mc"])


def test_a_tune_and_its_pictures_are_kept_and_paid_by_the_month(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    rows = trained(client, 2)
    pictures = anb.prompts(rows.loc[[0]], client)["images"].explode()
    others = anb.prompts(rows.loc[[1]], client)["images"].explode()
    before = balance(client)
    kept = anb.keep_longer(rows.loc[[0]], client, max_cost=0.5)
    assert kept["auto_extend"].tolist() == [True]
    assert kept.dtypes.equals(anb.rows.tune_frame([{**TRAINED, "auto_extend": True}]).dtypes[kept.columns])
    assert balance(client) == before  # until the thirty days are over
    sandbox.advance(65 * DAY)
    assert states(rows, client) == ["trained", "expired"]
    assert client.picture(pictures.iloc[0])
    with pytest.raises(AstriaError, match="may have expired"):
        client.picture(others.iloc[0])
    assert balance(client) == before - 2 * 50_000


def test_it_can_be_taken_back_and_what_was_paid_for_stays(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    rows = anb.keep_longer(trained(client), client)
    before = balance(client)
    sandbox.advance(40 * DAY)
    until = anb.keep_longer(rows, client, auto_extend=False)["expires_at"].iloc[0]
    assert until - rows["trained_at"].iloc[0] == pd.Timedelta(days=60)
    sandbox.advance(15 * DAY)
    assert states(rows, client) == ["trained"]
    sandbox.advance(30 * DAY)
    assert states(rows, client) == ["expired"]
    assert balance(client) == before - 50_000
    sent = patches(sandbox)
    with pytest.raises(AstriaError, match=r"^id: tune 1000001 has expired, and its pictures are deleted"):
        anb.keep_longer(rows, client)
    assert patches(sandbox) == sent


def test_what_is_kept_does_not_expire_soon(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    trained(client, 2)
    sandbox.advance(25 * DAY)
    soon = anb.expiring(client=client)
    assert len(soon) == 2
    kept = anb.keep_longer(soon.loc[[1]], client)
    assert anb.expiring(pd.concat([soon.loc[[0]], kept]), client)["id"].tolist() == [soon.loc[0, "id"]]
    is_told = "auto_extend" in client.tune(soon.loc[0, "id"])
    assert len(anb.expiring(client=client)) == (1 if is_told else 2)


def test_nothing_is_sent_for_a_tune_that_is_kept_already(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes/7", reply({**TRAINED, "auto_extend": True}))
    assert anb.keep_longer(ROW, client)["auto_extend"].tolist() == [True]
    assert patches(server) == 0


def test_a_setting_that_the_answer_leaves_out_is_taken_as_asked(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("GET", "/tunes/7", reply({**TRAINED, "auto_extend": None}))
    server.on("PATCH", "/tunes/7", reply({}))
    assert anb.keep_longer(ROW, client)["auto_extend"].tolist() == [True]


UNKNOWN_WHETHER = "id: it is unknown whether tune 7 was changed .*; look at its page"
UNKNOWN = {"no answer": hang_up, "504": reply(status=504), "a redirect": reply({}, 302)}


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN.keys())
@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ({"auto_extend": True}, None),
        ({"auto_extend": "true"}, None),
        ({"expires_at": LATER}, None),
        ({"auto_extend": None, "expires_at": LATER}, None),
        ({"auto_extend": False, "expires_at": LATER}, None),
        ({"auto_extend": False}, "id: tune 7 was not changed .*; call keep_longer again"),
        ({}, UNKNOWN_WHETHER),
        ({"auto_extend": None}, UNKNOWN_WHETHER),
    ],
)
def test_a_lost_answer_is_looked_up_and_never_sent_again(
    server: ScriptedServer, client: anb.Client, answer: Any, state: dict[str, Any], outcome: str | None
) -> None:
    server.on("GET", "/tunes/7", reply(TRAINED), reply({**TRAINED, **state}))
    server.on("PATCH", "/tunes/7", answer)
    if outcome is None:
        assert anb.keep_longer(ROW, client)["auto_extend"].tolist() == [True]
    else:
        with pytest.raises(AstriaError, match=outcome) as raised:
            anb.keep_longer(ROW, client)
        assert isinstance(raised.value, OutcomeUnknownError) == (outcome == UNKNOWN_WHETHER)
    assert patches(server) == 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the time of calls that wait a minute for what the service may still do."""
    clock = Clock()
    clock.install(monkeypatch)
    monkeypatch.setattr("astria_nb.results.downloads._auto_extend.SETTLE_SECONDS", 60.0)
    return clock


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_the_service_does_after_its_answer_was_lost_is_seen(
    server: ScriptedServer, client: anb.Client, clock: Clock, answer: Any
) -> None:
    before, kept = {**TRAINED, "auto_extend": False}, {**TRAINED, "auto_extend": True}
    server.on("GET", "/tunes/7", *[reply(before)] * 4, reply({}, 404), reply(kept))
    server.on("PATCH", "/tunes/7", answer)
    began = clock.now
    assert anb.keep_longer(ROW, client)["auto_extend"].tolist() == [True]
    assert patches(server) == 1
    assert clock.now - began < 60


def test_a_lost_request_counts_as_ignored_when_the_service_must_be_done_with_it(
    server: ScriptedServer, client: anb.Client, clock: Clock
) -> None:
    rows = pd.concat([anb.rows.tune_frame([{**TRAINED, "id": at}]) for at in (7, 8, 9)], ignore_index=True)
    looks: list[float] = []
    for at in (7, 8, 9):
        server.on("PATCH", f"/tunes/{at}", hang_up if at != 8 else reply({}))
        kept = reply({**TRAINED, "id": at, "auto_extend": at == 8})

        def look(exchange: Exchange, kept: Any = kept) -> bool:
            looks.append(clock.now)
            return bool(kept(exchange))

        server.on("GET", f"/tunes/{at}", look)
    began = clock.now
    with pytest.raises(AstriaError, match=r"(?s)tune 7 was not changed .*tune 9 was not changed") as raised:
        anb.keep_longer(rows, client)
    assert not isinstance(raised.value, OutcomeUnknownError)
    assert [look - began for look in looks[-2:]] == [pytest.approx(60)] * 2  # one minute, for both
    assert len(looks) < 20
    assert patches(server) == 2


def test_a_change_is_unknown_if_the_last_look_was_not_answered(
    server: ScriptedServer, client: anb.Client, clock: Clock
) -> None:
    before = {**TRAINED, "auto_extend": False}
    server.on("GET", "/tunes/7", reply(before), reply(before), reply({}, 404))
    server.on("PATCH", "/tunes/7", hang_up)
    with pytest.raises(OutcomeUnknownError, match=UNKNOWN_WHETHER):
        anb.keep_longer(ROW, client)


def test_that_one_is_unknown_is_not_lost_among_the_others(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes/7", reply(TRAINED))
    server.on("PATCH", "/tunes/7", hang_up)
    gone = anb.rows.tune_frame([{"id": 77, "trained_at": "2026-01-01T12:00:00Z"}])
    server.on("GET", "/tunes/77", reply({"error": "Not Found"}, 404))
    with pytest.raises(OutcomeUnknownError, match=f"(?s){UNKNOWN_WHETHER}.*no tune 77"):
        anb.keep_longer(pd.concat([ROW, gone], ignore_index=True), client)


def test_every_tune_that_cannot_be_kept_is_named_and_the_others_are(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    rows = trained(client, 3)
    sandbox.fail("422", "PATCH /tunes/*", count=1, message="not today")
    gone = anb.rows.tune_frame([{"id": 77, "trained_at": "2026-01-01T12:00:00Z"}])
    with pytest.raises(AstriaError) as raised:
        anb.keep_longer(pd.concat([rows, gone], ignore_index=True), client)
    assert [problem.what.partition(" at ")[0] for problem in raised.value.problems] == [
        "PATCH /tunes/1000001 was refused (422: not today)",
        "no tune 77",
    ]
    assert raised.value.problems[0].hint.startswith("tune 1000001 was not changed: ")
    sandbox.advance(40 * DAY)
    assert states(rows, client) == ["expired", "trained", "trained"]


def test_a_refused_key_ends_it(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    rows = trained(client, 3)
    sandbox.fail("401", "PATCH /tunes/*")
    with pytest.raises(UnauthorizedError, match=r"^api_key: "):
        anb.keep_longer(rows, client)
    assert patches(sandbox) == 1


THE_REST = "id: tunes 8, 9 were not changed; call keep_longer again for them"
# The answer to a GET or to a PATCH that keeps the tunes after it from being reached, and what is said of it.
ENDS: dict[str, tuple[str, Any, type, str]] = {
    "401 to the change": ("PATCH", reply({"error": "denied"}, 401), UnauthorizedError, "was refused"),
    "401 to the look": ("GET", reply({"error": "denied"}, 401), UnauthorizedError, "was refused"),
    "429 to the change": (
        "PATCH",
        reply({"error": "slow down"}, 429, Retry_After="7"),
        TooManyRequestsError,
        r"429: slow down\); tune 8 was not changed: wait 7 seconds",
    ),
    "429 to the look": ("GET", reply({"error": "slow down"}, 429), TooManyRequestsError, "wait a while"),
    "a line that is cut": ("GET", hang_up, NotSentError, "no complete answer"),
}


@pytest.mark.parametrize(("method", "answer", "kind", "words"), ENDS.values(), ids=ENDS.keys())
def test_the_tunes_that_were_not_reached_are_named(
    server: ScriptedServer, client: anb.Client, method: str, answer: Any, kind: type, words: str
) -> None:
    rows = pd.concat([anb.rows.tune_frame([{**TRAINED, "id": at}]) for at in (7, 8, 9)], ignore_index=True)
    for at in (7, 8, 9):
        server.on("GET", f"/tunes/{at}", reply({**TRAINED, "id": at}))
        server.on("PATCH", f"/tunes/{at}", reply({}))
    server.on(method, "/tunes/8", answer)
    with pytest.raises(AstriaError, match=words) as raised:
        anb.keep_longer(rows, client)
    assert type(raised.value) is kind
    assert str(raised.value.problems[-1]) == THE_REST
    assert "nothing was changed" not in str(raised.value)
    assert not [request for request in server.requests if request.path == "/tunes/9"]


def test_a_tune_that_could_not_be_asked_for_is_named(server: ScriptedServer, client: anb.Client) -> None:
    rows = pd.concat([anb.rows.tune_frame([{**TRAINED, "id": at}]) for at in (7, 8)], ignore_index=True)
    server.on("GET", "/tunes/7", reply({"error": "oops"}, 501))
    server.on("GET", "/tunes/8", reply({**TRAINED, "id": 8}))
    server.on("PATCH", "/tunes/8", reply({}))
    with pytest.raises(AstriaError, match=r"501: oops\), asked for tune 7"):
        anb.keep_longer(rows, client)
    assert patches(server) == 1


def test_the_price_is_limited_before_anything_is_sent(server: ScriptedServer, client: anb.Client) -> None:
    rows = pd.concat([anb.rows.tune_frame([{**TRAINED, "id": at}]) for at in (7, 8, 9)], ignore_index=True)
    expected = r"^max_cost: is \$1.40, and keeping 3 tunes costs about \$1.50 a month; raise it, or select"
    with pytest.raises(AstriaError, match=expected):
        anb.keep_longer(rows, client, max_cost=1.4)
    assert server.requests == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_cost": -1},
        {"max_cost": "much"},
        {"auto_extend": "yes"},
        {"auto_extend": None},
        {"frame": pd.DataFrame({"x": [1]})},
    ],
)
def test_invalid_arguments_are_refused(client: anb.Client, arguments: dict[str, Any]) -> None:
    with pytest.raises(AstriaError, match=f"^{next(iter(arguments))}: "):
        anb.keep_longer(**{"frame": ROW, "client": client, **arguments})


def test_a_run_without_a_tune_of_its_own_is_left_out(client: anb.Client) -> None:
    with pytest.raises(TuneError, match="these runs have no tunes of their own; pass the rows of tunes"):
        anb.keep_longer(anb.rows.tune_frame([{"pack": 43, "tune_ids": [7]}]), client)
    assert len(anb.keep_longer(ROW.iloc[:0], client)) == 0
