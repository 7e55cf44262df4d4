"""The base of every field in the form: a control, and below it what is wrong with its value."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import ipywidgets as widgets
import traitlets
from markupsafe import Markup

from astria_nb.errors import Problem

WIDE = widgets.Layout(width="100%")
LABEL = {"description_width": "96px"}


def displayable(filename: str) -> str:
    """Return a file name that can be sent to the browser, with bytes that are not UTF-8 replaced."""
    return filename.encode("utf-8", "replace").decode()


class Field(widgets.VBox):
    """A part of the draft with its control.

    Parameters
    ----------
    *controls : Widget
        What the reader works with.
    below : sequence of Widget
        What is too tall to stand between the control and what is wrong with it.
    """

    value = traitlets.Any(None)
    """What the field holds, as `Tune` takes it; None when it is empty. Not synchronised with the browser."""
    lock: threading.RLock
    """Is held while what is seen changes: answers of the service come on other threads than keystrokes."""

    def __init__(self, *controls: widgets.Widget, below: Sequence[widgets.Widget] = ()) -> None:
        self.lock = threading.RLock()
        self._error = widgets.HTML(layout=widgets.Layout(display="none"))
        self._error.add_class("astria-error")
        super().__init__([*controls, self._error, *below], layout=WIDE)
        self.add_class("astria-field")

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show what is wrong beside the control; a field still to be filled in is a hint, not an error."""
        (self._error.add_class if self.value is None else self._error.remove_class)("astria-hint")
        lines = [Markup("<div>{}; {}</div>").format(each.what, each.hint) for each in problems]
        self._error.value = Markup().join(lines)
        self._error.layout.display = None if lines else "none"
