"""The draft of a form on disk, and the line that says so when it is not saved or could not be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
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
    """Reads and saves the draft of a form, and says so if it cannot.

    Parameters
    ----------
    saved : SavedDraft or None
        None if the form's draft is not to be saved.
    """

    def __init__(self, saved: SavedDraft | None) -> None:
        self._saved, self._has_begun, self._problem = saved, False, ""
        super().__init__(layout=widgets.Layout(display="none"), classes="astria-saving astria-error")

    @property
    def make_photos_folder(self) -> Callable[[], Path] | None:
        """Returns a folder for photos from the user's computer; None if the draft is not saved."""
        return None if self._saved is None else self._saved.make_photos_folder

    def read(self) -> dict[str, Any]:
        """Return what was saved, with the list; empty if there is nothing."""
        return {} if self._saved is None else self._saved.read()

    def begin(self) -> None:
        """Save from now on: until then, the form does not contain the whole draft."""
        self._has_begun = True

    def save(self, values: Callable[[], Mapping[str, Any]]) -> None:
        """Save the fields that a function returns."""
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
