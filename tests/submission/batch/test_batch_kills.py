"""A notebook, or a worker, is killed in the middle of a batch, and nothing is paid twice or lost.

A few rounds; ``python tests/proofs/batch_kills.py`` plays many.
"""

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from proofs.batch_kills import BatchSubmitter, play_cells, play_cluster, play_workers
from proofs.batch_mutants import MUTANTS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.fixture(scope="module")
def submitter() -> Iterator[BatchSubmitter]:
    with closing(BatchSubmitter()) as running:
        yield running


def test_a_killed_cell_is_run_again_and_pays_nothing_twice(submitter: BatchSubmitter) -> None:
    tally = play_cells(2, rows=8, seed=1, submitter=submitter)
    assert (tally.rounds, tally.duplicates, tally.lost, tally.missing) == (2, [], [], [])


def test_killed_workers_pay_nothing_twice(submitter: BatchSubmitter) -> None:
    tally = play_workers(1, rows=6, seed=1, submitters=[submitter])
    assert tally.killed
    assert (tally.duplicates, tally.lost, tally.missing) == ([], [], [])


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_judge_finds_each_mutant_of_a_batch(mutant: str, submitter: BatchSubmitter) -> None:
    def is_found(seed: int) -> bool:
        if mutant == "title from row number":
            return not play_cells(1, rows=4, mutant=mutant, seed=seed, submitter=submitter).is_clean
        return not play_workers(1, rows=4, mutant=mutant, seed=seed, submitters=[submitter]).is_clean

    # Nearly always in the first round; now and then, no worker is killed at the moment that matters.
    assert any(is_found(seed) for seed in range(8))


@pytest.mark.soak
def test_cells_that_are_killed_at_twenty_moments_pay_nothing_twice(submitter: BatchSubmitter) -> None:
    tally = play_cells(20, seed=2, submitter=submitter)
    assert tally.killed >= 10
    assert tally.is_clean, tally


@pytest.mark.soak
def test_workers_that_are_killed_pay_nothing_twice(submitter: BatchSubmitter) -> None:
    tally = play_workers(20, seed=2, submitters=[submitter])
    assert tally.is_clean, tally


@pytest.mark.soak
def test_a_cluster_whose_workers_are_killed_pays_nothing_twice() -> None:
    pytest.importorskip("distributed")
    tally = play_cluster(20, rows=1000, seed=2)
    assert tally.killed >= 10
    assert tally.is_clean, tally
