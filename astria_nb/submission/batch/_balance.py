"""Whether a row was refused since the account has too little: then the others would be refused as well."""

from __future__ import annotations

import time
from collections.abc import Callable

from astria_nb.client import Client
from astria_nb.errors import AstriaError, RejectedError
from astria_nb.tune import Pack, Tune, estimate, problem_with_balance

_SECONDS = 5.0  # for which a balance that was enough is taken to be so


class BalanceCheck:
    """Asks for the balance after a row was refused for no field of its own.

    The status alone does not tell it: the service is not documented to answer 402.

    Parameters
    ----------
    client : Client
    tune_and_pack : callable
        Returns those of a row.
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
