"""The question whether to send a request that was sent before; three buttons below Submit."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.form.fields import controls
from astria_nb.log import Submission


class RepeatQuestion(controls.HBox):
    """Asks what to do if the same request was sent before: use its result, send it again, or cancel.

    The form's script lets Escape press the last button, and names the group of buttons after the question.

    Parameters
    ----------
    on_send, on_use, on_cancel : callable
        Called when the button of that name is pressed.
    """

    def __init__(
        self, on_send: Callable[[], None], on_use: Callable[[], None], on_cancel: Callable[[], None]
    ) -> None:
        self._text = controls.HTML(layout={"flex": "1 1 100%"})
        self._use, self._again, self._cancel = (
            controls.Button(layout={"width": "auto", "flex": "0 0 auto"}) for _ in range(3)
        )
        self._cancel.description = "Cancel"
        for button, act in ((self._use, on_use), (self._again, on_send), (self._cancel, on_cancel)):
            button.on_click(lambda _, act=act: self._answer(act))
        super().__init__(
            [self._text, self._use, self._again, self._cancel],
            layout=widgets.Layout(width="100%"),
            classes="astria-repeat",
        )
        self.hide()

    def ask(self, earlier: Submission, text: str, price: str) -> None:
        """Show the question, with the focus on the answer that costs nothing.

        Parameters
        ----------
        earlier : Submission
        text : str
            When it was sent, as which tune, and its price.
        price : str
            The price of sending it again; empty if unknown.
        """
        question = f"{text[:1].upper()}{text[1:]}. Send it again, or use the earlier one?"
        self._text.value = Markup("<span>{}</span>").format(question)
        name = f"tune {earlier.tune_id}" if earlier.tune_id is not None else "the earlier one"
        self._use.description = f"Use {name}"
        self._again.description = f"Send again · {price}".removesuffix(" · ")
        self._use.tooltip = self._again.tooltip = question  # screen readers read it out with the focus
        self.layout.display = None
        self._use.focus()

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.layout.display is None

    def hide(self) -> None:
        """Hide the question."""
        self.layout.display = "none"

    def _answer(self, act: Callable[[], None]) -> None:
        self.hide()
        act()
