"""The list of prepared tunes that wait for Submit; hidden until one was added."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.errors import Problem
from astria_nb.form._listed_tune import ListedTune
from astria_nb.form.fields import AUTO, WIDE, controls
from astria_nb.form.images import naming_controls, without_folders
from astria_nb.tune import Estimate, dollars

_SECOND_CLICK_SECONDS = 0.5


class TuneList(controls.VBox):
    """The tunes with their prices, each with buttons to edit and to remove it.

    Parameters
    ----------
    on_edit : callable
        Called with the tune to fill into the form.
    on_remove : callable
        Called when the user has removed a tune.
    on_change : callable
        Called when the list has changed.
    note_on : callable
        Returns a temporary note about a tune; empty if there is none.

    Attributes
    ----------
    tunes : list of ListedTune
    """

    def __init__(
        self,
        on_edit: Callable[[ListedTune], None],
        on_remove: Callable[[], None],
        on_change: Callable[[], None],
        note_on: Callable[[ListedTune], str],
    ) -> None:
        self._on_edit, self._on_remove, self._on_change = on_edit, on_remove, on_change
        self._note_on, self._notes = note_on, list[str]()
        self._moved = -math.inf  # when a line was removed, and those below moved up
        self._lock = threading.RLock()  # a tune is either removed by a click or sent, but not both
        self._being_sent: ListedTune | None = None
        self.tunes: list[ListedTune] = []
        # Kept, since screen readers read its changes, and it has the focus after a removal; Tab skips it.
        self._count = controls.Label(
            style={"font_weight": "bold"}, tabbable=False, classes="astria-list-count"
        )
        # Its own layout: it is sometimes hidden.
        super().__init__([self._count], layout=widgets.Layout(width="100%"), classes="astria-list")
        self.show()

    def price_with(self, price: Estimate | None, *, is_one_more: bool) -> str:
        """Return the total price as text, including another price if given; empty if unknown."""
        prices = [*(listed.price for listed in self.tunes), *([price] if is_one_more else [])]
        known = [price for price in prices if price is not None]
        if not known or len(known) < len(prices):
            return ""
        is_most = any(price.is_most for price in known)
        return f"{'at most' if is_most else 'about'} {dollars(sum(price.price_mc for price in known))}"

    def add(self, listed: ListedTune) -> None:
        """Add a tune at the end."""
        with self._lock:
            self.tunes = [*self.tunes, listed]
        self.show()

    def remove(self, listed: ListedTune) -> bool:
        """Remove a tune; return False if it is being sent, or was removed before."""
        with self._lock:
            if listed is self._being_sent or listed not in self.tunes:
                return False
            self.tunes = [tune for tune in self.tunes if tune is not listed]
            self._moved = time.monotonic()
        self.show()
        self._on_change()
        return True

    def begin_sending(self, listed: ListedTune) -> bool:
        """Keep a tune from being removed while it is sent; return False if it was removed before."""
        with self._lock:
            if listed not in self.tunes:
                return False
            self._being_sent = listed
        self.show()
        return True

    def end_sending(self, *, is_sent: bool) -> None:
        """Remove the tune that is being sent if it was sent; otherwise let it be edited and removed again."""
        with self._lock:
            if is_sent:
                self.tunes = [tune for tune in self.tunes if tune is not self._being_sent]
                self._moved = time.monotonic()
            self._being_sent = None
        self.show()
        self._on_change()

    def show(self) -> None:
        """Show the current list."""
        with self._lock:
            self.layout.display = None if self.tunes else "none"
            self._count.value = self.heading
            self._notes = [self._note_on(listed) for listed in self.tunes]
            self.children = [self._count, *map(self._line, self.tunes, self._notes)]

    def show_notes(self) -> None:
        """Update the temporary notes about the tunes, if they have changed."""
        with self._lock:
            if self._notes != [self._note_on(listed) for listed in self.tunes]:
                self.show()

    @property
    def heading(self) -> str:
        """The number of tunes in the list, as text."""
        return f"{len(self.tunes)} tune{'' if len(self.tunes) == 1 else 's'} in the list"

    def saved_html(self) -> Markup:
        """Return the list as HTML for places without widgets."""
        texts = ([listed.html, *_problems(listed)] for listed in self.tunes)
        lines = Markup().join(Markup("<li>{}</li>").format(Markup("<br>").join(parts)) for parts in texts)
        return Markup("<p>In the list:</p><ul>{}</ul>").format(lines) if self.tunes else Markup()

    def _line(self, listed: ListedTune, note: str) -> widgets.Widget:
        text = controls.HTML(Markup("<span>{}</span>").format(listed.html), layout={"flex": "1 1 240px"})
        edit = controls.Button(description="Edit", layout=AUTO)
        edit.tooltip = f"Edit {listed.text}"
        edit.on_click(lambda _: self._edit(listed))
        remove = controls.Button(description="Remove", layout=AUTO)
        remove.tooltip = f"Remove {listed.text}"
        remove.on_click(lambda _: self._remove(listed))
        edit.disabled = remove.disabled = listed is self._being_sent
        line = controls.HBox([text, edit, remove], layout=WIDE)
        messages = [*([note] if note else []), *_problems(listed)]
        if not messages:
            return line
        divs = Markup().join(Markup("<div>{}</div>").format(message) for message in messages)
        return controls.VBox([line, controls.HTML(divs, classes="astria-error")], layout=WIDE)

    def _edit(self, listed: ListedTune) -> None:
        if not self._has_just_moved():
            self._on_edit(listed)

    def _remove(self, listed: ListedTune) -> None:
        if not self._has_just_moved() and self.remove(listed):
            self._count.focus()  # the pressed button is gone
            self._on_remove()

    def _has_just_moved(self) -> bool:
        """Return whether a click was meant for a removed line, such as the second of a double click."""
        return time.monotonic() - self._moved < _SECOND_CLICK_SECONDS


def _problems(listed: ListedTune) -> list[str]:
    return [without_folders(naming_controls(_sentence(problem))) for problem in listed.problems]


def _sentence(problem: Problem) -> str:
    return f"the submission {problem.what}; {problem.hint}" if problem.field == "form" else str(problem)
