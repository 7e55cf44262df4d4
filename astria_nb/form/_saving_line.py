"""The line that says that a draft is not saved, or could not be read; it is in sight only then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.form._draft_file import FOLDER
from astria_nb.form._saved_draft import SavedDraft
from astria_nb.form.fields import controls
from astria_nb.utils.warn import warn

_FAILED = (
    "This draft is not saved: {}. What is filled in here stays as long as the kernel. Free some space, or "
    "check the folder {} beside the log; the next change here tries again."
)


class SavingLine(controls.HTML):
    """Saves the draft of a form, and says so if it cannot.

    Parameters
    ----------
    saved : SavedDraft or None
        None if the form's draft is not to be saved.
    """

    def __init__(self, saved: SavedDraft | None) -> None:
        self._saved, self._has_begun, self._problem = saved, False, ""
        super().__init__(layout=widgets.Layout(display="none"), classes="astria-saving astria-error")

    def begin(self) -> None:
        """Save from here on: before, the form does not have all that the draft has."""
        self._has_begun = True

    def save(self, values: Callable[[], Mapping[str, Any]]) -> None:
        """Save what a function returns."""
        if self._saved is None or not self._has_begun:
            return
        try:
            problem = self._saved.write(values())
        except OSError as error:
            reason = error.strerror or str(error)
            problem = _FAILED.format(reason, FOLDER)
            if not self._problem:  # the form may not be in sight
                warn(f"the draft is not saved ({reason})")
        self._problem = problem
        lines = [line for line in (self._saved.notice, problem) if line]
        self.value = Markup().join(Markup("<div>{}</div>").format(line) for line in lines)
        self.layout.display = None if lines else "none"
