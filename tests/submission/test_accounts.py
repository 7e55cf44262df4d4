"""Accounts and spellings of one address: each account has its own titles, whatever its key is today."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import OutcomeUnknownError
from astria_nb.log import Log
from helpers.scripted_server import KEY, ScriptedServer, reply, silence
from helpers.submissions import SERVICE, a_request

URLS = ["https://example.com/1.jpg"]
HOOK = "https://example.com/hook"


def a_tune(**fields: Any) -> anb.Tune:
    return anb.Tune(**{"pack": 797, "name": "cat", "title": "t", "image_urls": URLS, **fields})


def posts(service: anb.Sandbox | ScriptedServer) -> int:
    received = service.requests if isinstance(service, ScriptedServer) else service.ledger
    return sum(request.method == "POST" for request in received)


def account_requests(service: anb.Sandbox | ScriptedServer) -> int:
    received = service.requests if isinstance(service, ScriptedServer) else service.ledger
    return sum(request.path == "/users" for request in received)


@pytest.fixture
def log(tmp_path: Path) -> anb.ExperimentLog:
    return anb.ExperimentLog(tmp_path / "log.sqlite")


@pytest.fixture
def one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name services on this machine as those on the internet: by their address, which is the same."""
    monkeypatch.setattr(anb.Client, "service", SERVICE)
    monkeypatch.setattr(anb.Client, "base_url", SERVICE)


@pytest.fixture
def accounts(one_address: None) -> Iterator[tuple[anb.Sandbox, anb.Sandbox]]:
    with anb.Sandbox() as first, anb.Sandbox() as second:
        yield first, second


def test_each_account_sends_its_own(
    accounts: tuple[anb.Sandbox, anb.Sandbox], log: anb.ExperimentLog
) -> None:
    for tune in (a_tune(), a_tune(title="u")):
        for sandbox in accounts:
            client = sandbox.client()
            rows = [anb.submit(tune, client, log=log) for _ in range(2)]
            assert rows[0]["id"].tolist() == rows[1]["id"].tolist()
    assert [posts(sandbox) for sandbox in accounts] == [2, 2]
    assert log.frame()["title"].tolist() == ["t", "t", "u", "u"]


def test_an_account_is_asked_for_once_and_before_the_first_paid_request(
    accounts: tuple[anb.Sandbox, anb.Sandbox], log: anb.ExperimentLog
) -> None:
    sandbox, _ = accounts
    client = sandbox.client()
    client.pack(797)
    assert account_requests(sandbox) == 0
    for title in ("a", "b", "c"):
        anb.wait(anb.submit(a_tune(title=title), client, log=log), client, log=log, timeout=0)
    paths = [(request.method, request.path) for request in sandbox.ledger]
    assert account_requests(sandbox) == 1
    assert paths.index(("GET", "/users")) < paths.index(("POST", "/p/797/tunes"))


def test_another_client_of_the_same_key_does_not_ask_again(
    accounts: tuple[anb.Sandbox, anb.Sandbox], log: anb.ExperimentLog
) -> None:
    first, second = accounts
    for title in ("a", "b"):
        anb.submit(a_tune(title=title), first.client(), log=log)
    anb.submit(a_tune(title="a"), second.client(), log=log)
    assert [account_requests(sandbox) for sandbox in accounts] == [1, 1]


def test_a_sandbox_is_not_asked(log: anb.ExperimentLog) -> None:
    with anb.Sandbox() as sandbox:
        anb.submit(a_tune(), sandbox.client(), log=log)
        assert account_requests(sandbox) == 0


@pytest.mark.parametrize(
    "answer",
    [
        reply({"error": "no"}, 404),
        reply({"error": "no"}, 403),
        reply([]),
        reply({"id": None}),
        reply(body=b"<"),
    ],
)
def test_an_account_that_cannot_be_had_may_be_any(
    one_address: None, server: ScriptedServer, log: anb.ExperimentLog, answer: Any
) -> None:
    server.on("GET", "/users", answer)
    client = anb.Client(KEY, base_url=server.url)
    first = anb.submit(a_tune(pack=43), client, log=log)
    assert client.account is None
    assert account_requests(server) == 1
    again = anb.submit(a_tune(pack=43), anb.Client(KEY, base_url=server.url), log=log)
    assert first["id"].tolist() == again["id"].tolist() == [7]
    assert posts(server) == 1


def test_an_account_that_cannot_be_had_now_is_asked_for_again(
    one_address: None, server: ScriptedServer
) -> None:
    server.on("GET", "/users", *[reply({"error": "busy"}, 503)] * 2, reply({"id": 5}))
    client = anb.Client(KEY, base_url=server.url)
    assert [client.account for _ in range(4)] == [None, None, "5", "5"]
    assert client.known_account == "5"


def test_a_service_that_does_not_answer_for_the_account_delays_one_submission_only(
    one_address: None, server: ScriptedServer, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("GET", "/users", silence)
    monkeypatch.setattr("astria_nb.client._account_id._SECONDS", 0.05)
    monkeypatch.setattr("astria_nb.client._account_id._SLOW", 0.01)
    for title in "ab":
        anb.submit(a_tune(title=title, pack=43), anb.Client(KEY, base_url=server.url), log=log)
    assert account_requests(server) == 1
    assert posts(server) == 2


def test_what_another_account_left_open_is_left_alone(
    accounts: tuple[anb.Sandbox, anb.Sandbox], log: anb.ExperimentLog
) -> None:
    first, second = accounts
    client = first.client()
    request = a_request("t", pack=797, account=client.account)
    log.change(log.plan(request, sending=True), "unknown")
    with pytest.warns(UserWarning, match=r"submissions of another account \(number 1 in the log\)"):
        assert log.recover(second.client(), settle=0).empty
    assert log.get(1).state == "unknown"
    assert log.recover(client, settle=0)["state"].tolist() == ["needs_review"]


def test_a_key_whose_account_is_not_known_says_nothing_of_what_another_left_open(
    one_address: None, server: ScriptedServer, log: anb.ExperimentLog
) -> None:
    client = anb.Client(KEY, base_url=server.url)
    for account in ("1", None):
        request = a_request(f"of {account}", account=account)
        log.change(log.plan(request, sending=True), "unknown")
    anb.submit(a_tune(pack=43), client, log=log, settle=0)
    with pytest.warns(
        UserWarning, match=r"of a known account \(number 1 in .*not report the account of this key"
    ):
        log.recover(client, settle=0)
    assert log.frame()["state"].tolist() == ["unknown", "needs_review", "done"]


def test_a_record_without_an_account_counts_for_all(log: anb.ExperimentLog) -> None:
    old = log.plan(a_request("old"))
    new = log.plan(a_request("new", account="1"))
    for account in (None, "1", "2"):
        assert log.find(SERVICE, "old", account) == old
    assert log.find(SERVICE, "new", "2") is None
    assert log.find(SERVICE, "new", "1") == log.find(SERVICE, "new") == new
    assert log.unsettled(SERVICE, "2") == [old]
    second = log.plan(a_request("new", account="2"))
    assert log.find(SERVICE, "new", "2") == second


@pytest.mark.parametrize(
    "spelling",
    [
        "https://API.astria.ai", "https://api.astria.ai:443", "https://api.astria.ai.", "HTTPS://api.astria.ai/",
        "https://api.astria.ai.:443//",
    ],
)  # fmt: skip
def test_one_address_has_one_spelling(log: Log, spelling: str) -> None:
    planned = log.plan(a_request("t", service=spelling))
    assert planned.service == planned.request.service == SERVICE
    assert log.find(SERVICE, "t") == log.find(spelling, "t") == planned
    assert log.unsettled(spelling) == [planned]
    client = anb.Client("sd_key_of_nobody", base_url=spelling)
    assert client.service == client.base_url == SERVICE


def test_other_addresses_stay_other_services() -> None:
    names = [
        "https://a.example:8443",
        "https://a.example",
        "https://xn--BCHER-kva.example",
        "https://a.example/v1",
    ]
    urls = [anb.Client("sd_key_of_nobody", base_url=name).service for name in names]
    assert urls == [*names[:2], "https://xn--bcher-kva.example", names[3]]
    assert anb.Client("sd_key_of_nobody", base_url="https://b\u00fccher.example").service == urls[2]
    assert anb.Client("sd_key_of_nobody", base_url="https://stra\u00dfe.example").service == (
        "https://xn--strae-oqa.example"  # strasse.example is another host
    )
    for address in ("http://127.0.0.1:80", "http://127.0.0.1"):
        assert anb.Client("sd_key_of_nobody", base_url=address).base_url == "http://127.0.0.1"


@pytest.mark.parametrize("tells_accounts", [True, False])
def test_callbacks_of_another_account_leave_a_tune_as_it_is(
    accounts: tuple[anb.Sandbox, anb.Sandbox], log: anb.ExperimentLog, tells_accounts: bool
) -> None:
    """What is deleted is followed no more, and its pictures would expire unseen."""
    own, other = accounts
    row = anb.submit(a_tune(), own.client(), log=log)
    if not tells_accounts:
        other.fail("500", "GET /users", count=None)
    other.advance(86_400)
    anb.Callbacks(log, other.client(), public_url=HOOK).poll()
    assert log.frame()["status"].tolist() == ["queued"]
    own.advance(86_400)
    assert anb.Callbacks(log, own.client(), public_url=HOOK).poll()["status"].tolist() == ["trained"]
    assert anb.wait(row, own.client(), log=log)["status"].tolist() == ["trained"]


def submit_before_the_account_is_known(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> anb.Client:
    """Submit the tunes t and u while the service does not tell whose key it is; it does from here on."""
    sandbox.fail("500", "GET /users", count=None)
    client = sandbox.client()
    for title in "tu":
        anb.submit(a_tune(title=title), client, log=log)
    assert log.frame()["account"].isna().all()
    sandbox.heal()
    return client


@pytest.mark.parametrize("follow", ["wait", "callbacks"])
def test_a_row_of_unknown_account_is_not_deleted_because_another_account_does_not_have_it(
    accounts: tuple[anb.Sandbox, anb.Sandbox], log: anb.ExperimentLog, follow: str
) -> None:
    own, other = accounts
    client = submit_before_the_account_is_known(own, log)
    other.advance(86_400)
    if follow == "wait":
        with pytest.warns(
            UserWarning, match=r"not on the account of this key \(\d+\): tune \d+, \d+\. The log"
        ):
            anb.wait(log.frame(), other.client(), log=log)
    else:
        anb.Callbacks(log, other.client(), public_url=HOOK).poll()
    assert log.frame()["status"].tolist() == ["queued", "queued"]
    assert log.frame()["account"].isna().all()
    own.advance(86_400)
    rows = anb.wait(log.frame(), client, log=log)
    assert rows["status"].tolist() == log.frame()["status"].tolist() == ["trained", "trained"]
    assert log.frame()["account"].tolist() == [client.account] * 2


def test_what_one_account_is_given_of_an_unknown_one_is_announced(
    accounts: tuple[anb.Sandbox, anb.Sandbox], log: anb.ExperimentLog
) -> None:
    own, other = accounts
    client = submit_before_the_account_is_known(own, log)
    frame = pd.DataFrame([vars(a_tune(title=title)) for title in "tu"])
    ids = log.frame()["id"].tolist()
    announced = rf"tunes {ids[0]}, {ids[1]}, which are not on the account of this key \(\d+\), and the log"
    with pytest.warns(UserWarning, match=announced):
        anb.submit_many(frame, other.client(), log=log)
    with pytest.warns(UserWarning, match=rf"row of tune {ids[0]}, which is not .*give another title$"):
        anb.submit(a_tune(), other.client(), log=log)
    assert posts(other) == 0
    assert anb.submit(a_tune(), client, log=log)["account"].tolist() == [client.account]
    rows = anb.submit_many(frame, client, log=log)
    assert rows["account"].tolist() == log.frame()["account"].tolist() == [client.account] * 2
    assert posts(own) == 2
    anb.submit(a_tune(), other.client(), log=log)
    assert posts(other) == 1  # as for every title of another account


def test_a_later_submission_records_the_account_of_the_earlier_ones(
    accounts: tuple[anb.Sandbox, anb.Sandbox], log: anb.ExperimentLog
) -> None:
    own, _ = accounts
    client = submit_before_the_account_is_known(own, log)
    anb.submit(a_tune(title="v"), client, log=log)
    assert log.frame()["account"].tolist() == [client.account] * 3
    assert log.frame()["state"].tolist() == ["done"] * 3


def test_a_lost_row_of_unknown_account_stays_open_where_it_is_not_found(
    accounts: tuple[anb.Sandbox, anb.Sandbox], log: anb.ExperimentLog
) -> None:
    own, other = accounts
    own.fail("500", "GET /users", count=None)
    own.fail("504", "POST /p/*/tunes", commit="yes")
    client = own.client()
    own.fail("500", "GET /tunes", count=None, after=1)
    with pytest.raises(OutcomeUnknownError):
        anb.submit(a_tune(), client, log=log, settle=0)
    own.heal()
    with pytest.warns(
        UserWarning, match=r"of an unknown account \(number 1 in .* not on the account of this key"
    ):
        assert log.recover(other.client(), settle=0).empty
    assert log.get(1).state == "unknown"
    for idempotent in (False, True):
        with pytest.raises(OutcomeUnknownError, match="may be another one than that it was sent to"):
            anb.submit(a_tune(), other.client(), log=log, settle=0, idempotent=idempotent)
    assert posts(other) == 0
    assert anb.submit(a_tune(), client, log=log, settle=0)["account"].tolist() == [client.account]
    assert log.frame()[["state", "account"]].to_numpy().tolist() == [["adopted", client.account]]


def test_an_account_is_recorded_once_a_tune_of_its_id_and_title_is_answered_to_it(
    log: anb.ExperimentLog,
) -> None:
    made = log.change(log.plan(a_request("t")), "sending")
    made = log.change(made, "done", tune_id=7, reply={"id": 7, "title": "t"})
    polls: list[tuple[dict[str, Any], str | None]] = [
        ({"id": 7, "title": "u"}, None),
        ({"id": 8, "title": "t"}, None),
        ({"id": 7, "title": "t", "status": "deleted"}, None),
        ({"id": 7, "title": "t"}, "1"),
        ({"id": 7, "title": "t"}, "1"),
    ]
    for reply_, account in polls:
        log.record_event("poll", submission=made, reply=reply_, account="1" if account else "2")
        assert log.get(made.id).request.account in (None, account)
    assert log.get(made.id).request.account == "1"
    assert log.frame()["account"].tolist() == ["1"]
