"""A field with a menu of choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from astria_nb.form.fields.base import LABEL, WIDE, Field


class ChoiceField(Field):
    """One of a few words, or none.

    Parameters
    ----------
    label : str
    choices : sequence of (str, value)
        What is shown and what it stands for; the first one is the default.
    """

    def __init__(self, label: str, choices: Sequence[tuple[str, Any]]) -> None:
        # By its place: to the menu, a value of None is no choice at all, and it would show nothing.
        self._values = [value for _, value in choices]
        self._menu = widgets.Dropdown(
            options=[shown for shown, _ in choices], index=0, description=label, style=LABEL, layout=WIDE
        )
        super().__init__(self._menu)
        self.add_class("astria-labelled")
        self.value = self._values[0]
        self._menu.observe(lambda change: self.set_trait("value", self._values[change["new"]]), "index")
        self.observe(self._set, "value")

    def _set(self, change: Mapping[str, Any]) -> None:
        if change["new"] not in self._values:  # kept, so that the rules can say what is wrong with it
            self._values.append(change["new"])
            self._menu.options = [*self._menu.options, str(change["new"])]
        self._menu.index = self._values.index(change["new"])
