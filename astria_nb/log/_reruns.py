"""Repeats a transaction that was rolled back: its server went away, or it conflicted with another one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import count
from time import monotonic
from typing import ParamSpec, TypeVar

from astria_nb.errors import LogError, Problem

P = ParamSpec("P")
T = TypeVar("T")


class TransactionLost(LogError):  # noqa: N818  a subclass of an error whose name ends so
    """A transaction was rolled back completely, and can be run again.

    Parameters
    ----------
    problem : Problem
        For a caller that does not run it again.
    prepare : callable
        Waits until it can be run again, or raises a `LogError`. Called with the number of runs, and the
        seconds since the first of them was lost.
    """

    def __init__(self, problem: Problem, prepare: Callable[[int, float], None]) -> None:
        super().__init__(problem)
        self.prepare = prepare


def again_if_lost(transaction: Callable[P, T]) -> Callable[P, T]:
    """Repeat a function, which does all its work in one transaction, if the transaction was lost."""

    @wraps(transaction)
    def run(*args: P.args, **options: P.kwargs) -> T:
        first_lost: float | None = None
        for runs in count(1):
            try:
                return transaction(*args, **options)
            except TransactionLost as error:
                prepare = error.prepare
            first_lost = monotonic() if first_lost is None else first_lost
            prepare(runs, monotonic() - first_lost)
        raise AssertionError("unreachable")

    return run
