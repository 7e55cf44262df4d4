"""A field with a menu of choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from astria_nb.form.fields import controls
from astria_nb.form.fields._base import LABEL, WIDE, Field


class ChoiceField(Field):
    """One value from a menu.

    Parameters
    ----------
    label : str
    choices : sequence of (str, value)
        Each menu entry and the value it stands for; the first is the default.
    """

    _classes = "astria-labelled"

    def __init__(self, label: str, choices: Sequence[tuple[str, Any]]) -> None:
        # Selected by index: a Dropdown takes the value None for "nothing selected" and would be blank.
        self._values = [value for _, value in choices]
        self._menu = controls.Dropdown(
            options=[text for text, _ in choices], index=0, description=label, style=LABEL, layout=WIDE
        )
        super().__init__(self._menu)
        self.value = self._values[0]
        self._menu.observe(lambda change: self.set_trait("value", self._values[change["new"]]), "index")
        self.observe(self._set, "value")

    def _set(self, change: Mapping[str, Any]) -> None:
        if change["new"] not in self._values:  # kept, so that the validator can report the problem
            self._values.append(change["new"])
            self._menu.options = [*self._menu.options, str(change["new"])]
        self._menu.index = self._values.index(change["new"])
