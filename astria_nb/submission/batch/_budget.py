"""The budget of a batch: prices are reserved before sending, so that the limit holds for concurrent rows."""

from __future__ import annotations

from astria_nb.errors import Problem
from astria_nb.tune import dollars, in_mc


class Budget:
    """Amounts that were spent or are reserved, within a limit. Used only by the thread that hands out rows.

    Parameters
    ----------
    max_cost : float or None
        US dollars, for all tunes together; None for no limit.
    """

    def __init__(self, max_cost: float | None) -> None:
        self._limit = None if max_cost is None else in_mc(max_cost)
        self.spent_mc = 0
        self._reserved: dict[int, int] = {}

    def reserve(self, row: int, price_mc: int | None) -> Problem | None:
        """Reserve the price of a tune that is about to be sent; return the problem if it is too much."""
        price, spent = price_mc or 0, self.spent_mc + sum(self._reserved.values())
        if self._limit is not None and spent + price > self._limit:
            limit, before, more = (dollars(amount, exact=True) for amount in (self._limit, spent, price))
            what = f"is {limit}, {before} are spent, and this run costs {more}"
            return Problem("max_cost", what, "raise it, and run the batch again: nothing is sent twice")
        self._reserved[row] = price
        return None

    def settle(self, row: int, *, is_paid: bool, cost_mc: int | None = None) -> None:
        """Replace the amount reserved for a tune by its cost: the service's figure, else the estimate."""
        reserved = self._reserved.pop(row, None)
        if is_paid and reserved is not None:
            self.spent_mc += reserved if cost_mc is None else cost_mc
