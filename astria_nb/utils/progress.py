"""Progress of a blocking call: a bar in a notebook, a line in a terminal, nothing in a script."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from astria_nb.errors import printable
from astria_nb.utils.formatting import format_size
from astria_nb.utils.interrupts import raise_if_interrupted, shielded
from astria_nb.utils.kernel import kernel_shell

ReportProgress = Callable[[float, str], None]
"""Called with the completed fraction of a wait, from 0 to 1, and a text that describes it."""

TICK_SECONDS = 0.2  # between two reports while waiting
_REDRAW_SECONDS = 0.1
_RATE_SECONDS = 1.0  # a rate measured over less time is not meaningful
_MIN_BYTES = 1_000_000  # smaller uploads end before the progress can be read


class Progress:
    """A progress display that appears once there is something to wait for.

    A terminal keeps its last state. In a notebook a line of text remains: a bar without a kernel would be
    shown as an error when the notebook is opened again. If nothing can be displayed, for example on a closed
    stream, it stays silent.

    Parameters
    ----------
    title : str
        What the call does.
    patience : float
        Seconds before anything is displayed: a quick call needs no bar.
    log_seconds : float, optional
        Seconds between two lines if standard error is a file or a pipe. Default: nothing is written there.
    saved : str, optional
        The line that a notebook keeps; it must be true however the call ends. Default: the title.
    """

    def __init__(
        self,
        title: str,
        patience: float = 1.0,
        *,
        log_seconds: float | None = None,
        saved: str | None = None,
    ) -> None:
        self._title, self._saved = title, f"{title} …" if saved is None else saved
        self._patience, self._log_seconds = patience, log_seconds
        self._logged: float | None = None
        self._started = self._drawn = time.monotonic()
        self._upload_started: float | None = None
        self._bar: Any = None
        self._handle: Any = None
        self._has_line = self._is_silent = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._has_line:
            with suppress(Exception):  # as in `_draw`
                print(file=sys.stderr)
        if self._handle is not None:
            with suppress(Exception):
                self._handle.update(self._text(), raw=True)
                for widget in (*self._bar.children, self._bar):
                    widget.close()

    def update_bytes(self, sent: int, total: int) -> None:
        """Display how many of `total` bytes were sent, and the rate."""
        if total < _MIN_BYTES:
            return
        now = time.monotonic()
        if self._upload_started is None:  # time before the upload does not count for its rate
            self._upload_started = now
        seconds = now - self._upload_started
        rate = f" · {format_size(sent / seconds)}/s" if seconds >= _RATE_SECONDS else ""
        self.update(sent / total, f"{format_size(sent, total)}{rate}")

    @property
    def width(self) -> int | None:
        """Number of characters that fit on a line of this terminal; None without a terminal."""
        if not _is_terminal():
            return None
        return shutil.get_terminal_size().columns - 1 - len(f"{self._title}: 100% ")

    def update(self, fraction: float, text: str, *, is_last: bool = False) -> None:
        """Display a fraction from 0 to 1 and a text that describes it.

        Parameters
        ----------
        fraction : float
        text : str
        is_last : bool
            Whether it stays: it is displayed if anything was, even shortly after that.
        """
        if self._is_silent:
            return
        now = time.monotonic()
        is_displayed = self._bar is not None or self._has_line
        is_soon = fraction >= 1 or now - self._started < self._patience
        if not is_displayed and is_soon and (self._log_seconds is None or _is_terminal()):
            return
        if is_displayed and fraction < 1 and not is_last and now - self._drawn < _REDRAW_SECONDS:
            return
        self._drawn = now
        self._draw(fraction, text, is_last)

    def _draw(self, fraction: float, text: str, is_last: bool) -> None:
        try:
            if kernel_shell() is not None:
                self._draw_bar(fraction, text)
            elif _is_terminal():
                self._draw_line(fraction, text)
            elif self._log_seconds is not None:
                self._log(fraction, text, is_last)
        except Exception:  # noqa: BLE001  whatever is wrong with the display, the call continues
            self._is_silent = True

    def _draw_line(self, fraction: float, text: str) -> None:
        self._has_line = True
        line = printable(f"{self._title}: {fraction:4.0%} {text}")
        # A line that wraps could not be overwritten.
        width = shutil.get_terminal_size().columns - 1
        line = line if len(line) <= width else f"{line[: width - 1]}…"
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)

    def _log(self, fraction: float, text: str, is_last: bool) -> None:
        """Write a separate line, and the last one if there were others."""
        assert self._log_seconds is not None
        now = time.monotonic()
        if (is_last and self._logged) or now - (self._logged or self._started) >= self._log_seconds:
            self._logged = now
            print(printable(f"{self._title}: {fraction:4.0%} {text}"), file=sys.stderr, flush=True)

    def _draw_bar(self, fraction: float, text: str) -> None:
        if self._bar is None:
            shielded(import_module, "ipywidgets")  # slow to import, and not needed in a script
            import ipywidgets
            from IPython.display import display

            fixed = {"layout": ipywidgets.Layout(width="max-content", flex="0 0 auto")}
            bar = ipywidgets.FloatProgress(max=1.0, layout=ipywidgets.Layout(flex="0 1 240px"))
            line = [ipywidgets.Label(self._title, **fixed), bar, ipywidgets.Label(**fixed)]
            # In a narrow cell the text wraps below the bar instead of being cut off.
            self._bar = ipywidgets.HBox(line, layout=ipywidgets.Layout(flex_flow="row wrap"))
            bundle = {**self._bar._repr_mimebundle_(), **self._text()}
            self._handle = display(bundle, raw=True, display_id=True)
        _, bar, label = self._bar.children
        bar.value, label.value = fraction, printable(text)

    def _text(self) -> dict[str, str]:
        """Return what is saved: the same after every run."""
        return {"text/plain": self._saved}


def _is_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # it was closed
        return False


def wait_with_progress(
    seconds: float, reason: str, report: ReportProgress, until: Callable[[], bool] | None = None
) -> None:
    """Sleep and report the progress; KeyboardInterrupt ends the wait at once.

    Parameters
    ----------
    seconds : float
        Minimum duration; 0 or less returns immediately.
    reason : str
        What the wait is for.
    report : callable
        Called with the fraction and the text of each second.
    until : callable, optional
        Returns whether the wait may end earlier.
    """
    end, reported = time.monotonic() + seconds, ""
    while (seconds_left := end - time.monotonic()) > 0 and not (until is not None and until()):
        raise_if_interrupted()
        text = f"{reason} · {seconds_left:.0f} s left"
        if text != reported:
            report(1 - seconds_left / seconds, text)
            reported = text
        time.sleep(min(seconds_left, TICK_SECONDS))
