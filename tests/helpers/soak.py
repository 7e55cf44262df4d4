"""The size of a proof: small in every run, large with ``pytest -m soak``."""

import pytest


def sizes(short: int, long: int) -> pytest.MarkDecorator:
    """Parametrize a test's ``size``: a short form for every run and a long one for soak runs."""
    return pytest.mark.parametrize("size", [short, pytest.param(long, marks=pytest.mark.soak)])
