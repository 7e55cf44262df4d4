"""The draft of a form on disk, and the line that says so when it is no longer saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.form._saved_draft import SavedDraft
from astria_nb.form.fields import controls
from astria_nb.utils.warn import warn

_OPENED_ELSEWHERE = (
    "This draft is open in another form, which saves it now. What is filled in here stays, but is not saved: "
    "run this cell again to continue here with what the other form saved."
)


class SavingLine(controls.HTML):
    """Reads and saves the draft of a form, and says so if it cannot because another form has opened it.

    Parameters
    ----------
    saved : SavedDraft or None
        None if the form's draft is not to be saved.
    """

    def __init__(self, saved: SavedDraft | None) -> None:
        self._saved, self._has_begun = saved, False
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
            is_saved = self._saved.write(values())
        except OSError as error:
            self._saved = None
            warn(f"the draft is not saved ({error.strerror or error})")
            return
        self.value = Markup("<span>{}</span>").format("" if is_saved else _OPENED_ELSEWHERE)
        self.layout.display = "none" if is_saved else None
