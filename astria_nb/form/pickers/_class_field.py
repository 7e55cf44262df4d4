"""The classes of the chosen pack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from astria_nb.form.fields import LABEL, Field, controls
from astria_nb.tune import Pack


class ClassField(Field):
    """The classes of the chosen pack, each with the number of pictures and the price of a run."""

    _classes = "astria-labelled"

    def __init__(self) -> None:
        self._buttons = controls.ToggleButtons(
            options=[],
            description="Class",
            style={**LABEL, "button_width": "auto"},
            layout=widgets.Layout(),
        )
        self._no_pack = controls.HTML(
            "Choose a pack to see its classes.",
            description="Class",
            style=LABEL,
            layout=widgets.Layout(),
            classes="astria-note",
        )
        super().__init__(self._buttons, self._no_pack)
        self._buttons.observe(self._on_click, "value")
        self.observe(lambda _: self._update(), "value")
        self._is_updating = False
        self._wanted: str | None = None
        self.offer(None)

    def want(self, name: str | None) -> None:
        """Choose a class as soon as a pack has it, unless another one has been chosen by then."""
        self._wanted = name

    def offer(self, pack: Pack | None) -> None:
        """Show the classes of a pack; the choice is kept, and a pack with one class needs none."""
        options = [(offered.summary, offered.name) for offered in pack.classes] if pack else []
        names = [name for _, name in options]
        with self.lock:
            if self.value is None and (self._wanted in names or len(names) == 1):
                self.value = self._wanted if self._wanted in names else names[0]
            self._update(options)
            self.explains_missing_value = not options
            self._buttons.layout.display = None if options else "none"
            self._no_pack.layout.display = "none" if options else None

    def _on_click(self, change: Mapping[str, Any]) -> None:
        if change["new"] is not None and not self._is_updating:
            self.value = change["new"]

    def _update(self, options: list[tuple[str, str]] | None = None) -> None:
        """Make the buttons show the field's value, without treating that as a click."""
        with self.lock:
            self._is_updating = True
            try:
                if options is not None:
                    self._buttons.options = options
                names = [name for _, name in self._buttons.options]
                self._buttons.value = self.value if self.value in names else None
            finally:
                self._is_updating = False
