"""What a tune is, and whether it can be sent: field by field, all the errors at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, TypedDict, Unpack

from astria_nb.errors import Problem, TuneError
from astria_nb.images.image import Image
from astria_nb.tune import validators
from astria_nb.utils.redaction import redact_text

RULES: dict[str, validators.Rule] = {
    "pack": validators.pack,
    "title": validators.text,
    "name": validators.text,
    "images": validators.images,
    "image_urls": validators.urls,
    "callback": validators.url,
    "characteristics": validators.characteristics,
    "prompt_attributes": validators.prompt_attributes,
    "prompts_callback": validators.url,
    "tune_ids": validators.ids,
    "prompt_ids": validators.ids,
    "preset": validators.one_of(*validators.PRESETS),
    "auto_extend": validators.truth,
    "branch": validators.one_of("fast"),
}


class TuneFields(TypedDict, total=False):
    """The keyword arguments of `Tune`, under the names of the API."""

    pack: int | str
    title: str | None
    name: str | None
    images: Sequence[str | PathLike[str] | Image]
    image_urls: Sequence[str]
    callback: str | None
    characteristics: Mapping[str, str]
    prompt_attributes: Mapping[str, str | int | float | bool]
    prompts_callback: str | None
    tune_ids: Sequence[int]
    prompt_ids: Sequence[int]
    preset: str | None
    auto_extend: bool | None
    branch: str | None


@dataclass(frozen=True, init=False)
class Tune:
    """One run of a pack: a model to train and the pictures to make with it.

    Parameters
    ----------
    pack : int or str
        The pack's id or slug.
    title : str
        Names the tune; also the key by which the service may recognise a repetition, so use a fresh UUID.
    name : str
        The subject class: one of the pack's, such as ``man`` or ``cat``. Not a person's name.
    images : sequence of path or Image
        Files to train with (JPEG, PNG or WebP). Either these or `image_urls`.
    image_urls : sequence of str
        http(s) addresses that the service downloads.
    callback : str, optional
        URL that is told when training ends.
    characteristics : mapping of str to str, optional
        Fills ``{{key}}`` in the pack's prompts.
    prompt_attributes : mapping, optional
        Overrides for every prompt of the run: ``callback``, ``num_images``, ``aspect_ratio``, …
    prompts_callback : str, optional
        URL that is told once, when all prompts are done.
    tune_ids : sequence of int, optional
        Existing tunes to run the pack on, instead of training: then neither images, title nor name is needed.
    prompt_ids : sequence of int, optional
        Only these of the pack's prompts.
    preset : str, optional
        ``flux-lora-focus``, ``flux-lora-portrait`` or ``flux-lora-fast``.
    auto_extend : bool, optional
        Keep the model beyond 30 days, at a price.
    branch : str, optional
        ``fast`` asks for the service's free mock run.

    Raises
    ------
    TuneError
        With every problem at once, each naming its field.
    TypeError
        For a keyword that is no field; names the nearest one.

    Notes
    -----
    Fields and rules: the API's page "Create a tune from a pack" (astria-api, section 4).

    Examples
    --------
    >>> Tune(pack=260, name="woman", title="6f0c2d1e", image_urls=["https://example.com/1.jpg"]).name
    'woman'
    >>> Tune(pack=260, title="", image_urls=["ftp://example.com/1.jpg"])
    Traceback (most recent call last):
    astria_nb.errors.TuneError: title: is missing; give a fresh one, such as str(uuid.uuid4())
    name: is missing; give a class of the pack, such as 'woman'
    image_urls: 'ftp://example.com/1.jpg' is not a web address; begin it with https://
    """

    pack: int | str
    title: str | None = None
    name: str | None = None
    images: tuple[Image, ...] = ()
    image_urls: tuple[str, ...] = ()
    callback: str | None = None
    characteristics: dict[str, str] = field(default_factory=dict)
    prompt_attributes: dict[str, str | int | float | bool] = field(default_factory=dict)
    prompts_callback: str | None = None
    tune_ids: tuple[int, ...] = ()
    prompt_ids: tuple[int, ...] = ()
    preset: str | None = None
    auto_extend: bool | None = None
    branch: str | None = None

    def __init__(self, **given: Unpack[TuneFields]) -> None:
        values, problems = check(given)
        if problems:
            raise TuneError(*problems)
        for key, value in values.items():
            object.__setattr__(self, key, value)

    def __repr__(self) -> str:
        # The end of a cell shows it, and what a receiver of callbacks proves them with would be saved there.
        hooks = {"callback": self.callback, "prompts_callback": self.prompts_callback}
        hidden = {name: redact_text(url) for name, url in hooks.items() if url is not None}
        attributes = dict(self.prompt_attributes)
        if isinstance(hook := attributes.get("callback"), str):
            attributes["callback"] = redact_text(hook)
        shown = {**vars(self), **hidden, "prompt_attributes": attributes}
        return f"Tune({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def check(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the fields made plain and everything that is wrong with them, in the fields' order.

    Raises
    ------
    TypeError
        For a name that is no field.
    """
    for key in given:
        if key not in RULES:
            near = difflib.get_close_matches(key, RULES, n=1, cutoff=0.3)
            hint = f"did you mean {near[0]!r}?" if near else f"the fields are {', '.join(RULES)}"
            raise TypeError(f"a tune has no field {key!r}; {hint}")
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for key, rule in RULES.items():
        value = given.get(key)
        if value is None:
            values[key] = {} if key in _MAPS else () if key in _LISTS else None
        else:
            values[key] = rule(value, _collector(key, problems))
    faulty = {problem.field.split(".")[0] for problem in problems}
    problems += [problem for problem in _missing(values, faulty) if problem.field not in faulty]
    return values, sorted(problems, key=lambda problem: list(RULES).index(problem.field.split(".")[0]))


def _collector(field: str, problems: list[Problem]) -> validators.Complain:
    def complain(what: str, hint: str, key: str = "") -> None:
        problems.append(Problem(f"{field}.{key}" if key else field, what, hint))

    return complain


_MAPS = ("characteristics", "prompt_attributes")
_LISTS = ("images", "image_urls", "tune_ids", "prompt_ids")


def _missing(values: Mapping[str, Any], faulty: Set[str]) -> Iterator[Problem]:
    """Find what is missing, and what does not go together; a faulty field is not a missing one."""
    if values["pack"] is None:
        yield Problem("pack", "is missing", "give a pack's id or slug, such as 260", kind="missing")
    if "tune_ids" in faulty:
        return
    if values["tune_ids"]:
        for key in ("images", "image_urls"):
            if values[key]:
                yield Problem(
                    key,
                    "are not used when tune_ids is given",
                    "leave out the one or the other",
                    kind="conflict",
                )
        return
    if not (values["title"] or "").strip():
        yield Problem("title", "is missing", "give a fresh one, such as str(uuid.uuid4())", kind="missing")
    if not (values["name"] or "").strip():
        yield Problem("name", "is missing", "give a class of the pack, such as 'woman'", kind="missing")
    if values["images"] and values["image_urls"]:
        yield Problem(
            "image_urls",
            "come beside images, and a tune takes one of the two",
            "leave out one",
            kind="conflict",
        )
    if not values["images"] and not values["image_urls"] and "image_urls" not in faulty:
        yield Problem(
            "images", "are missing", "give files as images or addresses as image_urls", kind="missing"
        )
