"""The public clients of the API work with the sandbox: each call does what its client expects."""

import pytest

from proofs.public_clients import CLIENTS, Outcome, play

LEAST_CALLS = 3


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[Outcome]]:
    """Return what became of each call, by client; all of them share a Node."""
    try:
        played = list(play())
    except LookupError as error:
        pytest.skip(str(error))
    return {name: [outcome for outcome in played if outcome.client == name] for name in CLIENTS}


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIENTS)
def test_each_call_of_a_public_client_does_what_the_client_expects(
    outcomes: dict[str, list[Outcome]], name: str
) -> None:
    assert [outcome for outcome in outcomes[name] if outcome.problem] == []
    assert [outcome.call for outcome in outcomes[name]] == CLIENTS[name].calls()
    assert len(outcomes[name]) >= LEAST_CALLS
