"""The upload: its progress, a button to cancel it, and finally the row or the error."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.errors import CancelledError, Problem
from astria_nb.form.fields import WIDE, controls
from astria_nb.utils.formatting import format_duration, format_size

if TYPE_CHECKING:
    import pandas as pd

_REDRAW_SECONDS = 0.1
_RATE_SECONDS = 1.0  # an upload rate measured over less time is not meaningful


class UploadPanel(controls.VBox):
    """A progress bar, a message and the row.

    Attributes
    ----------
    notice : str
        The notice of the last submission in addition to the row; empty if there is none.
    place : tuple of int
        The number of the current tune, and of all tunes to send.
    """

    def __init__(self) -> None:
        self._bar = controls.FloatProgress(max=1.0, layout={"flex": "1 1 200px"})
        self._text = controls.Label()
        self._cancel = controls.Button(
            description="Cancel", layout=widgets.Layout(width="auto"), classes="astria-cancel"
        )
        self._cancel.on_click(lambda _: self.cancel())
        self._cancelled = threading.Event()
        self._progress = controls.HBox(
            [self._bar, self._text, self._cancel], layout=widgets.Layout(display="none")
        )
        self._message = controls.HTML(layout=widgets.Layout(display="none"), classes="astria-message")
        self._row = controls.HTML(layout=widgets.Layout(display="none"), classes="astria-row")
        self.notice, self._has_sent = "", False
        self.place = (1, 1)
        self._may_stop = True
        self._started: float | None = None
        self._drawn = 0.0
        super().__init__([self._progress, self._message, self._row], layout=WIDE)

    def begin(self) -> None:
        """Forget that an earlier submission was cancelled."""
        self._cancelled.clear()

    @property
    def is_cancelled(self) -> bool:
        """Whether the user pressed Cancel since `begin`."""
        return self._cancelled.is_set()

    def show_start(self) -> None:
        """Show an empty progress bar."""
        self.notice, self._has_sent = "", False
        self._offer_cancel(True)
        self._started, self._drawn = None, 0.0
        self._bar.value, self._text.value = 0.0, f"{self._prefix}looking up the pack"
        self._progress.layout.display = None
        self._show_message()

    def focus(self) -> None:
        """Move the focus to the button that cancels the upload."""
        self._cancel.focus()

    def show_idle(self) -> None:
        """Remove the progress bar: nothing was sent."""
        self._progress.layout.display = "none"

    def cancel(self) -> None:
        """Stop the upload, and send none of the tunes after it.

        A request that was sent in full cannot be cancelled.
        """
        self._cancelled.set()
        self._text.value = "cancelling"

    def on_sent(self, sent: int, total: int) -> None:
        """Show how many of `total` bytes were sent.

        Raises
        ------
        CancelledError
            The user pressed Cancel.
        """
        now = time.monotonic()
        # The look-ups before the upload are not part of its rate.
        started = self._started = now if self._started is None else self._started
        self._has_sent = True
        if sent < total:
            self._raise_if_cancelled()
        self._offer_cancel(sent < total)
        if now - self._drawn < _REDRAW_SECONDS and sent < total:
            return
        self._drawn = now
        self._bar.value = sent / total
        self._text.value = self._prefix + _upload_text(sent, total, now - started)

    def on_wait(self, fraction: float, text: str) -> None:
        """Show the progress of a wait.

        Parameters
        ----------
        fraction : float
            From 0 to 1.
        text : str

        Raises
        ------
        CancelledError
            The user pressed Cancel.
        """
        self._raise_if_cancelled()
        self._bar.value, self._text.value = fraction, self._prefix + text

    def on_notice(self, text: str) -> None:
        """Show a text beside the row, in place of the created tune."""
        self.notice = f"{text[:1].upper()}{text[1:]}"

    def show_submitted(self, row: pd.DataFrame) -> None:
        """Show the row of a tune that was just created, or that existed already."""
        import pandas as pd

        self._progress.layout.display = "none"
        tune_id, prompts = row["id"].iloc[0], row["prompt_ids"].iloc[0]
        created = f"Created {len(prompts)} prompts" if pd.isna(tune_id) else f"Created tune {tune_id}"
        if not self._has_sent:
            created = "Nothing was sent: it was submitted before"
        self._show_message(f"{self.notice or created}. The row is in form.row.")
        self.show_row(row)

    def show_sent(self, count: int) -> None:
        """Show how many tunes of a list were sent."""
        self._show_message(f"Submitted {count} tunes. Their rows are in form.rows.")

    def show_row(self, row: pd.DataFrame) -> None:
        """Show a row in its latest state."""
        from astria_nb.form._row_html import row_html

        self._row.value = row_html(row)
        self._row.layout.display = None

    @property
    def message(self) -> Markup:
        """The result of the last submission, or why it failed, as HTML."""
        return Markup(self._message.value)  # noqa: S704  escaped in `_show_message`

    def show_failure(self, messages: Sequence[str]) -> None:
        """Show why the submission failed, one line each; empty if that is shown at the fields."""
        self._progress.layout.display = "none"
        self._show_message(*messages, is_error=True)

    @property
    def _prefix(self) -> str:
        number, count = self.place
        return f"{number} of {count}: " if count > 1 else ""

    def _raise_if_cancelled(self) -> None:
        if self._may_stop and self.is_cancelled:
            what, hint = "was cancelled before it was sent", "submit it again when you like"
            raise CancelledError(Problem("form", what, hint))

    def _offer_cancel(self, is_possible: bool) -> None:
        number, count = self.place
        self._may_stop = is_possible
        self._cancel.layout.display = None if is_possible or number < count else "none"

    def _show_message(self, *lines: str, is_error: bool = False) -> None:
        (self._message.add_class if is_error else self._message.remove_class)("astria-error")
        self._message.value = Markup().join(Markup("<div>{}</div>").format(line) for line in lines if line)
        self._message.layout.display = None if any(lines) else "none"


def _upload_text(sent: int, total: int, seconds: float) -> str:
    size = format_size(sent, total)
    if sent == total:
        return f"{size} · waiting for the answer"
    if seconds < _RATE_SECONDS or not sent:
        return size
    rate = sent / seconds
    return f"{size} · {format_size(rate)}/s · {format_duration((total - sent) / rate)} left"
