"""Problems as messages of the form: below their fields, in the list at the top, and counted at Submit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from astria_nb.errors import Problem
from astria_nb.form._error_summary import ErrorEntry
from astria_nb.form.fields import Field
from astria_nb.form.images import naming_controls, without_folders
from astria_nb.tune import FIELDS

# How to fill in an empty field in the form, instead of in code.
_MISSING = {
    "pack": "Choose a pack.",
    "name": "Choose a class.",
    "title": "Enter a title, or press New for one.",
    "images": "Add at least one photo here, or links under URLs.",
}
_LABELS = {
    **{name: spec.label for name, spec in FIELDS.items()},
    "images": "photos",
    "prompt_attributes.callback": "callback for each prompt",
}
# The subject of problems with these fields, if their text does not name it.
_SUBJECTS = {
    "form": "the submission",
    "max_cost": "the cost limit",
    "log": "the experiment log",
}


class ProblemDisplay:
    """Shows problems at their fields.

    Parameters
    ----------
    fields : mapping of str to Field
        Every field by its name, in the order of the form.
    reveal : callable
        Called with the name of a field with a new problem, to bring it into view.
    """

    def __init__(self, fields: Mapping[str, Field], reveal: Callable[[str], None]) -> None:
        self._fields, self._reveal = fields, reveal
        self._wrong: set[str] = set()
        self._remarked: set[str] = set()

    def show(self, problems: Sequence[Problem], *, is_fresh: bool = False) -> None:
        """Show each problem below its field.

        Parameters
        ----------
        problems : sequence of Problem
        is_fresh : bool
            Whether nothing has been filled in yet; then empty fields are not marked.
        """
        for name, field in self._fields.items():
            at_field = [problem for problem in problems if self.field_of(problem) == name]
            missing = [problem for problem in at_field if problem.kind == "missing"]
            if is_fresh or field.explains_missing_value:
                at_field = [problem for problem in at_field if problem.kind != "missing"]
            field.show_problems(
                [self.message(problem) for problem in at_field], is_hint=len(missing) == len(at_field)
            )
        filled_in = {name for name, field in self._fields.items() if field.value is not None}
        self._wrong = self._reveal_once(self._named(problems) & filled_in, self._wrong)

    def show_remarks(self, remarks: Sequence[Problem]) -> None:
        """Show below each field problems that are likely, but do not prevent a submission."""
        for name, field in self._fields.items():
            field.show_remarks(
                [
                    _capitalized(f"{_subject(remark)}{_text(remark)}")
                    for remark in remarks
                    if self.field_of(remark) == name
                ]
            )
        self._remarked = self._reveal_once(self._named(remarks), self._remarked)

    def _named(self, problems: Sequence[Problem]) -> set[str]:
        return {name for problem in problems if (name := self.field_of(problem)) is not None}

    def _reveal_once(self, names: set[str], before: set[str]) -> set[str]:
        """Bring fields into view that had no problem before: a section that the user closes stays closed."""
        for name in names - before:
            self._reveal(name)
        return names

    def entries(self, problems: Sequence[Problem]) -> list[ErrorEntry]:
        """Return the errors for the list at the top; empty fields are not errors."""
        order = list(self._fields)
        entries = [
            ErrorEntry(field=name, label=_capitalized(_label(name)), text=self._sentence(problem)[1])
            for problem in problems
            if problem.kind != "missing" and (name := self.field_of(problem)) is not None
        ]
        return sorted(entries, key=lambda entry: order.index(entry["field"]))

    def summary(self, problems: Sequence[Problem]) -> str:
        """Return the number of errors and the empty fields as one line.

        Such as ``1 problem to fix · Still needed: class, photos``.
        """
        count = len(self.entries(problems))
        missing = dict.fromkeys(_label(problem.field) for problem in problems if problem.kind == "missing")
        no_field = [problem for problem in problems if self.field_of(problem) is None]
        return " · ".join([
            *([f"{count} problem{'' if count == 1 else 's'} to fix"] if count else []),
            *([f"Still needed: {', '.join(missing)}"] if missing else []),
            *map(self.message, no_field),
        ])  # fmt: skip

    def remark_summary(self, remarks: Sequence[Problem]) -> str:
        """Return what to check before a submission, as the end of a sentence; empty without remarks."""
        if len(remarks) == 1:
            return f", but {_subject(remarks[0])}{remarks[0].what}"
        names = dict.fromkeys(_label(remark.field) for remark in remarks)
        return f", but there are {len(remarks)} remarks: see {', '.join(names)}" if remarks else ""

    def message(self, problem: Problem) -> str:
        """Return a problem as a sentence for the user of the form."""
        subject, text = self._sentence(problem)
        return _capitalized(f"{subject} {text}") if subject else text

    def _sentence(self, problem: Problem) -> tuple[str, str]:
        """Return the subject of the sentence, empty if the text is complete without one, and the text."""
        if problem.kind == "missing" and problem.field in _MISSING:
            return "", _MISSING[problem.field]
        if problem.kind == "not_found" and problem.field == "pack":
            return "", f"No pack {self._fields['pack'].value}. Use Browse packs."
        if problem.kind == "conflict" and problem.field in ("images", "image_urls"):
            rival = "existing tunes" if self._fields["tune_ids"].value else "photos from files"
            return _label(problem.field), f"cannot be combined with {rival}; leave out one."
        text = _text(problem)
        if problem.field in _SUBJECTS:
            return _SUBJECTS[problem.field], text
        if self.field_of(problem) is None:
            return "", f"The service rejected the tune: {text}" if problem.kind == "rejected" else str(
                problem
            )
        return "" if problem.kind == "invalid" else _label(problem.field), text

    def field_of(self, problem: Problem) -> str | None:
        """Return the name of the form's field that a problem belongs to, or None."""
        # The prices are on the classes.
        names = ("name",) if problem.field == "balance" else (problem.field, problem.field.split(".")[0])
        return next((name for name in names if name in self._fields), None)


def _text(problem: Problem) -> str:
    text = f"{problem.what}; {naming_controls(problem.hint)}"
    return without_folders(text) if problem.field == "images" else text


def _subject(remark: Problem) -> str:
    return "the balance " if remark.field == "balance" else ""


def _label(name: str) -> str:
    return _LABELS.get(name) or _LABELS.get(name.split(".")[0]) or name


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
