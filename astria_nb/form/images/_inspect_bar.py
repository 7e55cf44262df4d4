"""The service's inspection of the images: warnings, and characteristics to fill in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.client import Client, Inspection, inspect_each, majority
from astria_nb.errors import AstriaError
from astria_nb.form.fields import AUTO, controls
from astria_nb.images import Image
from astria_nb.utils import background


class InspectBar(controls.HBox):
    """A button that starts the inspection, one that fills in the most common results, and a status line.

    Parameters
    ----------
    client : Client
    selection : callable
        Returns the images (or URLs) and the class at the time of the click.
    on_warnings : callable
        Called with the service's warnings by path of the image.
    on_fill : callable
        Called with characteristics to fill in.
    """

    def __init__(
        self,
        client: Client,
        selection: Callable[[], tuple[Sequence[Image | str], str | None]],
        on_warnings: Callable[[Mapping[Path, Sequence[str]]], None],
        on_fill: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._client, self._selection = client, selection
        self._on_warnings, self._on_fill = on_warnings, on_fill
        self._characteristics: dict[str, str] = {}
        self._is_busy = self._has_result = False
        self._ask = controls.Button(
            description="Inspect",
            tooltip="Let the service inspect each image",
            layout=AUTO,
        )
        self._fill = controls.Button(
            description="Fill characteristics",
            disabled=True,
            layout=widgets.Layout(width="auto", display="none"),
        )
        self._text = controls.HTML(layout={"flex": "1 1 240px"}, classes="astria-note")
        self._ask.on_click(lambda _: self._start())
        self._fill.on_click(lambda _: self._on_fill(self._characteristics))
        # Not the shared layout, because it is hidden while there are no images.
        super().__init__(
            [self._ask, self._fill, self._text],
            layout=widgets.Layout(width="100%"),
            classes="astria-inspect-bar",
        )
        self.update()

    def update(self) -> None:
        """Offer the inspection of the chosen images; hide it while there are none."""
        images, name = self._selection()
        self.layout.display = None if images else "none"
        self._ask.disabled = self._is_busy or not images or name is None
        if not self._has_result and not self._is_busy:
            text = "The service can inspect each image before you pay, and say what is in it."
            self._set_status(text if name is not None else f"{text} Choose a class first.")

    def _start(self) -> None:
        images, name = self._selection()
        if not images or name is None:
            return
        self._is_busy = self._has_result = True
        self._ask.disabled = self._fill.disabled = True
        self._set_status(f"Inspected 0 of {len(images)}")
        background.start(self._inspect, images, name)

    def _inspect(self, images: Sequence[Image | str], name: str) -> None:
        inspections: list[Inspection] = []
        try:
            for inspection in inspect_each(images, self._client, name=name):
                inspections.append(inspection)
                self._set_status(f"Inspected {len(inspections)} of {len(images)}")
        except AstriaError as error:
            self._set_status(str(error))
        else:
            order = [id(image) for image in images]
            self._show(sorted(inspections, key=lambda inspection: order.index(id(inspection.image))))
        finally:
            self._is_busy = False
            self.update()

    def _show(self, inspections: Sequence[Inspection]) -> None:
        self._characteristics = majority(inspections)
        self._fill.disabled = not self._characteristics
        self._fill.layout.display = None if self._characteristics else "none"
        by_path = [(_path(inspection.image), inspection.warnings) for inspection in inspections]
        self._on_warnings({path: warnings for path, warnings in by_path if path is not None})
        with_warnings = [inspection for inspection in inspections if inspection.warnings]
        failed = [inspection for inspection in inspections if inspection.problem is not None]
        parts = [f"{len(inspections) - len(failed)} inspected"]
        warned = "a warning" if len(with_warnings) == 1 else "warnings"
        parts.append(f"{len(with_warnings)} with {warned}" if with_warnings else "no warnings")
        # The warnings of files are shown on their tiles.
        parts += [
            f"{inspection.image}: {', '.join(inspection.warnings)}"
            for inspection in with_warnings
            if _path(inspection.image) is None
        ]
        parts += [f"{len(failed)} failed: {failed[0].problem}"] if failed else []
        self._set_status(" · ".join(parts))

    def _set_status(self, text: str) -> None:
        self._text.value = Markup("<span>{}</span>").format(text)


def _path(image: Any) -> Path | None:
    return image.path if isinstance(image, Image) else None
