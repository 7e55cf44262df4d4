"""Whether a tune fits its pack: the pack has the class, and the price is within the limit."""

from __future__ import annotations

from dataclasses import dataclass

from astria_nb.errors import Problem
from astria_nb.tune._pack import Pack
from astria_nb.tune._price import Estimate, estimate, problem_with_cost
from astria_nb.tune._tune import Tune


@dataclass(frozen=True, slots=True)
class PackCheck:
    """The result of `check_pack`.

    Attributes
    ----------
    estimate : Estimate or None
        What the tune is expected to cost; None without a tune, or if the pack gives no price.
    problems : tuple of Problem
    """

    estimate: Estimate | None
    problems: tuple[Problem, ...]


def check_pack(
    pack: Pack, name: str | None, tune: Tune | None = None, max_cost: float | None = None
) -> PackCheck:
    """Check a class and a tune against their pack.

    Parameters
    ----------
    pack : Pack
    name : str or None
        The class; None if it has not been chosen yet, or is not needed.
    tune : Tune, optional
        For the price; omitted while the tune is incomplete.
    max_cost : float, optional
        US dollars.

    Examples
    --------
    >>> pack = Pack.from_json({"id": 260, "costs": {"man": {"cost": 331, "num_images": 28}}})
    >>> print(*check_pack(pack, "cat").problems)
    name: 'cat' is not a class of pack 260; choose one of man
    """
    estimated = None if tune is None else estimate(tune, pack)
    problem = pack.problem_with(name)
    # The price of a class that the pack does not have is unknown; that is not a separate problem.
    if problem is None and tune is not None and max_cost is not None:
        problem = problem_with_cost(estimated, max_cost)
    return PackCheck(estimated, () if problem is None else (problem,))
