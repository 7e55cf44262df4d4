"""Whether the draft can be submitted: its tune, and all its problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from astria_nb.client import Client
from astria_nb.defaults import is_sandbox
from astria_nb.errors import Problem
from astria_nb.form._listed_tune import ListedTune
from astria_nb.form.pickers import PackField
from astria_nb.form.progress import SubmissionState
from astria_nb.submission import remarks_on
from astria_nb.tune import Estimate, Tune, check, check_pack, from_checked, problem_with_balance


@dataclass(frozen=True, slots=True)
class Review:
    """The result of a review.

    Attributes
    ----------
    tune : Tune or None
        None if a field is missing or wrong.
    problems : list of Problem
    estimate : Estimate or None
        The estimated price; None without a tune, or if the pack states no price.
    is_waiting : bool
        Whether the pack is being looked up.
    was_submitted : bool
        Whether exactly this tune was already submitted.
    remarks : sequence of Problem
        Likely problems; the tune can still be submitted.
    """

    tune: Tune | None
    problems: list[Problem]
    estimate: Estimate | None
    is_waiting: bool
    was_submitted: bool
    remarks: Sequence[Problem]

    @property
    def is_valid(self) -> bool:
        """Whether the tune can be submitted, unless it was already."""
        return not self.problems and not self.is_waiting


def review(
    values: Mapping[str, Any],
    pack_field: PackField,
    submissions: SubmissionState,
    max_cost: float | None,
    log_problem: Problem | None,
    client: Client,
    balance: float | None,
    photo_problems: Sequence[Problem],
    listed: Sequence[ListedTune],
    version_problems: Sequence[Problem],
) -> Review:
    """Review a draft.

    Parameters
    ----------
    values : mapping of str to object
        The filled-in fields, by their names in the API.
    pack_field : PackField
    submissions : SubmissionState
        Tunes that this form has submitted, by title.
    max_cost : float or None
        US dollars.
    log_problem : Problem or None
        Why the submission cannot be recorded.
    client : Client
        Client of the service that has to reach the addresses.
    balance : float or None
        Balance in US dollars; None if unknown.
    photo_problems : sequence of Problem
        Photos that the service would refuse, or that cannot be sent as they are.
    listed : sequence of ListedTune
        The tunes in the form's list, which are sent with the draft.
    version_problems : sequence of Problem
        Libraries with unsuitable versions, once they were checked.
    """
    fields, problems = check(values)
    tune = None if problems else from_checked(fields)
    problems += photo_problems
    problems += version_problems
    if log_problem is not None:
        problems.append(log_problem)
    pack, price = pack_field.pack, None
    if pack is not None:
        result = check_pack(pack, fields["name"], tune, max_cost)
        price = result.estimate
        problems += result.problems
    elif pack_field.problem is not None and not _is_invalid("pack", problems):
        problems.append(_at_pack(pack_field.problem))
    title = fields["title"]
    is_recorded = tune is not None and submissions.row_of(title) is not None
    remarks = remarks_on(fields, client)
    runs = [(other.tune, other.price) for other in listed if other.tune is not None]
    # A tune that was just sent is paid for: the remaining balance does not matter for it.
    if tune is not None and not is_recorded:
        runs.append((tune, price))
    remarks += filter(None, [problem_with_balance(runs, balance, is_sandbox=is_sandbox(client))])
    if tune is not None and title in [other.title for other in listed]:
        problems.append(Problem("title", "is in the list already", "press New for a fresh one"))
    if submissions.has_other(title, tune):
        problems.append(
            Problem("title", "was sent with other fields", "press New for a fresh one", kind="conflict")
        )
    return Review(
        tune,
        problems,
        price,
        is_waiting=pack_field.value is not None and pack is None and pack_field.problem is None,
        was_submitted=is_recorded and not problems,
        remarks=remarks,
    )


def _is_invalid(name: str, problems: Sequence[Problem]) -> bool:
    return any(problem.field == name and problem.kind != "missing" for problem in problems)


def _at_pack(problem: Problem) -> Problem:
    """Assign a problem that prevented the look-up of the pack, such as a wrong key, to the pack."""
    if problem.field == "pack":
        return problem
    return Problem("pack", f"{problem.field}: {problem.what}", problem.hint)
