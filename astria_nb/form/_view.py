"""The form's view of its draft: problems, the request as code, the Submit button."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from astria_nb.errors import Problem
from astria_nb.form._draft import Draft
from astria_nb.form._error_summary import ErrorSummary
from astria_nb.form._problems import ProblemDisplay
from astria_nb.form._request_view import RequestView
from astria_nb.form._review import Review
from astria_nb.form._submit_bar import SubmitBar
from astria_nb.form._tune_list import TuneList
from astria_nb.form.progress import SubmissionState, UploadPanel

Status = Literal["incomplete", "ready", "sending", "submitted", "failed"]


def status_of(review: Review, state: SubmissionState) -> Status:
    """Return the form's status."""
    if state.phase in ("sending", "failed"):
        return state.phase
    if review.was_submitted:
        return "submitted"
    return "ready" if review.is_valid else "incomplete"


class FormView:
    """Updates the form's widgets after changes of its draft and its submissions.

    Parameters
    ----------
    draft : Draft
    request : RequestView
    submit_bar : SubmitBar
    upload : UploadPanel
    tune_list : TuneList

    Attributes
    ----------
    error_summary : ErrorSummary
    """

    def __init__(
        self,
        draft: Draft,
        request: RequestView,
        submit_bar: SubmitBar,
        upload: UploadPanel,
        tune_list: TuneList,
    ) -> None:
        self._list = tune_list
        self._draft, self._request, self._submit_bar, self._upload = draft, request, submit_bar, upload
        self._display = ProblemDisplay(draft.fields, draft.reveal)
        self.error_summary = ErrorSummary(draft.reveal)

    def update(self, review: Review, state: SubmissionState, status: Status) -> None:
        """Show a review of the draft, and the outcome of the last submission."""
        problems = [*review.problems, *self.rejected(state)]
        self._display.show(problems, is_fresh=self._draft.is_fresh)
        self._display.show_remarks(review.remarks)
        self.error_summary.problems = self._display.entries(problems)
        self._draft.sections.update_titles()
        if self._draft.sections.shows_request:  # generating the code takes a while
            self._request.show(review.tune, self._draft.encoding)
        can_add = review.is_valid and not review.was_submitted and status != "sending"
        listed = len(self._list.tunes)
        sends_list_only = bool(listed) and self._draft.is_blank and status != "sending"
        self._submit_bar.show(
            enabled=can_add or sends_list_only,
            can_add=can_add,
            listed=listed + can_add if listed else 0,
            listed_price=self._list.price_with(review.estimate if can_add else None, is_one_more=can_add),
            note=self._list_summary(review)
            if sends_list_only
            else self.summary(problems, status, review.remarks, is_waiting=review.is_waiting),
            is_error=any(self._display.field_of(problem) is None for problem in review.problems),
            estimate=review.estimate,
            is_submitted=status == "submitted",
        )
        if status == "failed":
            no_field = [problem for problem in state.problems if self._display.field_of(problem) is None]
            self._upload.show_failure([self._display.message(problem) for problem in no_field])

    def summary(
        self,
        problems: Sequence[Problem],
        status: Status,
        remarks: Sequence[Problem] = (),
        *,
        is_waiting: bool = False,
    ) -> str:
        """Return the state of the form as one line."""
        if is_waiting:
            return "Looking up the pack"
        if status == "sending":
            return "Submitting"
        if problems:
            return self._display.summary(problems)
        if status == "submitted":
            return "Submitted."
        return f"Ready to submit{self._display.remark_summary(remarks)}"

    def _list_summary(self, review: Review) -> str:
        """Return what to check before the list is sent without a draft, as one line."""
        return self.summary([], "ready", review.remarks) if review.remarks else ""

    def status_lines(
        self, review: Review, problems: Sequence[Problem], state: SubmissionState
    ) -> tuple[str, list[str]]:
        """Return the state of the form with its price in a line, and the list of errors in lines."""
        summary = self.summary(problems, status_of(review, state), review.remarks).removesuffix(".")
        price = self._submit_bar.price(review.estimate)
        lines = [f"{entry['label']} {entry['text']}" for entry in self._display.entries(problems)]
        return " · ".join(filter(None, (summary, price))), lines

    def rejected(self, state: SubmissionState, name: str | None = None) -> list[Problem]:
        """Return the problems of the last submission at one field, by default at any field."""
        fields = ((problem, self._display.field_of(problem)) for problem in state.problems)
        return [problem for problem, field in fields if field is not None and name in (None, field)]
