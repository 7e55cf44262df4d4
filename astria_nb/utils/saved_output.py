"""What a notebook shows of a widget once its kernel is gone: a second, plain HTML output, kept up to date.

A frontend that displays the widget hides this output beside it. JupyterLab shows an error in place of a
widget without a kernel, and never the HTML of the same output. So this is a separate output.
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from markupsafe import Markup

from astria_nb.utils.kernel import notebook_shell

LIVE_CLASS = "astria-live"
"""CSS class of a widget that hides its saved output while it has a kernel."""

_STYLE = Path(__file__).with_name("saved_output.css").read_text(encoding="utf-8")
# Two prices in dollars are not a formula; MathJax 3 and 2 look for these classes.
_NO_FORMULAS = "mathjax_ignore tex2jax_ignore"
_INTERVAL = 2.0  # seconds between two updates: each is written into the notebook, with its pictures
_displayed: weakref.WeakSet[SavedOutput] = weakref.WeakSet()
_shells: weakref.WeakSet[Any] = weakref.WeakSet()


class SavedOutput:
    """The plain HTML output of one widget.

    Parameters
    ----------
    name : str
        Name of the widget's class, shown where neither the widget nor HTML can be displayed.
    html : callable
        Returns the widget's state as escaped HTML. Called on any thread.

    Attributes
    ----------
    number : int
        Tells the widget's script which output to hide if JupyterLab's classes are missing.
    """

    def __init__(self, name: str, html: Callable[[], str]) -> None:
        self._name = name
        # A page may show copies that other kernels made. JavaScript has integers of 53 bits.
        self.number = 1 + secrets.randbelow(2**53 - 1)
        self._html = html
        self._display_id = uuid.uuid4().hex
        self._lock, self._updating = threading.Lock(), threading.Lock()
        self._shell: Any = None
        self._publisher: Any = None  # displayed in the notebook, not in a cell that captures its output
        self._page = ""
        self._updated = 0.0
        self._timer: threading.Timer | None = None

    def display(self, data: Mapping[str, Any], metadata: Mapping[str, Any], html: str) -> None:
        """Display the widget, and in a notebook its saved output after it.

        Parameters
        ----------
        data, metadata : mapping of str to object
            The widget's MIME bundle, without HTML.
        html : str
            Its current state, as escaped HTML.
        """
        from IPython.display import display

        shell = notebook_shell()
        # Text that is stored in the notebook's file must not become outdated.
        text = {} if shell is None else {"text/plain": f"{self._name}:"}
        display({**data, **text}, metadata=dict(metadata), raw=True)
        if shell is None:
            return  # a terminal prints the text only
        self._shell = shell
        self._page, self._updated = self._wrapped(html), time.monotonic()
        self._publish(update=False)
        _displayed.add(self)
        if shell not in _shells:
            _shells.add(shell)
            shell.events.register("post_run_cell", _update_all)

    def changed(self) -> None:
        """Bring the output up to date soon, if it is displayed."""
        with self._lock:
            if self._shell is None or self._timer is not None:
                return
            delay = max(0.1, self._updated + _INTERVAL - time.monotonic())
            timer = threading.Timer(delay, self.update)
            timer.daemon = True
            with suppress(RuntimeError):  # no more threads: the next change tries again
                timer.start()
                self._timer = timer

    def update(self) -> None:
        """Bring the output up to date at once, if a change was announced."""
        with self._updating:  # the end of a cell waits for an update in progress
            with self._lock:
                if self._timer is None:
                    return
                self._timer.cancel()
                self._timer = None
                self._updated = time.monotonic()
            try:
                page = self._wrapped(self._html())
            except KeyboardInterrupt:  # belongs to the cell that is ending
                self.changed()
                raise
            if page != self._page:
                self._page = page
                self._publish(update=True)

    def _publish(self, *, update: bool) -> None:
        from IPython.core.displaypub import CapturingDisplayPublisher

        publisher = self._shell.display_pub
        if not isinstance(publisher, CapturingDisplayPublisher):
            self._publisher = publisher
        elif update:  # an update is for the cells that display the output, not for one that captures it
            publisher = self._publisher
        with suppress(Exception):  # the kernel is exiting; a display never makes a call fail
            publisher.publish(
                {"text/html": self._page}, {}, transient={"display_id": self._display_id}, update=update
            )

    def _wrapped(self, html: str) -> str:
        # Exports put the output into Markdown, which ends an HTML block at an empty line: the rest of a
        # user's text would be read as Markdown.
        lines = "\n".join(filter(str.strip, html.splitlines()))
        style = _STYLE.replace("NUMBER", str(self.number))
        return (
            f'<div class="astria-saved {_NO_FORMULAS}" data-astria-saved="{self.number}">'
            f"<style>{style}</style>{lines}</div>"
        )


def saved_note(what: str) -> Markup:
    """Return the line above a saved state, which says how to get the widget back.

    Parameters
    ----------
    what : str
        The widget, such as ``form``.
    """
    return Markup(
        "<p><small>Saved copy of the {}. Run this cell (▶ or Shift+Enter; in an app, load this page again) "
        "to use it.</small></p>"
    ).format(what)


def _update_all(*_: Any) -> None:
    """Bring all outputs up to date at the end of a cell: the notebook may be saved and closed after it."""
    for output in list(_displayed):
        output.update()
