"""Sample photos with one click, for a rehearsal without own photos."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import ipywidgets as widgets

from astria_nb.form.fields import AUTO, controls
from astria_nb.utils.examples import sample_photos


class SamplePhotos(controls.HBox):
    """A button that adds the sample photos of a class; hidden until some are offered.

    Parameters
    ----------
    on_add : callable
        Called with their paths.
    on_class : callable
        Called with their class, before that.
    """

    def __init__(self, on_add: Callable[[Iterable[Path]], None], on_class: Callable[[str], None]) -> None:
        self._on_add, self._on_class = on_add, on_class
        self._name, self._is_wanted = "", True
        self._button = controls.Button(layout=AUTO)
        self._button.on_click(lambda _: self._add())
        note = controls.HTML("No photos at hand? These are drawings to rehearse with.", classes="astria-note")
        super().__init__(
            [self._button, note], layout=widgets.Layout(display="none"), classes="astria-samples"
        )

    def offer(self, names: Iterable[str]) -> None:
        """Offer the photos of the first of these classes that has some."""
        self._name = next((name for name in names if sample_photos(name)), "")
        self._button.description = f"Use sample photos of a {self._name}"
        self.show(self._is_wanted)

    def show(self, is_wanted: bool) -> None:
        """Show the offer, or hide it because there are photos already."""
        self._is_wanted = is_wanted
        self.layout.display = None if self._name and is_wanted else "none"

    def _add(self) -> None:
        photos = sample_photos(self._name)
        self._on_class(self._name)
        self._on_add(photos)
