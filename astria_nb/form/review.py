"""Whether what is filled in can be sent: a tune, and everything that speaks against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from astria_nb.errors import Problem
from astria_nb.form.pickers.pack_field import PackField
from astria_nb.tune.pack import Pack
from astria_nb.tune.price import Estimate, estimate, problem_with_cost
from astria_nb.tune.tune import Tune, check


@dataclass(frozen=True, slots=True)
class Review:
    """What came of it.

    Attributes
    ----------
    tune : Tune or None
        None while a field is missing or wrong.
    problems : list of Problem
    estimate : Estimate or None
        What the tune is thought to cost; None without a tune, or where the pack does not tell.
    is_waiting : bool
        Whether the service still has to tell of the pack.
    was_sent : bool
        Whether this very tune was sent before.
    """

    tune: Tune | None
    problems: list[Problem]
    estimate: Estimate | None
    is_waiting: bool
    was_sent: bool

    @property
    def is_valid(self) -> bool:
        """Whether it can be sent, if it was not."""
        return not self.problems and not self.is_waiting


def review(
    values: Mapping[str, Any], pack: PackField, sent: Mapping[str | None, Tune | None], max_cost: float | None
) -> Review:
    """Look at what is filled in.

    Parameters
    ----------
    values : mapping
        By the fields' names in the API.
    pack : PackField
    sent : mapping of str to Tune or None
        What was sent before, by its title; None where it is known only that it was.
    max_cost : float or None
        US dollars.
    """
    fields, problems = check(values)
    tune = None if problems else Tune(**fields)
    estimated = None
    if pack.pack is not None:
        estimated = None if tune is None else estimate(tune, pack.pack)
        problems += _against(pack.pack, fields["name"], estimated, None if tune is None else max_cost)
    elif pack.problem is not None:
        problems.append(_at_the_pack(pack.problem))
    title = fields["title"]
    if title in sent and sent[title] != tune:
        problems.append(Problem("title", "was sent with other fields", "press New for a fresh one"))
    is_waiting = pack.value is not None and pack.pack is None and pack.problem is None
    was_sent = tune is not None and not problems and title in sent
    return Review(tune, problems, estimated, is_waiting, was_sent)


def _against(
    pack: Pack, name: str | None, estimated: Estimate | None, max_cost: float | None
) -> list[Problem]:
    found = [pack.problem_with(name)]
    if max_cost is not None:
        found.append(problem_with_cost(estimated, max_cost))
    return [each for each in found if each is not None]


def _at_the_pack(problem: Problem) -> Problem:
    """Put what kept the pack from being known, such as a wrong key, beside the pack."""
    if problem.field == "pack":
        return problem
    return Problem("pack", f"{problem.field}: {problem.what}", problem.hint)
