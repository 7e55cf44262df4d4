"""The three encodings mean the same to a stock Rails; asked of Action Pack where it is installed."""

import pytest

from helpers.soak import sizes
from proofs.rails_parameters import missing
from proofs.rails_tunes import compare_tunes


@sizes(60, 2000)
def test_what_the_client_sends_is_read_as_it_was_given(size: int) -> None:
    if reason := missing():
        pytest.skip(reason)
    _, differences = compare_tunes(size, seed=1)
    assert differences == []
