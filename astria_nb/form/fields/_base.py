"""The base of every field in the form: controls, and the problems of their value below them."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import ipywidgets as widgets
import traitlets
from markupsafe import Markup

from astria_nb.form.fields.controls import HTML, VBox

WIDE, AUTO = {"width": "100%"}, {"width": "auto"}
LABEL = {"description_width": "96px"}


def displayable(filename: str) -> str:
    """Return a file name that can be sent to the browser, with bytes that are not UTF-8 replaced."""
    return filename.encode("utf-8", "replace").decode()


class Field(VBox):
    """One field of the form.

    Parameters
    ----------
    *controls : Widget
        The controls for the user.
    below : sequence of Widget
        Shown under the error line, such as an open picker, which would push the error out of view.
    """

    value = traitlets.Any(None)
    """The value, as `Tune` accepts it; None if the field is empty. Not synchronised with the browser."""
    lock: threading.RLock
    """Held while the widgets change, because replies of the service arrive on other threads."""
    explains_missing_value = False
    """Whether the controls already say why no value can be entered yet."""
    _classes = ""

    def __init__(self, *controls: widgets.Widget, below: Sequence[widgets.Widget] = ()) -> None:
        self.lock = threading.RLock()
        self._error = HTML(layout=widgets.Layout(display="none"), classes="astria-error")
        self._remarks: widgets.HTML | None = None
        super().__init__(
            [*controls, self._error, *below], layout=WIDE, classes=f"astria-field {self._classes}"
        )

    def show_problems(self, messages: Sequence[str], *, is_hint: bool = False) -> None:
        """Show messages below the controls.

        Parameters
        ----------
        messages : sequence of str
            One line each; none hides the line.
        is_hint : bool
            Whether they say what to enter rather than what is wrong.
        """
        (self._error.add_class if is_hint else self._error.remove_class)("astria-hint")
        self._error.value = Markup().join(Markup("<div>{}</div>").format(message) for message in messages)
        self._error.layout.display = None if messages else "none"

    def show_remarks(self, messages: Sequence[str]) -> None:
        """Show messages that do not prevent a submission; one line each, none hides them."""
        if self._remarks is None:
            if not messages:
                return
            # Created on demand, which is rare.
            self._remarks = HTML(layout=widgets.Layout(), classes="astria-note astria-remark")
            position = self.children.index(self._error) + 1
            self.set_trait("children", (*self.children[:position], self._remarks, *self.children[position:]))
        self._remarks.value = Markup().join(Markup("<div>{}</div>").format(message) for message in messages)
        self._remarks.layout.display = None if messages else "none"
