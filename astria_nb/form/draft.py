"""What is filled in: the form's fields, and what they hold together."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from astria_nb.client.client import Client
from astria_nb.errors import Problem, TuneError
from astria_nb.form.fields.base import Field
from astria_nb.form.fields.characteristics import CharacteristicsField
from astria_nb.form.fields.choice import ChoiceField
from astria_nb.form.fields.pairs import PairsField
from astria_nb.form.fields.text import TextField, UrlsField
from astria_nb.form.images.image_field import ImageField
from astria_nb.form.images.inspect_bar import Inspecting
from astria_nb.form.images.preprocessing_switches import Treating
from astria_nb.form.pickers.ids_field import PromptsField, TunesField
from astria_nb.form.pickers.pack_field import ClassField, PackField
from astria_nb.form.sections import Sections
from astria_nb.images.image import Image
from astria_nb.images.preprocessing import Preprocessing
from astria_nb.tune.tune import FIELDS, check
from astria_nb.tune.validators import PRESETS

_ATTRIBUTES = ("num_images", "aspect_ratio", "resolution", "inpaint_faces", "super_resolution", "film_grain")
# The one attribute of prompts that has a field of its own.
_PROMPT_CALLBACK = "prompt_attributes.callback"
# What a list may hold to be shown; everything else that can be typed is.
_ITEM_TYPES: dict[str, tuple[type, ...]] = {"images": (str, PathLike, Image), "image_urls": (str,)}
_ENCODINGS = [("chosen by the images", None), *((name, name) for name in ("multipart", "form", "json"))]


class Draft:
    """The fields of a form, and what they hold together.

    Parameters
    ----------
    client : Client
        For the packs.
    preprocessing : Preprocessing
        What is done to photos, to begin with.
    edited : callable
        Called with the name of a field whose value changed; with another one when the pack's answer came, a
        switch was turned, or a fold opened.
    request : Widget
        Shows how the tune is sent; folded among the fields.
    photos : Path, optional
        Where photos from the reader's computer stay when the kernel ends; by default they go with it.

    Attributes
    ----------
    fields : dict of str to Field
        By the fields' names in the API, and ``encoding``, which is no field of a tune.
    view : list of Widget
        What is seen, from top to bottom.
    """

    def __init__(
        self,
        client: Client,
        preprocessing: Preprocessing,
        edited: Callable[[str], None],
        request: widgets.Widget,
        photos: Path | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.pack = PackField(client)
        self._class, self._urls = ClassField(), UrlsField()
        self._images = ImageField(self._urls, photos)
        self._prompts, self._characteristics = PromptsField(client), CharacteristicsField()
        new = widgets.Button(description="New", tooltip="A fresh UUID", layout=widgets.Layout(width="auto"))
        new.on_click(lambda _: self.new_title())
        self.fields: dict[str, Field] = {
            "pack": self.pack,
            "name": self._class,
            "title": TextField("Title", FIELDS["title"].placeholder, new),
            "images": self._images,
            "image_urls": self._urls,
            "characteristics": self._characteristics,
            "callback": TextField("Trained", FIELDS["callback"].placeholder),
            _PROMPT_CALLBACK: TextField("Each prompt", FIELDS["callback"].placeholder),
            "prompts_callback": TextField("All prompts", FIELDS["prompts_callback"].placeholder),
            "tune_ids": TunesField(client),
            "prompt_ids": self._prompts,
            "brief": TextField("Brief", FIELDS["brief"].placeholder, rows=3),
            "encoding": ChoiceField("Encoding", _ENCODINGS),
            "preset": ChoiceField("Preset", [("the pack's own", None), *((name, name) for name in PRESETS)]),
            "auto_extend": ChoiceField(
                "Keep", [("as the account says", None), ("extend", True), ("30 days", False)]
            ),
            "branch": ChoiceField("Run", [("real", None), ("mock (branch fast)", "fast")]),
            "prompt_attributes": PairsField(dict.fromkeys(_ATTRIBUTES, ()), typed=True),
        }
        self.switches = Treating(preprocessing, self._files, lambda: edited("preprocessing"))
        inspecting = Inspecting(client, self._inspectable, self._images.warn, self._fill_characteristics)
        self.sections = Sections(self.fields, request)
        title = self.fields["title"]
        self.view = [
            self.pack,
            self._class,
            title,
            self._images,
            inspecting,
            self.switches,
            self.sections,
        ]
        self.new_title()
        self._edited = edited

    def begin(self) -> None:
        """Tell of edits from here on, and ask for the packs."""
        self._observe(self._edited)
        self.pack.reload()

    def values(self) -> dict[str, Any]:
        """Return what is filled in of a tune, by the fields' names in the API."""
        values = {name: field.value for name, field in self.fields.items() if field.value is not None}
        values.pop("encoding", None)
        attributes = {**values.pop("prompt_attributes", {})}
        if _PROMPT_CALLBACK in values:
            attributes["callback"] = values.pop(_PROMPT_CALLBACK)
        return {**values, "prompt_attributes": attributes} if attributes else values

    def fill(self, values: Mapping[str, Any]) -> None:
        """Put values into the fields; None empties one.

        Raises
        ------
        TypeError
            For a name that is no field.
        TuneError
            When a list or a map is asked for and something else was given.
        """
        values = {name: _listed(value) if _shape(name) == "list" else value for name, value in values.items()}
        _, problems = check(values)
        parts = [part for name, value in values.items() for part in _parts(name, value, problems)]
        with self.lock:
            for name, value in parts:
                self.fields[name].value = value

    def new_title(self) -> None:
        """Put a fresh UUID in the title."""
        self.fields["title"].value = str(uuid.uuid4())

    @property
    def is_fresh(self) -> bool:
        """Whether nothing but the title is filled in."""
        return set(self.values()) == {"title"}

    def reveal(self, name: str) -> None:
        """Bring a field into sight."""
        if (field := self.fields.get(name)) is not None:
            self._images.turn_to(field)
            self.sections.reveal(field)

    def _observe(self, edited: Callable[[str], None]) -> None:
        for name, field in self.fields.items():
            field.lock = self.lock
            field.add_class(f"astria-at-{name.replace('.', '-')}")
            field.observe(lambda _, name=name: edited(name), "value")
        self._class.observe(lambda _: self._offer_prompts(), "value")
        self._images.observe(lambda _: self.switches.weigh(), "value")
        self.sections.observe(
            lambda _: edited("request") if self.sections.shows_request else None, "selected_index"
        )
        self.pack.observe(lambda _: self._pack_came(edited), ["pack", "problem"])

    def _pack_came(self, edited: Callable[[str], None]) -> None:
        self._class.offer(self.pack.pack)
        self._offer_prompts()
        edited("pack's answer")

    def _offer_prompts(self) -> None:
        pack, name = self.pack.pack, self._class.value
        self._prompts.offer(pack, name)
        prompts = pack.prompts if pack is not None else ()
        self._characteristics.offer([each.text for each in prompts if each.name == name and each.text])

    def _files(self) -> list[Image]:
        return [each for each in self._images.value or () if isinstance(each, Image)]

    def _inspectable(self) -> tuple[Sequence[Image | str], str | None]:
        return [*self._files(), *(self._urls.value or ())], self._class.value

    def _fill_characteristics(self, found: Mapping[str, str]) -> None:
        field = self.fields["characteristics"]
        field.value = {**(field.value or {}), **found}
        self.reveal("characteristics")


def _shape(name: str) -> str:
    return FIELDS[name].shape if name in FIELDS else "scalar"


def _listed(value: Any) -> Any:
    """Return a list of what can be gone through only once; what is no list stays as it is."""
    one = isinstance(value, str | bytes | PathLike | Mapping) or not isinstance(value, Iterable)
    return value if one else list(value)


def _parts(name: str, value: Any, problems: Sequence[Problem]) -> Iterator[tuple[str, Any]]:
    """Turn a field of a tune into what the form's fields hold."""
    if _shape(name) == "list":
        types = _ITEM_TYPES.get(name, (object,))
        wrong = not isinstance(value, list) or not all(isinstance(each, types) for each in value)
        found: Any = None if value is None or wrong else value or None
    elif _shape(name) == "map":
        wrong = not isinstance(value, Mapping)
        found = None if value is None or wrong else dict(value) or None
    else:
        # A field shows what can be typed, right or not.
        wrong = not isinstance(value, str | int | float) and any(each.field == name for each in problems)
        found = value
    if value is not None and wrong:
        raise TuneError(*(problem for problem in problems if problem.field == name))
    if name == "prompt_attributes":
        yield _PROMPT_CALLBACK, (found or {}).get("callback")
        found = {key: each for key, each in (found or {}).items() if key != "callback"} or None
    yield name, found
