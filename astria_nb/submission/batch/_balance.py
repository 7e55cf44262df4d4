"""Whether a row was refused because the balance is too low: then the others would be refused, too."""

from __future__ import annotations

import time
from collections.abc import Callable

from astria_nb.client import Client
from astria_nb.errors import AstriaError, RejectedError
from astria_nb.tune import Pack, Tune, estimate, problem_with_balance

_SECONDS = 5.0  # a sufficient balance is assumed to remain sufficient for this long


class BalanceCheck:
    """Requests the balance after a row was refused for a reason that is not one of its fields.

    The status alone is not enough: the service is not documented to answer 402.

    Parameters
    ----------
    client : Client
    tune_and_pack : callable
        Returns the tune and the pack of a row.
    """

    def __init__(self, client: Client, tune_and_pack: Callable[[int], tuple[Tune, Pack]]) -> None:
        self._client, self._tune_and_pack = client, tune_and_pack
        self._next = 0.0

    def is_exceeded(self, row: int, error: AstriaError | None) -> bool:
        """Return whether a row was refused, and costs more than the account has."""
        if not isinstance(error, RejectedError) or any(problem.field != "tune" for problem in error.problems):
            return False
        if time.monotonic() < self._next:
            return False
        tune, pack = self._tune_and_pack(row)
        balance = self._client.balance()
        self._next = time.monotonic() + _SECONDS
        return problem_with_balance([(tune, estimate(tune, pack))], balance, is_sandbox=False) is not None
