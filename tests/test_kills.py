"""A submitting process is killed, and nothing is paid twice or lost.

A few rounds; ``python tests/proofs/kills.py 2400`` plays many.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "proofs"))

from kills import play

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def test_no_duplicate_and_no_loss() -> None:
    tally = play(8, seed=1)
    assert tally.killed
    assert tally.duplicates == []
    assert tally.lost == []


def test_the_judge_finds_what_a_submission_without_intent_does() -> None:
    tally = play(5, mutant="no intent")
    assert tally.duplicates + tally.lost
