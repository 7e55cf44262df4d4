"""Each fault in each encoding, with and without an idempotent account: what was meant to happen, happens."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb import transport
from astria_nb.errors import NotSentError, OutcomeUnknownError
from astria_nb.log import Log
from astria_nb.log_states import Submission
from clock import Clock
from fault_cases import CASES, ENCODINGS, ROUTE, Case
from gateway import Gateway

PLANNED = [
    pytest.param(case, encoding, id=f"{case.name}-{encoding}")
    for case in CASES
    for encoding in case.encodings
]


class StruckLog(Log):
    """A log that lets something happen as soon as an intent is on record."""

    strike: Callable[[], None] | None = None

    def plan(self, *planned: Any) -> Submission:
        submission = super().plan(*planned)
        if self.strike is not None:
            self.strike()
        return submission


class Service:
    """A sandbox behind a gateway, and the log of what is submitted to it."""

    def __init__(self, sandbox: anb.Sandbox, gate: Gateway, log: StruckLog) -> None:
        self.sandbox, self.gate, self.log = sandbox, gate, log
        self.idempotent = sandbox.options.idempotent

    def submit(self, tune: anb.Tune, encoding: Any) -> Any:
        client = anb.Client(self.sandbox.api_key, base_url=f"https://{self.gate.netloc}")
        client._transport._service.verify = self.gate.certificate
        return anb.submit(tune, client, encoding=encoding, log=self.log, settle=0, idempotent=self.idempotent)

    def posts(self) -> int:
        """Return how many requests for a tune arrived so far, in part or whole."""
        return sum(request.method == "POST" for request in self.sandbox.ledger) + self.gate.answered

    def made(self, tune: anb.Tune) -> list[int]:
        """Return the tunes of a title, by the ledger."""
        mine = (each for each in self.sandbox.ledger if each.params and each.params["title"] == tune.title)
        return [tune_id for request in mine for tune_id in request.tune_ids]

    def state(self, tune: anb.Tune) -> str:
        """Return what the log says of a title."""
        frame = self.log.frame()
        (state,) = frame.loc[frame["title"] == tune.title, "state"]
        return str(state)


@pytest.fixture(scope="module", params=[False, True], ids=["idempotency off", "idempotency on"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("gateway")
    gate = Gateway(folder)
    sandbox = anb.Sandbox(idempotent=request.param, allowed_hosts=(gate.netloc,))
    with sandbox, gate.before(sandbox.url):
        yield Service(sandbox, gate, StruckLog(folder / "log.sqlite"))


def a_tune(title: str, encoding: str, images: list[Path]) -> anb.Tune:
    files = encoding == "multipart"
    source: dict[str, Any] = {"images": images} if files else {"image_urls": ["https://example.com/1.jpg"]}
    return anb.Tune(pack=797, title=f"{title}, {encoding}", name="cat", prompt_ids=[797001], **source)


@pytest.mark.parametrize(("case", "encoding"), PLANNED)
def test_each_fault_ends_as_it_means(
    service: Service, photos: list[Path], monkeypatch: pytest.MonkeyPatch, case: Case, encoding: str
) -> None:
    if case.name.startswith("429"):
        Clock().install(monkeypatch)
    if "drips" in case.name:
        monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.4)
    if case.large:
        with photos[0].open("ab") as file:
            file.truncate(40 * 2**20)
    state, posts, error = case.expected(idempotent=service.idempotent)
    tune, before = a_tune(case.name, encoding, photos), service.posts()
    if case.fault:
        fault = dict(case.fault)
        service.sandbox.fail(fault.pop("kind"), ROUTE, **fault)
    strike = case.strike
    service.log.strike = None if strike is None else lambda: strike(service.gate)
    if error is None:
        assert list(service.submit(tune, encoding)["id"]) == service.made(tune)
    else:
        with pytest.raises(error) as caught:
            service.submit(tune, encoding)
        assert service.made(tune) == []
        assert ("certificate" in str(caught.value)) is ("certificate" in case.name)
    assert service.sandbox.faults == ()  # the fault that was planned has struck
    assert not service.gate.is_about_to_answer
    assert service.state(tune) == state
    assert service.posts() - before == posts

    # The same again, as a user would.
    service.log.strike = None
    service.gate.heal()
    if state == "needs_review":
        with pytest.raises(OutcomeUnknownError):
            service.submit(tune, encoding)
        assert service.posts() - before == posts
    else:
        made = service.made(tune)
        row = service.submit(tune, encoding)
        assert list(row["id"]) == (made or service.made(tune))
        assert service.posts() - before == posts + (not made)
    assert len(service.made(tune)) == (state != "needs_review")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_name_that_is_lost_costs_nothing(
    service: Service, photos: list[Path], monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    def unknown(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    def strike() -> None:
        service.gate.hang_up()
        monkeypatch.setattr(socket, "getaddrinfo", unknown)

    tune, before, service.log.strike = a_tune("DNS", encoding, photos), service.posts(), strike
    with pytest.raises(NotSentError, match=r"cannot be reached \(Name or service not known\)"):
        service.submit(tune, encoding)
    monkeypatch.undo()
    service.log.strike = None
    assert service.state(tune) == "not_sent"
    assert service.posts() == before
    assert list(service.submit(tune, encoding)["id"]) == service.made(tune)
