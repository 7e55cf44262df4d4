"""The fields of the form, and the draft of a tune that they hold together."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, cast

import ipywidgets as widgets

from astria_nb.client import Client
from astria_nb.defaults import is_sandbox
from astria_nb.errors import Problem, TuneError
from astria_nb.form._sections import Sections
from astria_nb.form.fields import (
    AUTO,
    CallbackField,
    CharacteristicsField,
    ChoiceField,
    Field,
    PairsField,
    TextField,
    UrlsField,
    controls,
)
from astria_nb.form.images import ImageField, InspectBar, PreprocessingSwitches
from astria_nb.form.pickers import ClassField, PackField, PromptsField, TunesField
from astria_nb.images import Image, Preprocessing, is_content
from astria_nb.tune import FIELDS, Encoding, Pack, check
from astria_nb.tune.plain import without_missing
from astria_nb.tune.validators import PRESETS
from astria_nb.utils.redaction import redact_json

_ATTRIBUTES = ("num_images", "aspect_ratio", "resolution", "inpaint_faces", "super_resolution", "film_grain")
# The only prompt attribute with its own field.
_PROMPT_CALLBACK = "prompt_attributes.callback"
# The items that the form can show in a list; in other lists it can show any.
_ITEM_TYPES: dict[str, tuple[type, ...]] = {"images": (str, PathLike, Image), "image_urls": (str,)}
_MEND = "re-save it or remove it"
_ENCODINGS = [("automatic", None), *((name, name) for name in ("multipart", "form", "json"))]


class Draft:
    """The fields of a form.

    Parameters
    ----------
    client : Client
        Used to look up packs.
    preprocessing : Preprocessing
        Initial state of the switches for photos.
    on_edit : callable
        Called with the name of a field whose value changed, or with another text when a switch was changed.
    on_news : callable
        Called when something new has to be shown although the request is unchanged: the look-up of the pack
        ended, photos were measured, or the section with the request was opened.
    request : Widget
        Shows the request as code, in a separate section.
    make_photos_folder : callable, optional
        Creates and returns the folder where photos from the user's computer are kept after the kernel ends.
        Default: they are deleted.

    Attributes
    ----------
    fields : dict of str to Field
        Fields by their names in the API, and ``encoding``, which is not a field of a tune.
    view : list of Widget
        The widgets from top to bottom.
    """

    def __init__(
        self,
        client: Client,
        preprocessing: Preprocessing,
        on_edit: Callable[[str], None],
        on_news: Callable[[], None],
        request: widgets.Widget,
        make_photos_folder: Callable[[], Path] | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.pack = PackField(client)
        self._lookup: tuple[int | str | None, Pack | None, Problem | None] = (None, None, None)
        self._class, self._urls = ClassField(), UrlsField()
        self._images = ImageField(self._urls, make_photos_folder, self._choose_class)
        # On an account, training on a drawing would cost money.
        self._has_samples = is_sandbox(client)
        self._prompts, self._characteristics = PromptsField(client), CharacteristicsField()
        self.fields = self._make_fields(client)
        self.switches = PreprocessingSwitches(
            preprocessing, self._image_files, lambda: on_edit("preprocessing")
        )
        self._inspect_bar = InspectBar(
            client, self._inspectable, self._images.show_warnings, self._fill_characteristics
        )
        self.sections = Sections(self.fields, request)
        self.view = [
            *(self.pack, self._class, self.fields["title"], self._images),
            *(self._inspect_bar, self.switches, self.sections),
        ]
        self.new_title()
        self._offer_samples()
        self._on_edit, self._on_news = on_edit, on_news

    def _make_fields(self, client: Client) -> dict[str, Field]:
        new = controls.Button(description="New", tooltip="A fresh UUID", layout=AUTO)
        new.on_click(lambda _: self.new_title())
        note = controls.HTML(
            "Names this tune, so that it is paid for once. Any unused text will do.", classes="astria-note"
        )
        presets = [("pack default", None), *((name, name) for name in PRESETS)]
        retention = [("account default", None), ("extend", True), ("30 days", False)]
        return {
            "pack": self.pack,
            "name": self._class,
            "title": TextField("Title", FIELDS["title"].placeholder, new, note),
            "images": self._images,
            "image_urls": self._urls,
            "characteristics": self._characteristics,
            "callback": CallbackField("Trained", FIELDS["callback"].placeholder),
            _PROMPT_CALLBACK: CallbackField("Each prompt", FIELDS["callback"].placeholder),
            "prompts_callback": CallbackField("All prompts", FIELDS["prompts_callback"].placeholder),
            "tune_ids": TunesField(client),
            "prompt_ids": self._prompts,
            "brief": TextField("Brief", FIELDS["brief"].placeholder, rows=3),
            "encoding": ChoiceField("Encoding", _ENCODINGS),
            "preset": ChoiceField("Preset", presets),
            "auto_extend": ChoiceField("Keep", retention),
            "branch": ChoiceField("Run", [("real", None), ("mock (branch fast)", "fast")]),
            "prompt_attributes": PairsField(dict.fromkeys(_ATTRIBUTES, ()), parse_values=True),
        }

    def begin(self) -> None:
        """Report edits from now on, and look up the packs. Photos wait for `measure_photos`."""
        self._images.hold_measuring()
        for name, field in self.fields.items():
            field.lock = self.lock
            field.add_class(f"astria-at-{name.replace('.', '-')}")
            if field is not self.pack:
                field.observe(lambda _, name=name: self._on_edit(name), "value")
        self._class.observe(lambda _: self._on_class(), "value")
        self._images.observe(lambda _: self._on_images(), "value")
        self._images.observe(lambda _: self._on_news(), "damaged")
        self._urls.observe(lambda _: self._inspect_bar.update(), "value")
        self.sections.observe(lambda _: self._on_section(), "selected_index")
        self.pack.observe(lambda _: self._on_pack(), ["value", "pack", "problem"])
        self.pack.reload()

    def measure_photos(self) -> None:
        """Measure photos from now on."""
        self._images.start_measuring()

    def values(self) -> dict[str, Any]:
        """Return the filled-in values, by the fields' names in the API."""
        values = {name: field.value for name, field in self.fields.items() if field.value is not None}
        values.pop("encoding", None)
        attributes = {**values.pop("prompt_attributes", {})}
        if _PROMPT_CALLBACK in values:
            attributes["callback"] = values.pop(_PROMPT_CALLBACK)
        return {**values, "prompt_attributes": attributes} if attributes else values

    def public_values(self) -> dict[str, Any]:
        """Return the filled-in values without the secrets of addresses, to be saved with the notebook."""
        return {
            name: value if name == "images" else redact_json(value, field=name)
            for name, value in self.values().items()
        }

    @property
    def photo_problems(self) -> list[Problem]:
        """Photos that cannot be sent with the current switches, among those that were measured."""
        damaged = () if self.switches.preprocessing.keep_damaged else self._images.damaged
        incomplete = [Problem("images", f"{name} is incomplete", _MEND) for name in damaged]
        return [*incomplete, *self.switches.problems]

    @property
    def encoding(self) -> Encoding | None:
        """The chosen encoding; None to choose it by the images."""
        return cast("Encoding | None", self.fields["encoding"].value)

    def fill(self, values: Mapping[str, Any]) -> None:
        """Put values into fields; None empties a field.

        Raises
        ------
        TypeError
            A name is not a field.
        TuneError
            A value is not the list or mapping that its field takes. No field was filled.
        """
        values = {
            name: without_missing(
                _as_list(value) if _shape(name) == "list" and not is_content(value) else value
            )
            for name, value in values.items()
        }
        checked, problems = check(values)
        wrong = {problem.field.split(".")[0] for problem in problems}
        # Wrong values are filled in unchanged, so that the user sees them.
        values = {name: value if name in wrong else _filled(checked[name]) for name, value in values.items()}
        parts = [part for name, value in values.items() for part in _split(name, value, problems)]
        with self.lock:
            for name, value in parts:
                self.fields[name].value = value

    def new_title(self) -> None:
        """Put a fresh UUID into the title."""
        self.fields["title"].value = str(uuid.uuid4())

    @property
    def is_fresh(self) -> bool:
        """Whether only the title is filled in."""
        return set(self.values()) == {"title"}

    @property
    def is_blank(self) -> bool:
        """Whether there are no photos, no addresses and no existing tunes yet."""
        return not {"images", "image_urls", "tune_ids"} & set(self.values())

    def clear_photos(self) -> None:
        """Prepare for another tune of the same pack: with a new title, and no photos."""
        with self.lock:
            for name in ("images", "image_urls", "tune_ids"):
                self.fields[name].value = None
            self.new_title()

    def focus(self) -> None:
        """Move the focus to the title, where the next tune begins."""
        self.fields["title"].focus()

    def reveal(self, name: str) -> None:
        """Bring a field into view."""
        if (field := self.fields.get(name)) is not None:
            self._images.reveal(field)
            self.sections.reveal(field)

    def _on_images(self) -> None:
        if not self._images.value:  # the sample photos, which have a class, were removed
            self._class.want(None)
        self.switches.update_savings()
        self._inspect_bar.update()

    def _on_class(self) -> None:
        self._offer_prompts()
        self._offer_samples()
        self._inspect_bar.update()

    def _offer_samples(self) -> None:
        pack, name = self.pack.pack, self._class.value
        classes = ["woman"] if pack is None else [offered.name for offered in pack.classes]
        self._images.offer_samples(filter(None, [name, *classes]) if self._has_samples else ())

    def _choose_class(self, name: str) -> None:
        if self.pack.pack is not None:
            self._class.value = name
        else:
            self._class.want(name)

    def _on_section(self) -> None:
        if self.sections.shows_request:
            self._on_news()

    def _on_pack(self) -> None:
        """Report a change of the pack or its look-up once, although several traits change with it."""
        with self.lock:
            before, self._lookup = self._lookup, (self.pack.value, self.pack.pack, self.pack.problem)
            if before == self._lookup:
                return
            self._class.offer(self.pack.pack)
            self._offer_prompts()
            self._offer_samples()
        if before[0] != self._lookup[0]:
            self._on_edit("pack")
        else:
            self._on_news()

    def _offer_prompts(self) -> None:
        pack, name = self.pack.pack, self._class.value
        self._prompts.offer(pack, name)
        prompts = pack.prompts if pack is not None else ()
        templates = [prompt.text for prompt in prompts if prompt.name == name and prompt.text]
        self._characteristics.set_templates(templates)

    def _image_files(self) -> list[Image]:
        return [image for image in self._images.value or () if isinstance(image, Image)]

    def _inspectable(self) -> tuple[Sequence[Image | str], str | None]:
        photos = [image for image in self._image_files() if not image.is_caption]
        return [*photos, *(self._urls.value or ())], self._class.value

    def _fill_characteristics(self, characteristics: Mapping[str, str]) -> None:
        self._characteristics.value = {**(self._characteristics.value or {}), **characteristics}
        self.reveal("characteristics")


def _shape(name: str) -> str:
    return FIELDS[name].shape if name in FIELDS else "scalar"


def _as_list(value: Any) -> Any:
    """Return an iterable as a list, since it may only be read once; anything else unchanged."""
    is_single = isinstance(value, str | bytes | PathLike | Mapping) or not isinstance(value, Iterable)
    return value if is_single else list(value)


def _filled(value: Any) -> Any:
    """Return a checked value as a field holds it: a tuple as a list, and None if it is empty."""
    value = list(value) if isinstance(value, tuple) else value
    return None if value in ([], {}) else value


def _split(name: str, value: Any, problems: Sequence[Problem]) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of the form's fields that hold one field of a tune."""
    field_value: Any
    shape = _shape(name)
    if shape == "list":
        types = _ITEM_TYPES.get(name, (object,))
        wrong = not isinstance(value, list) or not all(isinstance(item, types) for item in value)
        field_value = None if wrong else value or None
    elif shape == "map":
        wrong = not isinstance(value, Mapping)
        field_value = None if wrong else dict(value) or None
    else:
        # Anything that can be typed is shown, valid or not.
        wrong = not isinstance(value, str | int | float) and any(
            problem.field == name for problem in problems
        )
        field_value = value
    if value is not None and wrong:
        raise TuneError(*(problem for problem in problems if problem.field == name))
    if name == "prompt_attributes":
        attributes = field_value or {}
        yield _PROMPT_CALLBACK, attributes.get("callback")
        field_value = {key: text for key, text in attributes.items() if key != "callback"} or None
    yield name, field_value
