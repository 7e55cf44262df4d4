"""How large a proof is: small in every run, as large as was promised by ``pytest -m soak``."""

import pytest


def sizes(short: int, long: int) -> pytest.MarkDecorator:
    """Give a test its ``size``, once as a short form and once as a long one."""
    return pytest.mark.parametrize("size", [short, pytest.param(long, marks=pytest.mark.soak)])
