"""How far a call is: a bar in a notebook, a line in a terminal, nothing in a script."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

Say = Callable[[float, str], None]
"""Is told how much of a wait is over, from 0 to 1, and the same in words."""

STEP = 0.2  # seconds between two signs of life
_REDRAW = 0.1  # seconds between two drawings
_SMALL = 1_000_000  # bytes that are sent before anyone could look


class Progress:
    """A display that appears when there is something to wait for, and stays with its last state.

    Parameters
    ----------
    title : str
        What is going on.
    patience : float
        Seconds before anything is shown: what is over by then needs no bar.
    """

    def __init__(self, title: str, patience: float = 1.0) -> None:
        self._title = title
        self._patience = patience
        self._started = self._drawn = time.monotonic()
        self._bar: Any = None
        self._line = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line:
            print(file=sys.stderr)

    def bytes(self, sent: int, total: int) -> None:
        """Show how many bytes of how many were sent."""
        if total < _SMALL:
            return
        rate = sent / max(time.monotonic() - self._started, 1e-3)
        self.show(sent / total, f"{sent / 1e6:.1f} of {total / 1e6:.1f} MB · {rate / 1e6:.1f} MB/s")

    def show(self, fraction: float, text: str) -> None:
        """Show a fraction from 0 to 1, and the same in words."""
        now = time.monotonic()
        shown = self._bar is not None or self._line
        if not shown and (fraction >= 1 or now - self._started < self._patience):
            return
        if shown and fraction < 1 and now - self._drawn < _REDRAW:
            return
        self._drawn = now
        if _in_notebook():
            self._draw_bar(fraction, text)
        elif sys.stderr.isatty():
            self._line = True
            line = f"{self._title}: {fraction:4.0%} {text}"
            # A line that went on below could not be written over.
            most = shutil.get_terminal_size().columns - 1
            line = line if len(line) <= most else f"{line[: most - 1]}…"
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)

    def _draw_bar(self, fraction: float, text: str) -> None:
        if self._bar is None:
            import ipywidgets  # here: a script needs no widgets
            from IPython.display import display

            whole = {"layout": ipywidgets.Layout(width="max-content", flex="0 0 auto")}
            bar = ipywidgets.FloatProgress(max=1.0, layout=ipywidgets.Layout(flex="0 1 240px"))
            line = [ipywidgets.Label(self._title, **whole), bar, ipywidgets.Label(**whole)]
            # Where it is too long for the cell, the words go below the bar and are not cut.
            self._bar = ipywidgets.HBox(line, layout=ipywidgets.Layout(flex_flow="row wrap"))
            bundle = self._bar._repr_mimebundle_()
            # What stands in a saved notebook, where no widget runs, and always reads the same.
            display({**bundle, "text/plain": f"{self._title} …"}, raw=True)  # type: ignore[no-untyped-call]  # IPython ships half its types
        _, bar, label = self._bar.children
        bar.value, label.value = fraction, text


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def pause(seconds: float, why: str, say: Say) -> None:
    """Wait; an interrupt ends it at once.

    Parameters
    ----------
    seconds : float
        At least so long; nothing for zero and below.
    why : str
        What is waited for.
    say : callable
        Is told how it goes on.
    """
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        say(1 - left / seconds, f"{why} · {left:.0f} s left")
        time.sleep(min(left, STEP))
