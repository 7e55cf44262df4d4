"""What is filled in: the form's fields, folded where not everyone needs them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import ipywidgets as widgets

from astria_nb.client import Client
from astria_nb.errors import Problem, TuneError
from astria_nb.form.fields import WIDE, ChoiceField, Field, PairsField, TextField, UrlsField
from astria_nb.form.image_field import ImageField
from astria_nb.form.pack_field import ClassField, PackField
from astria_nb.form.picked_ids_field import PromptsField, TunesField
from astria_nb.rules import PRESETS
from astria_nb.tune import check

_CHARACTERISTICS = (
    "eye_color",
    "hair_color",
    "hair_length",
    "hair_style",
    "facial_hair",
    "glasses",
    "ethnicity",
    "age",
    "body_type",
)
_ATTRIBUTES = ("num_images", "aspect_ratio", "resolution", "inpaint_faces", "super_resolution", "film_grain")
_HOOK = "https://example.com/hook?user_id=1"
# The one attribute of prompts that has a field of its own.
_PROMPT_CALLBACK = "prompt_attributes.callback"
_ENCODINGS = [("chosen by the images", None), *((name, name) for name in ("multipart", "form", "json"))]
# What to do about an empty field here, where nobody calls a function.
_HINTS = {
    "pack": "choose one",
    "name": "choose one",
    "title": "press New for a fresh one",
    "images": "add files here, or addresses under URLs",
}
_LABELS = {
    "pack": "pack",
    "name": "class",
    "images": "images",
    "image_urls": "image URLs",
    "tune_ids": "existing tunes",
    "prompt_ids": "prompts",
    "prompt_attributes": "prompt attributes",
    "prompts_callback": "callback for all prompts",
    _PROMPT_CALLBACK: "callback for each prompt",
}


class Draft:
    """The fields of a form, and what they hold together.

    Parameters
    ----------
    client : Client
        For the packs.
    edited : callable
        Called with the name of a field whose value changed, and with ``""`` when the pack's answer came.
    """

    def __init__(self, client: Client, edited: Callable[[str], None]) -> None:
        self._wrong: set[str] = set()
        self.lock = threading.RLock()
        self.pack = PackField(client)
        self.encoding = ChoiceField("Encoding", _ENCODINGS)
        self._class, self._images, self._urls = ClassField(), ImageField(), UrlsField()
        self._prompts = PromptsField(client)
        new = widgets.Button(description="New", tooltip="A fresh UUID", layout=widgets.Layout(width="auto"))
        new.on_click(lambda _: self.new_title())
        self.fields: dict[str, Field] = {
            "pack": self.pack,
            "name": self._class,
            "title": TextField("Title", "names the tune; use a fresh one each time", new),
            "images": self._images,
            "image_urls": self._urls,
            "characteristics": PairsField(_CHARACTERISTICS),
            "callback": TextField("Trained", _HOOK),
            _PROMPT_CALLBACK: TextField("Each prompt", _HOOK),
            "prompts_callback": TextField("All prompts", _HOOK),
            "tune_ids": TunesField(client),
            "prompt_ids": self._prompts,
            "preset": ChoiceField("Preset", [("the pack's own", None), *((name, name) for name in PRESETS)]),
            "auto_extend": ChoiceField(
                "Keep", [("as the account says", None), ("extend", True), ("30 days", False)]
            ),
            "branch": ChoiceField("Run", [("real", None), ("mock (branch fast)", "fast")]),
            "prompt_attributes": PairsField(_ATTRIBUTES, typed=True),
        }
        self.view = self._arrange()
        self.new_title()
        for name, field in self.fields.items():
            field.lock = self.lock
            field.observe(lambda _, name=name: edited(name), "value")
        self._class.observe(lambda _: self._offer_prompts(), "value")
        self.encoding.observe(lambda _: edited("encoding"), "value")
        self.pack.observe(lambda _: self._pack_came(edited), ["pack", "problem"])

    def values(self) -> dict[str, Any]:
        """Return what is filled in, by the fields' names in the API."""
        values = {name: field.value for name, field in self.fields.items() if field.value is not None}
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

    def complain(self, problems: Sequence[Problem]) -> list[Problem]:
        """Show problems beside their fields; return the ones that belong to no field."""
        at = [(self._field_of(problem), problem) for problem in problems]
        wrong = {name for name, _ in at if name in self.fields and self.fields[name].value is not None}
        for name, field in self.fields.items():
            mine = [problem for where, problem in at if where == name]
            # A fresh form does not begin with complaints.
            field.complain(
                [_in_a_form(name, each) for each in mine if not (self.is_fresh and _is_missing(each))]
            )
            # Once only: a reader who folds it again, or opens another, is not overruled.
            if name in wrong - self._wrong:
                self._unfold(field)
        self._wrong = wrong
        self.encoding.complain([problem for where, problem in at if where == "encoding"])
        return [problem for where, problem in at if where is None]

    def names_of(self, problems: Sequence[Problem]) -> list[str]:
        """Return the labels of the fields at fault, each once."""
        places = dict.fromkeys(self._field_of(problem) or problem.field for problem in problems)
        return [_LABELS.get(place, place) for place in places]

    def belongs(self, problem: Problem, name: str) -> bool:
        """Tell whether a problem is one of this field."""
        return self._field_of(problem) == name

    def label(self) -> None:
        """Let each tab and fold say what it holds."""
        values, urls = {name: field.value for name, field in self.fields.items()}, self._urls.value or ()
        hooks = [name for name in ("callback", _PROMPT_CALLBACK, "prompts_callback") if values[name]]
        self._sources.titles = (f"Files · {self._images.summary}", f"URLs · {len(urls) or 'none'}")
        self._folds.titles = (
            f"Characteristics · {_pairs(values['characteristics']) or 'none'}",
            f"Callbacks · {len(hooks) or 'none'}",
            f"Existing tunes instead of images · {', '.join(map(str, values['tune_ids'] or ())) or 'none'}",
            f"Prompts · {', '.join(map(str, values['prompt_ids'] or ())) or 'all of the pack'}",
            f"Sending · encoding {self.encoding.value or 'chosen by the images'}",
            f"Prompt attributes · {_pairs(values['prompt_attributes']) or 'as the pack has them'}",
        )

    def _pack_came(self, edited: Callable[[str], None]) -> None:
        self._class.offer(self.pack.pack)
        self._offer_prompts()
        edited("")

    def _offer_prompts(self) -> None:
        self._prompts.offer(self.pack.pack, self._class.value)

    def _field_of(self, problem: Problem) -> str | None:
        for name in (problem.field, problem.field.split(".")[0]):
            if name in self.fields or name == "encoding":
                return name
        return None

    def _unfold(self, field: Field) -> None:
        for box in (self._sources, self._folds):
            for at, child in enumerate(box.children):
                if field is child or field in getattr(child, "children", ()):
                    box.selected_index = at

    def _arrange(self) -> list[widgets.Widget]:
        field = self.fields
        self._sources = widgets.Tab([self._images, self._urls], layout=WIDE)
        callbacks = [field["callback"], field[_PROMPT_CALLBACK], field["prompts_callback"]]
        sending = [self.encoding, field["preset"], field["auto_extend"], field["branch"]]
        self._folds = widgets.Accordion(
            [
                field["characteristics"],
                widgets.VBox(callbacks, layout=WIDE),
                field["tune_ids"],
                field["prompt_ids"],
                widgets.VBox(sending, layout=WIDE),
                field["prompt_attributes"],
            ],
            layout=WIDE,
        )
        self._folds.add_class("astria-folds")
        return [self.pack, self._class, field["title"], self._sources, self._folds]


def _is_missing(problem: Problem) -> bool:
    return problem.what in ("is missing", "are missing")


def _in_a_form(name: str, problem: Problem) -> Problem:
    return replace(problem, hint=_HINTS.get(name, problem.hint)) if _is_missing(problem) else problem


def _pairs(values: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{key}: {value}" for key, value in (values or {}).items())


def _parts(name: str, value: Any, problems: Sequence[Problem]) -> Iterator[tuple[str, Any]]:
    """Turn a field of a tune into what the form's fields hold."""
    if name in ("images", "image_urls", "tune_ids", "prompt_ids"):
        wrong = isinstance(value, str | bytes | PathLike | Mapping) or not hasattr(value, "__iter__")
        found: Any = None if value is None or wrong else list(value) or None
    elif name in ("characteristics", "prompt_attributes"):
        wrong = not isinstance(value, Mapping)
        found = None if value is None or wrong else dict(value) or None
    else:
        wrong, found = False, value
    if value is not None and wrong:
        raise TuneError(*(problem for problem in problems if problem.field == name))
    if name == "prompt_attributes":
        yield _PROMPT_CALLBACK, (found or {}).get("callback")
        found = {key: each for key, each in (found or {}).items() if key != "callback"} or None
    yield name, found
