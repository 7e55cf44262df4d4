"""A field for a mapping, with a row for each key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from astria_nb.form.fields import controls
from astria_nb.form.fields._base import WIDE, Field


class PairsField(Field):
    """A flat mapping.

    Parameters
    ----------
    suggestions : mapping of str to sequence of str
        Suggested keys, and suggested values for each. Any other key and value can be typed.
    parse_values : bool
        Whether values such as ``3`` and ``true`` become numbers and booleans.
    """

    def __init__(self, suggestions: Mapping[str, Sequence[str]], *, parse_values: bool = False) -> None:
        self._suggestions, self._parse_values = suggestions, parse_values
        self._rows = controls.VBox(layout=WIDE)
        add = controls.Button(description="Add a row")
        add.on_click(lambda _: self._add_row())
        super().__init__(self._rows, add)
        self.observe(self._set, "value")

    def _add_row(self, key: str = "", text: str = "") -> None:
        name = controls.Combobox(value=key, placeholder="key", options=list(self._suggestions), layout=WIDE)
        value = controls.Combobox(
            value=text, placeholder="value", options=list(self._suggestions.get(key, ())), layout=WIDE
        )
        name.observe(lambda change: self._suggest_values(value, change["new"]), "value")
        remove = controls.Button(description="Remove", layout={"flex": "0 0 auto", "width": "auto"})
        row = controls.HBox([name, value, remove], layout=WIDE)
        remove.on_click(lambda _: self._remove_row(row))
        for control in (name, value):
            control.observe(lambda _: self.set_trait("value", self._read()), "value")
        self._rows.children = (*self._rows.children, row)

    def _suggest_values(self, value: widgets.Combobox, key: str) -> None:
        value.options = list(self._suggestions.get(key.strip(), ()))

    def _remove_row(self, row: widgets.HBox) -> None:
        self._rows.children = tuple(child for child in self._rows.children if child is not row)
        self.value = self._read()

    def _read(self) -> dict[str, Any] | None:
        pairs = [(row.children[0].value, row.children[1].value) for row in self._rows.children]
        # A row without a key or a value is still being typed.
        return {key.strip(): self._parse(text) for key, text in pairs if key.strip() and text} or None

    def _parse(self, text: str) -> Any:
        if not self._parse_values:
            return text
        if text in ("true", "false"):
            return text == "true"
        for number in (int, float):
            try:
                return number(text)
            except ValueError:
                continue
        return text

    def _set(self, change: Mapping[str, Any]) -> None:
        if self._read() == change["new"]:
            return
        self._rows.children = ()
        for key, value in (change["new"] or {}).items():
            self._add_row(str(key), str(value).lower() if isinstance(value, bool) else str(value))
