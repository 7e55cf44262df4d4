"""Two switches for how photos are prepared for upload, and a description of the effect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from astria_nb.errors import AstriaError, Problem
from astria_nb.form.fields import AUTO, WIDE, controls
from astria_nb.form.images._control_names import KEEP, SMALLER, naming_controls
from astria_nb.images import Image, Preprocessing, all_only_smaller, upload_size
from astria_nb.utils import background

SIDE = 2048  # pixels: larger images do not improve a model (astria-api, section 12)
_METADATA_KEPT = "Photos are uploaded with all their metadata, including location, time and camera."
_METADATA_REMOVED = (
    "Location, time, camera and names are removed before upload; the picture itself is unchanged."
)


class PreprocessingSwitches(controls.VBox):
    """The two switches.

    Parameters
    ----------
    preprocessing : Preprocessing
        The initial state.
    images : callable
        Returns the currently chosen images.
    on_change : callable
        Called when a switch was changed.
    """

    def __init__(
        self,
        preprocessing: Preprocessing,
        images: Callable[[], Sequence[Image]],
        on_change: Callable[[], None],
    ) -> None:
        self._images, self._on_change = images, on_change
        self._side = preprocessing.max_side or SIDE
        self._keeps_damaged = preprocessing.keep_damaged
        self._keep = _switch(preprocessing.keep_metadata, KEEP)
        self._small = _switch(preprocessing.max_side is not None, self._small_text)
        self._note = controls.HTML(classes="astria-note")
        self._savings = controls.HTML(layout={"flex": "1 1 160px"}, classes="astria-note")
        switches = controls.HBox([self._keep, self._small, self._savings], layout=WIDE)
        super().__init__([self._note, switches], layout=WIDE, classes="astria-switches")
        for switch in (self._keep, self._small):
            switch.observe(lambda _: self._on_switch(), "value")
        self._show_note()

    @property
    def preprocessing(self) -> Preprocessing:
        """The state of the switches."""
        side = self._side if self._small.value else None
        return Preprocessing(self._keep.value, side, self._keeps_damaged)

    @preprocessing.setter
    def preprocessing(self, preprocessing: Preprocessing) -> None:
        self._side = preprocessing.max_side or SIDE
        self._keeps_damaged = preprocessing.keep_damaged
        self._small.description = self._small_text
        self._keep.value, self._small.value = preprocessing.keep_metadata, preprocessing.max_side is not None

    @property
    def _small_text(self) -> str:
        return f"{SMALLER}, to at most {self._side} px a side"

    @property
    def problems(self) -> list[Problem]:
        """Why photos cannot be sent with the current switches; at most one problem."""
        problems = all_only_smaller(self._images(), self.preprocessing)
        if not self._small.value:
            return problems
        hint = f"create the form with max_side={SIDE}"
        return [Problem(problem.field, problem.what, hint) for problem in problems]

    def update_savings(self) -> None:
        """Recompute how much smaller the upload is, after the images or a switch changed."""
        self._savings.value = ""
        if self._small.value and self._images():
            background.start_cpu_bound(self._show_savings, list(self._images()), self.preprocessing)

    def _on_switch(self) -> None:
        self._show_note()
        self.update_savings()
        self._on_change()

    def _show_savings(self, images: Sequence[Image], preprocessing: Preprocessing) -> None:
        try:
            size = upload_size(images, preprocessing)
            text = str(size) if size.uploaded < 0.9 * size.on_disk else "already small enough"
        except AstriaError as error:
            text = naming_controls(str(error))
        if preprocessing == self.preprocessing and images == list(self._images()):
            self._savings.value = Markup("<span>{}</span>").format(text)

    def _show_note(self) -> None:
        text = _METADATA_KEPT if self._keep.value else _METADATA_REMOVED
        self._note.value = Markup("<span>{}</span>").format(text)


def _switch(value: bool, text: str) -> Any:
    return controls.Checkbox(
        value=value, description=text, indent=False, layout=AUTO, classes="astria-switch"
    )
