"""Whether what is filled in can be sent: a tune, and everything that speaks against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from astria_nb.errors import Problem
from astria_nb.form.pack_field import PackField
from astria_nb.pack import Pack
from astria_nb.tune import Tune, check


@dataclass(frozen=True, slots=True)
class Review:
    """What came of it.

    Attributes
    ----------
    tune : Tune or None
        None while a field is missing or wrong.
    problems : list of Problem
    pack : Pack or None
        As the service tells of it.
    is_waiting : bool
        Whether the service still has to tell of the pack.
    was_sent : bool
        Whether this very tune was sent before.
    """

    tune: Tune | None
    problems: list[Problem]
    pack: Pack | None
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
    if pack.pack is not None:
        problems += _against(pack.pack, fields["name"], None if tune is None else max_cost)
    elif pack.problem is not None:
        problems.append(_at_the_pack(pack.problem))
    title = fields["title"]
    if title in sent and sent[title] != tune:
        problems.append(Problem("title", "was sent with other fields", "press New for a fresh one"))
    is_waiting = pack.value is not None and pack.pack is None and pack.problem is None
    was_sent = tune is not None and not problems and title in sent
    return Review(tune, problems, pack.pack, is_waiting, was_sent)


def _against(pack: Pack, name: str | None, max_cost: float | None) -> list[Problem]:
    found = [pack.problem_with(name)]
    if max_cost is not None:
        found.append(pack.problem_with_cost(name, max_cost))
    return [each for each in found if each is not None]


def _at_the_pack(problem: Problem) -> Problem:
    """Put what kept the pack from being known, such as a wrong key, beside the pack."""
    if problem.field == "pack":
        return problem
    return Problem("pack", f"{problem.field}: {problem.what}", problem.hint)
