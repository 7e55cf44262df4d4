"""The progress of a batch in a notebook, with a button that stops it while its cell runs."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import traitlets
from markupsafe import Markup

from astria_nb.utils.kernel import kernel_shell
from astria_nb.utils.saved_output import LIVE_CLASS, SavedOutput
from astria_nb.utils.script import script
from astria_nb.utils.script_widget import ScriptWidget
from astria_nb.utils.stylesheet import stylesheet

TARGET = "astria_nb.batch"
"""Name of the connection by which a page cancels.

A cell that runs keeps the kernel from everything else, also from clicks on a widget that it uses: ipykernel
hands them to the thread that used it last. A connection that the page opens is served by another thread
where page and kernel have subshells, as in JupyterLab and Notebook 7. The button is shown once that worked.
"""
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
    """How far it is; in the end, what became of it."""
    fraction = traitlets.Float().tag(sync=True)
    """From 0 to 1."""
    state = traitlets.Enum(["running", "cancelled", "ended"], "running").tag(sync=True)
    """Whether Cancel can be pressed, was pressed, or is of no use any more."""
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
        """Display it in the cell that runs."""
        with suppress(AttributeError):  # a kernel of another kind has no such connections
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
        """Stop the batch, as its button does."""
        if self.state == "running":
            self.state = "cancelled"
            self._on_cancel()

    def _saved_html(self) -> str:
        page = Markup("<p><b>{}</b></p><p>{}</p>").format(self.headline, self.text)
        if self.state != "ended":
            page += Markup("<p><small>{}</small></p>").format(
                "Saved while it ran. Run this cell again (in an app, load this page again): "
                "it goes on, and sends nothing twice."
            )
        return str(page)


def _on_connection(comm: Any, message: dict[str, Any]) -> None:
    """Serve a page that shows a batch."""
    number = message["content"]["data"].get("number")
    widget = _widgets.get(number) if isinstance(number, int) else None
    if widget is not None:
        comm.on_msg(lambda _: widget.cancel())
        widget.can_cancel = True
