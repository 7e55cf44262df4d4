"""Waiting for what another thread or process does, however slow the machine is."""

import time
from collections.abc import Callable
from typing import TypeVar

Outcome = TypeVar("Outcome")

PATIENCE = 120
"""Seconds after which something has failed. No test asserts that anything takes less."""


def until(condition: Callable[[], Outcome]) -> Outcome:
    """Wait until a condition is true, and return its value."""
    end = time.monotonic() + PATIENCE
    while not (outcome := condition()):
        assert time.monotonic() < end, f"the condition did not become true in {PATIENCE:.0f} s"
        time.sleep(0.01)
    return outcome
