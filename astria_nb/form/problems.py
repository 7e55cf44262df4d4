"""What is wrong, where a reader sees it: beside its field, in the list on top, and counted below."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from astria_nb.errors import Problem
from astria_nb.form.error_summary import ErrorEntry
from astria_nb.form.fields.base import Field
from astria_nb.tune.tune import FIELDS

# What to do about an empty field here, where nobody calls a function.
_HINTS = {
    "pack": "choose one",
    "name": "choose one",
    "title": "press New for a fresh one",
    "images": "add files here, or addresses under URLs",
}
_LABELS = {
    **{name: spec.label for name, spec in FIELDS.items()},
    "prompt_attributes.callback": "callback for each prompt",
    "max_cost": "what it may cost",
}


class ProblemDisplay:
    """The places where problems are shown.

    Parameters
    ----------
    fields : mapping of str to Field
        Every field by its name, in the order in which they are seen.
    reveal : callable
        Called with the name of a field that has gone wrong, to bring it into sight.
    """

    def __init__(self, fields: Mapping[str, Field], reveal: Callable[[str], None]) -> None:
        self._fields, self._reveal = fields, reveal
        self._wrong: set[str] = set()

    def show(self, problems: Sequence[Problem], *, is_fresh: bool = False) -> list[Problem]:
        """Show problems beside their fields; return the ones that belong to no field.

        Parameters
        ----------
        problems : sequence of Problem
        is_fresh : bool
            Nothing was filled in yet: what is only missing is not told.
        """
        at = [(self._place(problem), problem) for problem in problems]
        for name, field in self._fields.items():
            mine = [problem for where, problem in at if where == name]
            field.show_problems(
                [_in_a_form(name, each) for each in mine if not (is_fresh and _is_missing(each))]
            )
        wrong = {name for name, _ in at if name is not None and self._fields[name].value is not None}
        # Once only: a reader who folds it again, or opens another, is not overruled.
        for name in wrong - self._wrong:
            self._reveal(name)
        self._wrong = wrong
        return [problem for where, problem in at if where is None]

    def entries(self, problems: Sequence[Problem]) -> list[ErrorEntry]:
        """Return what is wrong, for the list on top; what is only still to be filled in is not."""
        order = list(self._fields)
        found = [
            ErrorEntry(field=name, label=_capital(_label(name)), text=f"{each.what}; {each.hint}")
            for each in problems
            if (name := self._place(each)) is not None and not _is_missing(each)
        ]
        return sorted(found, key=lambda entry: order.index(entry["field"]))

    def summary(self, problems: Sequence[Problem]) -> str:
        """Return how many fields are at fault, and which: ``2 things to mend: pack, class``."""
        names = [*dict.fromkeys(_label(self._place(each) or each.field) for each in problems)]
        return f"{len(names)} thing{'s' if len(names) > 1 else ''} to mend: {', '.join(names)}"

    def belongs(self, problem: Problem, name: str) -> bool:
        """Tell whether a problem is one of this field."""
        return self._place(problem) == name

    def _place(self, problem: Problem) -> str | None:
        names = (problem.field, problem.field.split(".")[0])
        return next((name for name in names if name in self._fields), None)


def _label(name: str) -> str:
    return _LABELS.get(name, name)


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]


def _is_missing(problem: Problem) -> bool:
    return problem.kind == "missing"


def _in_a_form(name: str, problem: Problem) -> Problem:
    return replace(problem, hint=_HINTS.get(name, problem.hint)) if _is_missing(problem) else problem
