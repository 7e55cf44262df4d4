"""What a stock Rails reads, the sandbox reads; asked of Action Pack where it is installed."""

import pytest

from astria_nb.sandbox.params import casts
from helpers.soak import sizes
from proofs.rails_parameters import ask_rails, cases_of_casts, compare, missing


@pytest.fixture(autouse=True)
def rails() -> None:
    if reason := missing():
        pytest.skip(reason)


@sizes(200, 5000)
def test_bodies_with_well_formed_keys(size: int) -> None:
    _, comparison = compare(size, seed=1)
    assert comparison.different == []
    assert comparison.alike > size / 2
    assert sum(comparison.refused_by_rails.values()) <= size / 100
    assert set(comparison.refused_by_rails) <= {
        "400 ActionController::BadRequest"
    }  # of Rails 7, a body of no part
    assert sum(comparison.refused_by_sandbox.values()) <= size / 20


def test_columns_cast_what_they_are_given() -> None:
    cases = list(cases_of_casts())
    _, answers = ask_rails({"cast": kind, "value": value} for kind, value in cases)
    read = {"integer": casts.integer, "boolean": casts.boolean}
    blank = {"integer": None, "boolean": False}  # a column that is null counts as false
    for (kind, value), answer in zip(cases, answers, strict=True):
        expected = blank[kind] if answer["cast"] is None else answer["cast"]
        assert read[kind](value) == expected, (kind, value)
