"""The button that opens and closes a picker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from astria_nb.form.fields import controls
from astria_nb.form.pickers._picker import Picker


class BrowseButton(controls.Button):
    """Opens and closes a picker; gets the focus back when the picker is closed.

    Parameters
    ----------
    picker : Picker
    """

    def __init__(self, picker: Picker) -> None:
        self._picker = picker
        self._open_label = f"Browse {picker.noun}s"
        super().__init__(description=self._open_label, layout={"flex": "0 0 auto", "width": "auto"})
        self.on_click(lambda _: picker.set_trait("is_open", not picker.is_open))
        picker.observe(self._on_open, "is_open")

    def _on_open(self, change: Mapping[str, Any]) -> None:
        self.description = f"Close {self._picker.noun}s" if change["new"] else self._open_label
        if not change["new"]:
            self.focus()
