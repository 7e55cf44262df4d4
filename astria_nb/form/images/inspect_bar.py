"""The service's look at the images, at a click: what to warn of, and what it can fill in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.client.client import Client
from astria_nb.client.inspection import Inspection, inspect_each, majority
from astria_nb.errors import AstriaError
from astria_nb.form.fields.base import WIDE
from astria_nb.images.image import Image
from astria_nb.utils import background


class Inspecting(widgets.HBox):
    """A button that asks, one that fills in what most images agree on, and a line.

    Parameters
    ----------
    client : Client
    chosen : callable
        Returns the images (or addresses) and the class at this moment.
    warned : callable
        Called with what the service says against images, by their path.
    filled : callable
        Called with characteristics to fill in.
    """

    def __init__(
        self,
        client: Client,
        chosen: Callable[[], tuple[Sequence[Image | str], str | None]],
        warned: Callable[[Mapping[Path, Sequence[str]]], None],
        filled: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._client, self._chosen, self._warned, self._filled = client, chosen, warned, filled
        self._found: dict[str, str] = {}
        auto = widgets.Layout(width="auto")
        self._ask = widgets.Button(
            description="Inspect", tooltip="Ask the service to look at each image", layout=auto
        )
        self._fill = widgets.Button(description="Fill characteristics", disabled=True, layout=auto)
        self._text = widgets.HTML(layout=widgets.Layout(flex="1 1 240px"))
        self._text.add_class("astria-note")
        self._ask.on_click(lambda _: self._asked())
        self._fill.on_click(lambda _: self._filled(self._found))
        super().__init__([self._ask, self._fill, self._text], layout=WIDE)
        self.add_class("astria-inspecting")
        self._say("The service can look at each image before you pay, and tell what is on it.")

    def _asked(self) -> None:
        images, name = self._chosen()
        if not images or name is None:
            self._say("Choose a class and some images first")
            return
        self._ask.disabled = self._fill.disabled = True
        self._say(f"Looked at 0 of {len(images)}")
        background.start(self._inspect, images, name)

    def _inspect(self, images: Sequence[Image | str], name: str) -> None:
        inspections: list[Inspection] = []
        try:
            for each in inspect_each(images, self._client, name=name):
                inspections.append(each)
                self._say(f"Looked at {len(inspections)} of {len(images)}")
        except AstriaError as error:
            self._say(str(error))
        else:
            order = [id(image) for image in images]
            self._show(sorted(inspections, key=lambda each: order.index(id(each.image))))
        finally:
            self._ask.disabled = False

    def _show(self, inspections: Sequence[Inspection]) -> None:
        self._found = majority(inspections)
        self._fill.disabled = not self._found
        paths = [(_path(each.image), each.warnings) for each in inspections]
        self._warned({path: warnings for path, warnings in paths if path is not None})
        bad = [each for each in inspections if each.warnings]
        lost = [each for each in inspections if each.problem is not None]
        told = [f"{len(inspections) - len(lost)} inspected"]
        told.append(f"{len(bad)} to look at" if bad else "nothing against them")
        told += [f"{each.image}: {', '.join(each.warnings)}" for each in bad if _path(each.image) is None]
        told += [f"{len(lost)} could not be: {lost[0].problem}"] if lost else []
        self._say(" · ".join(told))

    def _say(self, text: str) -> None:
        self._text.value = Markup("<span>{}</span>").format(text)


def _path(image: Any) -> Path | None:
    return image.path if isinstance(image, Image) else None
