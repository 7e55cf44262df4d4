"""The last line of the form: the button that pays, with the estimated price, and a note."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.form.fields import AUTO, WIDE, controls
from astria_nb.tune import Estimate


class SubmitBar(controls.HBox):
    """The Submit button, a note, and after a submission a button to start another.

    Parameters
    ----------
    is_free : bool
        Whether the service charges nothing.
    on_submit : callable
        Called when Submit is pressed.
    on_start_another : callable
        Called when "Start another" is pressed.
    on_add : callable
        Called when "Add to the list" is pressed.
    """

    def __init__(
        self,
        is_free: bool,
        on_submit: Callable[[], None],
        on_start_another: Callable[[], None],
        on_add: Callable[[], None],
    ) -> None:
        self._is_free, self._on_start_another = is_free, on_start_another
        self._button = controls.Button(
            description="Submit", button_style="primary", disabled=True, layout=AUTO
        )
        self._button.on_click(lambda _: on_submit())
        self._add = controls.Button(
            description="Add to the list",
            tooltip="Prepare another tune, and submit all of them at once",
            layout=widgets.Layout(width="auto", display="none"),
        )
        self._add.on_click(lambda _: on_add())
        self._another = controls.Button(
            description="Start another",
            tooltip="Keep the fields, under a new title",
            layout=widgets.Layout(width="auto", display="none"),
        )
        self._another.on_click(lambda _: self._start_another())
        self._note = controls.HTML(layout={"flex": "0 1 auto"}, classes="astria-note")
        super().__init__(
            [self._button, self._add, self._note, self._another], layout=WIDE, classes="astria-submit-bar"
        )

    def show(
        self,
        *,
        enabled: bool,
        note: str,
        is_error: bool,
        estimate: Estimate | None,
        is_submitted: bool,
        can_add: bool,
        listed: int,
        listed_price: str,
    ) -> None:
        """Show the state of the form.

        Parameters
        ----------
        enabled : bool
            Whether Submit can be pressed.
        note : str
        is_error : bool
            Whether the note contains a problem that is shown nowhere else.
        estimate : Estimate or None
            The price on the button.
        is_submitted : bool
            Whether to offer another tune.
        can_add : bool
            Whether the draft can be added to the list.
        listed : int
            Tunes that are sent with the list; 0 without one.
        listed_price : str
            Their price as text.
        """
        self._button.disabled = not enabled
        price = self.price(estimate)
        if listed:
            price = price if self._is_free else listed_price
        self._button.description = f"Submit{f' {listed}' * bool(listed)} · {price}".removesuffix(" · ")
        self._add.layout.display = None if can_add else "none"
        (self._note.add_class if is_error else self._note.remove_class)("astria-error")
        self._note.value = Markup("<span>{}</span>").format(note)
        self._another.layout.display = None if is_submitted else "none"

    def focus(self) -> None:
        """Move the focus to the button that can be pressed next."""
        (self._button if self._another.layout.display == "none" else self._another).focus()

    def disable(self) -> None:
        """Disable Submit, so that a second click does nothing."""
        self._button.disabled = True

    def price(self, estimate: Estimate | None) -> str:
        """Return the price of a submission as text; empty if unknown."""
        if self._is_free:
            return "sandbox · free"
        return str(estimate or "")

    def _start_another(self) -> None:
        self._on_start_another()
        self._button.focus()  # the pressed button is hidden by now
