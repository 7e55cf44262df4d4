"""Faults on request: which requests they strike, and which definitions are refused."""

import re
import threading
from collections.abc import Callable
from wsgiref.types import WSGIApplication

import pytest
import requests

from astria_nb.sandbox import Fault, SandboxServer
from astria_nb.sandbox.routes import _app as app
from helpers.waiting import PATIENCE
from sandbox.helpers.api import Api

RUN = "POST /p/*/tunes"


def statuses(api: Api, *paths: str) -> list[int]:
    return [api.get(path).status_code for path in paths]


def test_it_strikes_once_unless_told_otherwise(api: Api) -> None:
    api.sandbox.fail("500")
    assert statuses(api, "/packs", "/packs") == [500, 200]
    assert api.sandbox.faults == ()


def test_it_strikes_count_requests_after_letting_some_pass(api: Api) -> None:
    api.sandbox.fail("500", count=2, after=1)
    assert statuses(api, *["/packs"] * 5) == [200, 500, 500, 200, 200]


def test_without_a_count_it_strikes_until_heal(api: Api) -> None:
    api.sandbox.fail("500", count=None)
    assert statuses(api, *["/packs"] * 3) == [500] * 3
    api.sandbox.heal()
    assert statuses(api, "/packs") == [200]


def test_pending_faults_show_their_remaining_count_and_after(api: Api) -> None:
    first = api.sandbox.fail("500", "GET /packs", count=2)
    second = api.sandbox.fail("503", "GET /tunes", after=3)
    assert api.sandbox.faults == (first, second)
    statuses(api, "/packs", "/tunes")
    assert [(fault.kind, fault.count, fault.after) for fault in api.sandbox.faults] == [
        ("500", 1, 0),
        ("503", 1, 2),
    ]


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("*", "/packs"),
        ("GET *", "/packs"),
        ("GET /packs", "/packs/"),
        ("GET /packs", "/packs.json?limit=3"),
        ("GET /p/*", "/p/corporate-headshots"),
        ("GET /tunes/*/prompts", "/tunes/1/prompts.json"),
        ("GET /[pt]*", "/tunes"),
    ],
)
def test_a_route_is_a_pattern_over_method_and_path(api: Api, route: str, path: str) -> None:
    api.sandbox.fail("503", route)
    assert api.get(path).status_code == 503


@pytest.mark.parametrize(
    "route", ["POST *", "GET /tunes", "GET /pack", "get /packs", "/packs", "GET /packs?*"]
)
def test_other_routes_are_not_struck(api: Api, route: str) -> None:
    api.sandbox.fail("503", route)
    assert api.get("/packs?limit=3").status_code == 200
    assert len(api.sandbox.faults) == 1


def test_the_first_rule_that_applies_wins(api: Api) -> None:
    api.sandbox.fail("500", "GET /tunes")
    api.sandbox.fail("502", "GET *")
    api.sandbox.fail("503", "*", after=1)
    assert statuses(api, *["/packs"] * 4) == [502, 200, 503, 200]
    assert statuses(api, "/tunes") == [500]


def test_a_probability_gives_the_same_result_in_every_deterministic_run() -> None:
    def play() -> list[int]:
        with SandboxServer(deterministic=True) as sandbox, Api(sandbox) as api:
            sandbox.fail("500", probability=0.5, count=None)
            return statuses(api, *["/packs"] * 20)

    first = play()
    assert set(first) == {200, 500}
    assert play() == first


def test_it_strikes_before_the_key_is_checked(sandbox: SandboxServer) -> None:
    sandbox.fail("503")
    assert [requests.get(f"{sandbox.url}/packs", timeout=PATIENCE).status_code for _ in range(2)] == [
        503,
        401,
    ]


def test_the_count_is_exact_with_many_clients_at_once(sandbox: SandboxServer) -> None:
    sandbox.fail("500", count=37)
    received: list[int] = []

    def client() -> None:
        with Api(sandbox) as api:
            received.extend(statuses(api, *["/packs"] * 8))

    clients = [threading.Thread(target=client) for _ in range(16)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    assert (received.count(500), received.count(200)) == (37, 128 - 37)


@pytest.mark.parametrize("kind", ["training", "prompt"])
def test_faults_that_strike_later_are_passed_to_the_application(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults_by_method: list[tuple[str, object]] = []
    make_app: Callable[..., WSGIApplication] = app.make_app

    def spied(service):  # type: ignore[no-untyped-def]
        inner = make_app(service)

        def application(environ, start_response):  # type: ignore[no-untyped-def]
            faults_by_method.append((environ["REQUEST_METHOD"], environ.get("astria.fault")))
            return inner(environ, start_response)

        return application

    monkeypatch.setattr("astria_nb.sandbox._running_server.make_app", spied)
    with SandboxServer() as sandbox, Api(sandbox) as api:
        fault = sandbox.fail(Fault.parse(kind))
        assert (api.get("/tunes").status_code, api.train().status_code) == (200, 201)
        assert api.train().status_code == 201
        assert faults_by_method == [("GET", None), ("POST", fault), ("POST", None)]
        assert [request.fault for request in sandbox.ledger] == [None, kind, None]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "418"}, "kind: '418' is not a choice; choose one of '401', '422'"),
        ({"kind": 504}, "kind: 504 is not a choice"),
        ({"commit": "maybe"}, "commit: 'maybe' is not a choice; choose one of 'no', 'yes', 'late'"),
        ({"at": "once"}, "at: 'once' is not a choice"),
        ({"route": " "}, "route: ' ' is not a pattern"),
        ({"count": 0}, "count: 0 is not a whole number above 0, or None for all"),
        ({"count": True}, "count: True is not"),
        ({"after": -1}, "after: -1 is not a whole number, 0 or more"),
        ({"probability": 0}, "probability: 0 is not a number above 0, at most 1"),
        ({"probability": float("nan")}, "probability: nan"),
        ({"kind": "slow", "seconds": -1}, "seconds: -1 is not"),
        ({"kind": "slow", "seconds": float("inf")}, "seconds: inf is not"),
        ({"kind": "429", "retry_after": "1\r\nX: y"}, "retry_after: '1\\r\\nX: y' is not text that fits"),
        ({"kind": "429", "retry_after": "猫"}, "retry_after: '猫' is not text that fits"),
        ({"kind": "429", "retry_after": 3}, "retry_after: 3 is not text"),
        ({"kind": "prompt", "number": 0}, "number: 0 is not"),
        ({"kind": "prompt", "message": ""}, "message: '' is not text"),
        ({"retry_after": "3"}, "retry_after: '3' has no effect on the kind '504'; it is for 429, 503"),
        (
            {"seconds": 3},
            "seconds: 3 has no effect on the kind '504'; it is for slow, drip and commit='late'",
        ),
        ({"at": "reply"}, "at: 'reply' has no effect on the kind '504'; it is for reset"),
        ({"length": "omitted"}, "length: 'omitted' has no effect"),
        ({"kind": "slow", "commit": "yes"}, "commit: 'yes' has no effect on the kind 'slow'"),
        ({"kind": "reset", "number": 2}, "number: 2 has no effect"),
        ({"kind": "reset", "at": "before", "commit": "yes"}, "with at='before' it cannot be carried out"),
        ({"kind": "reset", "at": "during", "commit": "late"}, "with at='during' it cannot be carried out"),
        ({"kind": "reset", "at": "reply", "commit": "yes"}, "with at='reply' the request is always carried"),
    ],
)
def test_invalid_fields_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Fault(**{"kind": "504"} | fields)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("504", Fault("504")),
        (f"504,route={RUN},commit=late,seconds=2.5", Fault("504", RUN, commit="late", seconds=2.5)),
        (" reset , at = during, count = all ", Fault("reset", at="during", count=None)),
        ("prompt,number=2,message=NSFW, a=b", None),
        ("prompt,number=2,message=NSFW, or not", Fault("prompt", number=2, message="NSFW, or not")),
        ("500,probability=0.25,after=3", Fault("500", probability=0.25, after=3)),
    ],
)
def test_a_fault_is_parsed_from_a_line_of_text(text: str, fault: Fault | None) -> None:
    if fault is None:
        with pytest.raises(ValueError, match="a: is not a field of a fault; choose from route, count"):
            Fault.parse(text)
    else:
        assert Fault.parse(text) == fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "kind: '' is not a choice"),
        ("504,count=many", "count: 'many' is not a whole number"),
        ("504,after=1,after=2", "after: is given twice"),
        ("504,kind=500", "kind: is not a field|kind: is given twice"),
    ],
)
def test_text_that_is_not_a_fault_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fault.parse(text)


def test_a_whole_fault_takes_no_further_fields(sandbox: SandboxServer) -> None:
    with pytest.raises(TypeError, match="whole Fault"):
        sandbox.fail(Fault("504"), count=2)
    with pytest.raises(TypeError, match="often"):
        sandbox.fail("504", often=2)
    assert sandbox.faults == ()
