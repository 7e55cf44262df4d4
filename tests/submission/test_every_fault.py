"""Each fault in each encoding, with and without an idempotent account: what was meant to happen, happens."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from astria_nb.client import _transport as transport
from astria_nb.errors import NotSentError, OutcomeUnknownError
from astria_nb.sandbox.faults import Kind
from helpers.clock import Clock
from helpers.fault_cases import CASES, ENCODINGS, Case
from helpers.faulty_service import Service, a_tune, behind_gateway
from helpers.large_photos import enlarge

PLANNED = [
    pytest.param(case, encoding, id=f"{case.name}-{encoding}")
    for case in CASES
    for encoding in case.encodings
]


@pytest.fixture(scope="module", params=[False, True], ids=["idempotency off", "idempotency on"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with behind_gateway(tmp_path_factory.mktemp("gateway"), idempotent=request.param) as running:
        yield running


@pytest.fixture(autouse=True)
def _healed(service: Service) -> Iterator[None]:
    """Let no test end in what befell the one before."""
    yield
    service.heal()


def test_every_kind_of_fault_of_the_sandbox_has_a_case() -> None:
    assert {case.fault["kind"] for case in CASES if case.fault} == set(get_args(Kind))


@pytest.mark.parametrize(("case", "encoding"), PLANNED)
def test_each_fault_ends_as_it_means(
    service: Service, photos: list[Path], monkeypatch: pytest.MonkeyPatch, case: Case, encoding: str
) -> None:
    if case.name.startswith("429"):
        Clock().install(monkeypatch)
    if "drips" in case.name:
        monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.4)
    if case.large:
        enlarge(photos[0], 40 * 2**20)
    state, posts, error = case.expected(idempotent=service.idempotent)
    tune, before = a_tune(case.name, encoding, photos), service.posts()
    service.plan(case)
    if error is None:
        assert list(service.submit(tune, encoding)["id"]) == service.tune_ids(tune)
    else:
        with pytest.raises(error) as caught:
            service.submit(tune, encoding)
        assert service.tune_ids(tune) == []
        assert ("certificate" in str(caught.value)) is ("certificate" in case.name)
    assert service.sandbox.faults == ()  # the fault that was planned has struck
    assert not service.gate.is_about_to_answer
    assert service.state(tune) == state
    assert service.posts() - before == posts

    # The same again, as a user would.
    service.heal()
    if state == "needs_review":
        with pytest.raises(OutcomeUnknownError):
            service.submit(tune, encoding)
        assert service.posts() - before == posts
    else:
        created = service.tune_ids(tune)
        row = service.submit(tune, encoding)
        assert list(row["id"]) == (created or service.tune_ids(tune))
        assert service.posts() - before == posts + (not created)
    assert len(service.tune_ids(tune)) == (state != "needs_review")


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
    service.heal()
    assert service.state(tune) == "not_sent"
    assert service.posts() == before
    assert list(service.submit(tune, encoding)["id"]) == service.tune_ids(tune)
