"""Downloads are killed at random moments, and the files that they leave are complete.

Some kills here; ``python tests/proofs/download_kills.py 2000`` kills many.
"""

import os

import pytest

from helpers.soak import sizes
from proofs.download_kills import MUTANTS, play

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.mark.slow
@sizes(4, 200)
def test_every_file_is_complete_and_in_the_manifest(size: int) -> None:
    tally = play(size, seed=1)
    assert tally.killed >= size
    assert tally.ended
    assert tally.wrong == []


@pytest.mark.soak
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_proof_finds_each_mutant(mutant: str) -> None:
    assert play(40, mutant=mutant, seed=2).wrong
