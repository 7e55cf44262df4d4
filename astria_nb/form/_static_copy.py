"""A copy of the form as plain HTML, for saved notebooks, exported pages and other frontends."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from astria_nb.form._draft import Draft
from astria_nb.form._review import Review
from astria_nb.form._static_html import form_html
from astria_nb.form._tune_list import TuneList
from astria_nb.form._view import FormView
from astria_nb.form.progress import SubmissionPanel
from astria_nb.utils.saved_output import saved_note


class StaticCopy:
    """Makes the copy from the parts of a form.

    Parameters
    ----------
    account : str
        A description of the account.
    draft : Draft
    view : FormView
    panel : SubmissionPanel
    review : callable
        Returns a `Review` of the current draft.
    tune_list : TuneList
    with_photos : bool
        Whether the copy contains the training photos. Otherwise it contains their file names.
    """

    def __init__(
        self,
        account: str,
        draft: Draft,
        view: FormView,
        panel: SubmissionPanel,
        review: Callable[[], Review],
        tune_list: TuneList,
        *,
        with_photos: bool,
    ) -> None:
        self._account, self._draft, self._view, self._panel = account, draft, view, panel
        self._review, self._list, self._with_photos = review, tune_list, with_photos

    def saved(self) -> str:
        """Return the copy for a notebook's file, with a line on how to get the form back."""
        return str(saved_note("form")) + self.whole()

    def whole(self) -> str:
        """Return the fields, the rows and the loaded pictures.

        A plain string: some frontends refuse a subclass.
        """
        return str(self.fields() + self._panel.saved_html(with_photos=self._with_photos))

    def fields(self) -> Markup:
        """Return the fields, the state and the errors."""
        review, state = self._review(), self._panel.state
        problems = [*review.problems, *self._view.rejected(state)]
        status, errors = self._view.status_lines(review, problems, state)
        page = form_html(self._account, self._draft.public_values(), status, errors, self._with_photos)
        return page + self._list.saved_html()
