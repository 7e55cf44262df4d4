"""The progress of a batch in a notebook, with a button that stops it while its cell runs."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypedDict

import traitlets
from markupsafe import Markup

from astria_nb.utils.kernel import kernel_shell
from astria_nb.utils.saved_output import LIVE_CLASS, SavedOutput
from astria_nb.utils.script import script
from astria_nb.utils.script_widget import ScriptWidget
from astria_nb.utils.stylesheet import stylesheet

TARGET = "astria_nb.batch"
"""Name of the connection that a page uses to cancel.

A running cell blocks the kernel, even for clicks on a widget that the cell uses: ipykernel passes them to the
thread that used the widget last. A connection that the page opens is served by another thread if page and
kernel support subshells, as in JupyterLab and Notebook 7. The button is shown once that has worked.
"""


class ShowBatch(TypedDict):
    """Browser to kernel, to open the connection: a page shows the widget whose saved output has this number.

    Answered by the trait `can_cancel`.
    """

    kind: Literal["show"]
    number: int


class CancelBatch(TypedDict):
    """Browser to kernel: stop the batch."""

    kind: Literal["cancel"]


_widgets: weakref.WeakValueDictionary[int, BatchWidget] = weakref.WeakValueDictionary()


class BatchWidget(ScriptWidget):
    """A bar, the counts, and Cancel.

    Parameters
    ----------
    on_cancel : callable
        Called when Cancel is pressed, on any thread.

    Examples
    --------
    >>> BatchWidget(print)
    BatchWidget('')
    """

    _esm = script(Path(__file__).with_name("batch.js"))
    _css = stylesheet(Path(__file__).with_name("batch.css"))

    headline = traitlets.Unicode("Checking the rows").tag(sync=True)
    """How many tunes are sent, and what they cost."""
    text = traitlets.Unicode().tag(sync=True)
    """The progress; at the end, the outcome."""
    fraction = traitlets.Float().tag(sync=True)
    """From 0 to 1."""
    state = traitlets.Enum(["running", "cancelled", "ended"], "running").tag(sync=True)
    """Whether Cancel can be pressed, was pressed, or no longer has an effect."""
    can_cancel = traitlets.Bool().tag(sync=True)
    """Whether a click reaches the kernel while the cell runs."""
    saved_number = traitlets.Int().tag(sync=True)
    """Number of the saved output that this widget hides while it is displayed."""

    def __init__(self, on_cancel: Callable[[], None]) -> None:
        self._on_cancel = on_cancel
        self._saved = SavedOutput("Submitting", self._saved_html)
        super().__init__(saved_number=self._saved.number)
        self.add_class(LIVE_CLASS)
        _widgets[self._saved.number] = self

    def __repr__(self) -> str:
        return f"BatchWidget({self.text!r})"

    def display(self) -> None:
        """Display it in the running cell."""
        with suppress(AttributeError):  # other kinds of kernels have no such connections
            kernel_shell().kernel.comm_manager.register_target(TARGET, _on_connection)
        data, metadata = self._repr_mimebundle_() or ({}, {})
        self._saved.display(data, metadata, self._saved_html())

    def show(self, fraction: float, text: str, *, is_last: bool) -> None:
        """Show how far the batch is."""
        with self.hold_sync():
            self.fraction, self.text = fraction, text
            if is_last:
                self.state = "ended"
        self._saved.changed()

    def cancel(self) -> None:
        """Stop the batch, like its button."""
        if self.state == "running":
            self.state = "cancelled"
            self._on_cancel()

    def _saved_html(self) -> str:
        page = Markup("<p><b>{}</b></p><p>{}</p>").format(self.headline, self.text)
        if self.state != "ended":
            page += Markup("<p><small>{}</small></p>").format(
                "Saved while it ran. Run this cell again (in an app, load this page again): "
                "it continues, and sends nothing twice."
            )
        return str(page)


def _on_connection(comm: Any, message: dict[str, Any]) -> None:
    """Serve a page that shows a batch."""
    match message["content"]["data"]:
        case {"kind": "show", "number": int(number)} if (widget := _widgets.get(number)) is not None:
            comm.on_msg(partial(_on_message, widget))
            widget.can_cancel = True


def _on_message(widget: BatchWidget, message: dict[str, Any]) -> None:
    match message["content"]["data"]:
        case {"kind": "cancel"}:
            widget.cancel()
