"""A submitting process is killed, and nothing is paid twice or lost.

A few rounds; ``python tests/proofs/kills.py 2400`` plays many.
"""

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from proofs.kills import MUTANTS, Submitter, play

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
# The faults under which a mutant shows at once.
TELLING = {
    "no intent": [{"fault": "504", "commit": "yes"}],
    "no settle wait": [{"fault": "504", "commit": "late"}],
    "no look-up": [{"fault": "504", "commit": "yes"}],
    "blind retry": [{"fault": "504", "commit": "yes"}],
    "title not looked for": [{}],
    "fingerprint not compared": [{"fault": "504", "commit": "yes"}],
    "segment trusted": [{}],
}
ROUNDS: dict[str, dict[str, float]] = {
    "title not looked for": {"runs": 0, "deletions": 1},
    "fingerprint not compared": {"runs": 1},
    "segment trusted": {"damages": 1},
}
PAID_TWICE = ("no intent", "blind retry", "title not looked for", "fingerprint not compared")


@pytest.fixture(scope="module")
def submitter() -> Iterator[Submitter]:
    with closing(Submitter()) as running:
        yield running


def test_no_duplicate_and_no_loss(submitter: Submitter) -> None:
    tally = play(8, seed=1, submitter=submitter)
    assert tally.killed
    assert tally.duplicates == []
    assert tally.lost == []


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_judge_finds_each_mutant(mutant: str, submitter: Submitter) -> None:
    rounds = {"runs": 0.0, "deletions": 0.0, "damages": 0.0} | ROUNDS.get(mutant, {})

    def is_found(seed: int) -> bool:
        tally = play(4, mutant=mutant, faults=TELLING[mutant], seed=seed, submitter=submitter, **rounds)
        # Without an intent, all of it is off this record and counts as lost; it has to be paid twice as well.
        return bool(tally.duplicates if mutant in PAID_TWICE else tally.lost)

    # Nearly always in the first rounds; now and then, each of them is killed before its tune is paid for.
    assert any(is_found(seed) for seed in range(3, 8))


@pytest.mark.soak
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_judge_finds_each_mutant_in_forty_rounds_of_any_kind(mutant: str, submitter: Submitter) -> None:
    def is_found(seed: int) -> bool:
        tally = play(10, mutant=mutant, seed=seed, submitter=submitter)
        return bool(tally.duplicates if mutant == "no intent" else tally.duplicates + tally.lost)

    detected = [any(is_found(10 * number + part) for part in range(4)) for number in range(10)]
    assert sum(detected) >= 9
