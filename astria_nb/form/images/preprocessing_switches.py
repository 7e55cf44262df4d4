"""What is done to the photos before they are sent: two switches, and what they change in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.errors import AstriaError
from astria_nb.form.fields.base import WIDE
from astria_nb.images.image import Image
from astria_nb.images.preprocessing import Preprocessing
from astria_nb.images.upload import weigh
from astria_nb.utils import background

SIDE = 2048  # pixels: what is larger teaches a model nothing more (astria-api, section 12)


class Treating(widgets.VBox):
    """The two switches; `preprocessing` is what they say.

    Parameters
    ----------
    preprocessing : Preprocessing
        To begin with.
    images : callable
        Returns the images at this moment.
    changed : callable
        Called when a switch was turned.
    """

    def __init__(
        self, preprocessing: Preprocessing, images: Callable[[], Sequence[Image]], changed: Callable[[], None]
    ) -> None:
        self._images, self._changed = images, changed
        self._side = preprocessing.max_side or SIDE
        self._keep = _switch(
            preprocessing.keep_metadata, "Send where and when photos were taken, and by what camera"
        )
        self._small = _switch(
            preprocessing.max_side is not None, f"Make photos smaller, to {self._side} pixels at most"
        )
        self._note = widgets.HTML()
        self._note.add_class("astria-note")
        self._saves = widgets.HTML(layout=widgets.Layout(flex="1 1 160px"))
        self._saves.add_class("astria-note")
        small = widgets.HBox([self._small, self._saves], layout=WIDE)
        super().__init__([self._note, self._keep, small], layout=WIDE)
        self.add_class("astria-switches")
        for switch in (self._keep, self._small):
            switch.observe(lambda _: self._turned(), "value")
        self._show()

    @property
    def preprocessing(self) -> Preprocessing:
        """What is to be done."""
        return Preprocessing(self._keep.value, self._side if self._small.value else None)

    def weigh(self) -> None:
        """Say anew what being smaller saves, for other images."""
        self._saves.value = ""
        if self._small.value and self._images():
            background.start_cpu_bound(self._weigh, list(self._images()), self.preprocessing)

    def _turned(self) -> None:
        self._show()
        self.weigh()
        self._changed()

    def _weigh(self, images: Sequence[Image], preprocessing: Preprocessing) -> None:
        try:
            weight = weigh(images, preprocessing)
            saves = str(weight) if weight.sent < 0.9 * weight.files else "they are small enough already"
        except AstriaError as error:
            saves = str(error)
        if preprocessing == self.preprocessing and images == list(self._images()):
            self._saves.value = Markup("<span>{}</span>").format(saves)

    def _show(self) -> None:
        kept = (
            "Photos are sent with all that their files tell: place, time and camera among it."
            if self._keep.value
            else "Place, time, camera and names are left out of photos that are sent; no pixel changes."
        )
        self._note.value = Markup("<span>{}</span>").format(kept)


def _switch(value: bool, text: str) -> Any:
    switch = widgets.Checkbox(
        value=value, description=text, indent=False, layout=widgets.Layout(width="auto")
    )
    switch.add_class("astria-switch")
    return switch
