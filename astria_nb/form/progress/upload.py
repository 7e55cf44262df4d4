"""What is seen of a submission: how far the upload is, a way to cancel it, what went wrong, the row."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import ipywidgets as widgets
import pandas as pd
from markupsafe import Markup

from astria_nb.errors import CancelledError, Problem
from astria_nb.form.fields.base import WIDE
from astria_nb.form.static_html import row_html
from astria_nb.utils.formatting import format_size

_REDRAW = 0.1  # seconds between two drawings


class UploadPanel(widgets.VBox):
    """The lower part of the form: progress, a message, and the row."""

    def __init__(self) -> None:
        self._bar = widgets.FloatProgress(max=1.0, layout=widgets.Layout(flex="1 1 200px"))
        self._text = widgets.Label()
        self._cancel = widgets.Button(description="Cancel", layout=widgets.Layout(width="auto"))
        self._cancel.on_click(lambda _: self.cancel())
        self._cancelled = threading.Event()
        self._progress = widgets.HBox(
            [self._bar, self._text, self._cancel], layout=widgets.Layout(display="none")
        )
        self._message = widgets.HTML(layout=widgets.Layout(display="none"))
        self._message.add_class("astria-message")
        self._row = widgets.HTML(layout=widgets.Layout(display="none"))
        self._row.add_class("astria-row")
        self._started = self._drawn = 0.0
        self.has_failed = False
        super().__init__([self._progress, self._message, self._row], layout=WIDE)

    def start(self) -> None:
        """Show an empty bar."""
        self.has_failed = False
        self._cancelled.clear()
        self._offer_cancel(True)
        self._started, self._drawn = time.monotonic(), 0.0
        self._bar.value, self._text.value = 0.0, "asking for the pack"
        self._progress.layout.display = None
        self._say("")

    def cancel(self) -> None:
        """Send no more; what has left whole by then can no longer be called back."""
        self._cancelled.set()
        self._text.value = "cancelling"

    def on_sent(self, sent: int, total: int) -> None:
        """Show how many bytes of how many were sent.

        Raises
        ------
        CancelledError
            The reader wants no more of it.
        """
        now = time.monotonic()
        if sent < total:
            self._stop_if_cancelled()
        self._offer_cancel(sent < total)
        if now - self._drawn < _REDRAW and sent < total:
            return
        self._drawn = now
        rate = sent / max(now - self._started, 1e-3)
        left = f"{(total - sent) / rate:.0f} s left" if sent < total else "waiting for the service"
        self._bar.value = sent / total
        self._text.value = f"{format_size(sent, total)} · {format_size(rate)}/s · {left}"

    def waiting(self, fraction: float, text: str) -> None:
        """Show how much of a wait is over; raises as `on_sent` does."""
        self._stop_if_cancelled()
        self._bar.value, self._text.value = fraction, text

    def done(self, row: pd.DataFrame) -> None:
        """Show the row of a tune that was made."""
        self._progress.layout.display = "none"
        tune_id, prompts = row["id"].iloc[0], row["prompt_ids"].iloc[0]
        made = f"{len(prompts)} prompts" if pd.isna(tune_id) else f"tune {tune_id}"
        self._say(f"Submitted: {made}. The row is in form.row.")
        self.show_row(row)

    def show_row(self, row: pd.DataFrame) -> None:
        """Show a row in its latest state."""
        self._row.value = row_html(row)
        self._row.layout.display = None

    def failed(self, problems: Sequence[Problem]) -> None:
        """Say what went wrong, of that which belongs to no field of the form."""
        self.has_failed = True
        self._progress.layout.display = "none"
        self._say(*map(str, problems), wrong=True)

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            what, hint = "was cancelled before it was sent", "submit it again when you like"
            raise CancelledError(Problem("form", what, hint))

    def _offer_cancel(self, possible: bool) -> None:
        self._cancel.layout.display = None if possible else "none"

    def _say(self, *lines: str, wrong: bool = False) -> None:
        (self._message.add_class if wrong else self._message.remove_class)("astria-error")
        self._message.value = Markup().join(Markup("<div>{}</div>").format(line) for line in lines if line)
        self._message.layout.display = None if any(lines) else "none"
