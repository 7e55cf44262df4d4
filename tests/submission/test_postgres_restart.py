"""The log's server is killed or restarted while threads submit: nothing is lost or paid twice."""

import pytest

from helpers.soak import sizes
from proofs.postgres_restart import play


@pytest.mark.slow
@sizes(1, 10)
def test_a_run_goes_on_when_its_server_is_back(size: int) -> None:
    tally = play(size, 16 if size == 1 else 100, 8)
    assert tally.is_clean, "\n".join([*tally.duplicates, *tally.lost, *tally.failed, *tally.repeated_events])
    assert (tally.runs, tally.stops) == (size, 2 * size)
    assert tally.lines
