"""The display of a batch: a widget in a notebook, a line in a terminal, a line now and then in a file."""

from __future__ import annotations

import time
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from astria_nb.errors import printable
from astria_nb.submission.batch._stop import BatchStop
from astria_nb.submission.batch._tally import Tally
from astria_nb.utils.interrupts import in_caller, raise_if_interrupted
from astria_nb.utils.kernel import kernel_shell
from astria_nb.utils.progress import Progress, ReportProgress

if TYPE_CHECKING:
    from astria_nb.submission.batch._widget import BatchWidget

_REDRAW_SECONDS = 0.1
_LOG_SECONDS = 30.0  # between two lines where standard error is not a terminal
_CONTINUES = "The same call continues from here and sends nothing twice."


class BatchObserver(Protocol):
    """Follows a batch."""

    def report(self, fraction: float, text: str, /) -> None:
        """Follow the steps before and after sending, as a fraction from 0 to 1 and a text.

        Raises
        ------
        KeyboardInterrupt
            The call was interrupted.
        """

    def announce(self, text: str, /) -> None:
        """Report how many rows will be sent, and what they cost."""

    def count(self, tally: Tally, /) -> None:
        """Follow sending; called about ten times a second."""


class BatchDisplay:
    """Shows one call of `submit_many`; a `BatchObserver`.

    Parameters
    ----------
    say : callable or None
        Called with a fraction and a text, in place of a display.
    stop : BatchStop
        Cancelled when the user presses Cancel.
    """

    def __init__(self, say: ReportProgress | None, stop: BatchStop) -> None:
        self._say = None if say is None else in_caller(say)
        self._stop = stop
        self._line = Progress("Submitting", log_seconds=_LOG_SECONDS)
        self._widget: BatchWidget | None = None
        self._tally: Tally | None = None
        self._drawn, self._is_silent = 0.0, False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._say is None:
            fraction = self._tally.fraction if self._tally is not None else 0.0
            self._show(fraction, self._final_line(kind), is_last=True)
            self._line.__exit__(kind, error, trace)

    def report(self, fraction: float, text: str) -> None:
        """Show the steps before and after sending; see `BatchObserver`."""
        if self._say is not None:
            self._say(fraction, text)
        else:
            self._show(fraction, text)
            raise_if_interrupted()

    def announce(self, text: str) -> None:
        """Show how many rows will be sent, and what they cost."""
        self.report(0.0, text)
        if self._widget is not None:
            self._widget.headline = text

    def count(self, tally: Tally) -> None:
        """Show how far sending is. Raises no errors: rows in progress have to end."""
        self._tally = tally
        if self._say is not None:
            if not tally.is_ending:  # there is no listener any more
                self._say(tally.fraction, str(tally))
            return
        intro = ""
        if tally.is_ending:
            intro = "Interrupted: no more are sent · "
        elif self._stop.is_cancelled and tally.active:
            intro = "Cancelled: no more are sent · "
        width = None if self._widget is not None else self._line.width
        text = tally.text(None if width is None else width - len(intro))
        self._show(tally.fraction, intro + text)

    def _show(self, fraction: float, text: str, *, is_last: bool = False) -> None:
        if self._is_silent:
            return
        try:
            if kernel_shell() is not None:
                self._show_widget(fraction, printable(text), is_last)
            else:
                self._line.update(fraction, text, is_last=is_last)
        except Exception:  # noqa: BLE001  whatever is wrong with the display, the call continues
            self._is_silent = True

    def _show_widget(self, fraction: float, text: str, is_last: bool) -> None:
        now = time.monotonic()
        if not is_last and now - self._drawn < _REDRAW_SECONDS:
            return
        self._drawn = now
        if self._widget is None:
            # Slow to import, and not needed in a script.
            module = import_module("astria_nb.submission.batch._widget")
            widget: BatchWidget = module.BatchWidget(self._cancel)
            in_caller(widget.display)()
            self._widget = widget
        self._widget.show(fraction, text, is_last=is_last)

    def _cancel(self) -> None:
        self._stop.cancel()

    def _final_line(self, kind: type[BaseException] | None) -> str:
        tally = self._tally
        if tally is None:
            what = "Interrupted. " * (kind is KeyboardInterrupt)
            return f"{what}Nothing was sent."
        if kind is None and not self._stop.is_cancelled:
            return f"{tally}. {_CONTINUES}" if tally.waiting else str(tally)
        what = "Interrupted" if kind is KeyboardInterrupt else "Cancelled" if kind is None else "Stopped"
        return f"{what}. {tally}. {_CONTINUES}"
