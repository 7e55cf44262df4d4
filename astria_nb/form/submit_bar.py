"""The form's last line: the button that pays, what it will cost, and what is still to mend."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.form.fields.base import WIDE
from astria_nb.tune.price import Estimate


class SubmitBar(widgets.HBox):
    """The Submit button and a line beside it.

    Parameters
    ----------
    is_free : bool
        Whether the service charges nothing.
    clicked : callable
        Called when the button is pressed.
    """

    def __init__(self, is_free: bool, clicked: Callable[[], None]) -> None:
        self._is_free = is_free
        self._button = widgets.Button(
            description="Submit", button_style="primary", disabled=True, layout=widgets.Layout(width="auto")
        )
        self._button.on_click(lambda _: clicked())
        self._note = widgets.HTML(layout=widgets.Layout(flex="1 1 240px"))
        self._note.add_class("astria-note")
        super().__init__([self._button, self._note], layout=WIDE)
        self.add_class("astria-foot")

    def show(self, *, enabled: bool, note: str, estimate: Estimate | None) -> None:
        """Show whether the button works, what the run is thought to cost, and a note."""
        self._button.disabled = not enabled
        self._button.description = f"Submit · {self._price(estimate)}".removesuffix(" · ")
        self._note.value = Markup("<span>{}</span>").format(note)

    def disable(self) -> None:
        """Take no second click."""
        self._button.disabled = True

    def _price(self, estimate: Estimate | None) -> str:
        if self._is_free:
            return "sandbox · free"
        return str(estimate or "")
