"""Fields for text: one line, a list of ids, a list of URLs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from astria_nb.form.fields.base import LABEL, WIDE, Field


class TextField(Field):
    """A line of text, or several.

    Parameters
    ----------
    label, placeholder : str
    *beside : Widget
        Shown at the end of the line.
    below : sequence of Widget
        Shown under it, and under what is wrong.
    rows : int
        Lines of text to show; more than one can be typed from 2 on.
    """

    def __init__(
        self,
        label: str,
        placeholder: str = "",
        *beside: widgets.Widget,
        below: Sequence[widgets.Widget] = (),
        rows: int = 1,
    ) -> None:
        options = {"description": label, "placeholder": placeholder, "style": LABEL, "layout": WIDE}
        self._text = widgets.Text(**options) if rows == 1 else widgets.Textarea(rows=rows, **options)
        super().__init__(widgets.HBox([self._text, *beside], layout=WIDE), below=below)
        self.add_class("astria-labelled")
        self._text.observe(self._typed, "value")
        self.observe(self._set, "value")

    def _typed(self, change: Mapping[str, Any]) -> None:
        self.value = self._read(change["new"])

    def _set(self, change: Mapping[str, Any]) -> None:
        # What is being typed is left as it is: "1, " must not become "1" under the reader's hands.
        if self._read(self._text.value) != change["new"]:
            self._text.value = self._write(change["new"])

    def _read(self, text: str) -> Any:
        return text.strip() or None

    def _write(self, value: Any) -> str:
        return "" if value is None else str(value)


class IdsField(TextField):
    """Ids, separated by commas or spaces. What is not a number stays as text, for the rules to name it."""

    def _read(self, text: str) -> Any:
        return [int(each) if each.isdecimal() else each for each in text.replace(",", " ").split()] or None

    def _write(self, value: Any) -> str:
        return ", ".join(str(each) for each in value or ())


class UrlsField(Field):
    """Web addresses, one a line."""

    def __init__(self) -> None:
        self._text = widgets.Textarea(
            placeholder="https://example.com/photo-1.jpg\nhttps://example.com/photo-2.jpg",
            rows=5,
            layout=WIDE,
        )
        self._text.add_class("astria-urls")
        note = widgets.HTML("One address a line. The service downloads them; nothing is loaded from here.")
        note.add_class("astria-note")
        super().__init__(note, self._text)
        self._text.observe(lambda change: self.set_trait("value", self._read(change["new"])), "value")
        self.observe(self._set, "value")

    def _set(self, change: Mapping[str, Any]) -> None:
        if self._read(self._text.value) != change["new"]:
            self._text.value = "\n".join(str(each) for each in change["new"] or ())

    def _read(self, text: str) -> list[str] | None:
        return [line.strip() for line in text.splitlines() if line.strip()] or None
