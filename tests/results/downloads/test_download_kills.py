"""A download is killed at random moments, and what it leaves is whole.

A few times; ``python tests/proofs/download_kills.py 2000`` kills many.
"""

import os

import pytest

from helpers.soak import sizes
from proofs.download_kills import MUTANTS, play

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@sizes(8, 200)
def test_every_file_is_whole_and_on_record(size: int) -> None:
    tally = play(size, seed=1)
    assert tally.killed >= size
    assert tally.ended
    assert tally.wrong == []


@pytest.mark.soak
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_judge_finds_each_mutant(mutant: str) -> None:
    assert play(40, mutant=mutant, seed=2).wrong
