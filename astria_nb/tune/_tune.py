"""A tune: its fields, declared once each, and the rules that make it valid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields
from typing import Any, TypedDict, Unpack

from astria_nb.errors import Problem, TuneError
from astria_nb.images import Image, Images
from astria_nb.tune import _limits as limits
from astria_nb.tune import image_lists, validators
from astria_nb.tune._field_names import SUBMIT_OPTIONS, unknown_field
from astria_nb.tune._field_spec import FieldSpec, declared
from astria_nb.tune.plain import is_blank, is_missing
from astria_nb.utils.redaction import redact_text
from astria_nb.utils.remedies import Remedy

_NO_IMAGES = Problem("images", "are missing", Remedy.GIVE_FILES_OR_URLS.value, kind="missing")
_NO_IMAGES_IN_LIST = Problem(
    "images",
    "are missing: the list is empty",
    "check the folder and the ending, such as images=sorted(Path('photos').glob('*.[jJ]*'))",
    kind="missing",
)
_HOOK = "https://example.com/hook?user_id=1"


class TuneFields(TypedDict, total=False):
    """The keyword arguments of `Tune`, for type checkers and completion; declared in the same order."""

    pack: int | str
    title: str | None
    name: str | None
    images: Images
    image_urls: Sequence[str]
    callback: str | None
    characteristics: Mapping[str, str]
    prompt_attributes: Mapping[str, str | int | float | bool]
    prompts_callback: str | None
    tune_ids: Sequence[int]
    prompt_ids: Sequence[int]
    preset: str | None
    brief: str | None
    auto_extend: bool | None
    branch: str | None


@dataclass(frozen=True, init=False)
class Tune:
    """One run of a pack: a model to train, and the pictures to make with it.

    Parameters
    ----------
    pack : int or str
        The pack's id or slug.
    title : str
        Identifies the tune. The service may use it to recognise a repeated request, so use a fresh UUID.
    name : str
        The subject class: one of the pack's, such as ``man`` or ``cat``. Not a person's name.
    images : str, path, list or image in memory
        Photos to train with (JPEG, PNG or WebP). Either these or `image_urls`. A list, or one of:

        - the path of a file, or a pattern such as ``"photos/*.jpg"``; alone, also the path of a folder. A
          folder or a pattern means its regular image files in natural order, without hidden and empty ones,
          and with a `preset`, which is of Flux, the captions beside them;
        - a photo's caption, ``IMG_1.txt`` for ``IMG_1.jpg``, listed with it: the API's documents allow
          captions only for Flux (astria-api, section 12), so they are not sent by default;
        - ``bytes``, or a file open for reading, from its position to its end: the content is copied, and the
          file is left open at the same position;
        - a PIL image: the file that it was opened from if the image is unchanged, else its pixels as PNG,
          upright; or an array of ``uint8``, height x width, or height x width x 3 or 4, as PNG;
        - ``FileUpload.value`` of ipywidgets, or what Colab's ``files.upload()`` returns;
        - an address that fsspec opens, such as ``s3://bucket/1.jpg``, a folder ``s3://bucket/photos/``, or a
          pattern; it needs the extra ``fsspec`` and the file system's own package, such as s3fs.

        Content that is not a file is copied to a private temporary file, block by block, which exists as long
        as the tune is used. Metadata is removed from it as from a file.
    image_urls : sequence of str
        http(s) URLs that the service downloads.
    callback : str, optional
        URL that the service calls when training ends.
    characteristics : mapping of str to str, optional
        Replaces ``{{key}}`` in the pack's prompts.
    prompt_attributes : mapping of str to str, int, float or bool, optional
        Overrides for every prompt of the run: ``callback``, ``num_images``, ``aspect_ratio``, …
    prompts_callback : str, optional
        URL that the service calls once, when all prompts are done.
    tune_ids : sequence of int, optional
        Existing tunes to run the pack on instead of training; then `images`, `title` and `name` are not
        needed.
    prompt_ids : sequence of int, optional
        Only these of the pack's prompts.
    preset : {"flux-lora-focus", "flux-lora-portrait", "flux-lora-fast"}, optional
        Training settings.
    brief : str, optional
        Art direction for the pictures, in words: ``"natural light, muted colours"``.
    auto_extend : bool, optional
        Keep the model for longer than 30 days, which is charged.
    branch : {"fast"}, optional
        ``fast`` requests the service's free mock run.

    Raises
    ------
    TuneError
        One or more fields are missing or not valid; the error names all of them.
    TypeError
        A keyword is not a field; the message names a similar field, if there is one.

    Notes
    -----
    Fields and rules: the API's page "Create a tune from a pack" (astria-api, section 4).

    Examples
    --------
    >>> import astria_nb as anb
    >>> anb.Tune(pack=260, name="woman", title="6f0c2d1e", image_urls=["https://example.com/1.jpg"]).name
    'woman'
    >>> anb.Tune(pack=260, title="", image_urls=["example.com/1.jpg"])
    Traceback (most recent call last):
    astria_nb.errors.TuneError: title: is missing; give a fresh one, such as str(uuid.uuid4())
    name: is missing; give a class of the pack, such as 'woman'
    image_urls: 'example.com/1.jpg' is not a web address; begin it with https://
    """

    # In the order of the request.
    pack: int | str = field(metadata=declared(validators.pack, "pack", "value", is_parameter=False))
    title: str | None = field(
        metadata=declared(validators.label, "title", "text", placeholder="a unique name for this tune")
    )
    name: str | None = field(metadata=declared(validators.label, "class", "text"))
    images: tuple[Image, ...] = field(
        metadata=declared(validators.images, "images", "value", shape="list", is_parameter=False)
    )
    image_urls: tuple[str, ...] = field(
        metadata=declared(validators.urls, "image URLs", "address", shape="list")
    )
    callback: str | None = field(metadata=declared(validators.url, "callback", "address", placeholder=_HOOK))
    characteristics: dict[str, str] = field(
        metadata=declared(validators.characteristics, "characteristics", "text", shape="map")
    )
    prompt_attributes: dict[str, str | int | float | bool] = field(
        metadata=declared(validators.prompt_attributes, "prompt attributes", "value", shape="map")
    )
    prompts_callback: str | None = field(
        metadata=declared(validators.url, "callback for all prompts", "address", placeholder=_HOOK)
    )
    tune_ids: tuple[int, ...] = field(
        metadata=declared(validators.ids, "existing tunes", "value", shape="list")
    )
    prompt_ids: tuple[int, ...] = field(metadata=declared(validators.ids, "prompts", "value", shape="list"))
    preset: str | None = field(metadata=declared(validators.one_of(*validators.PRESETS), "preset", "value"))
    brief: str | None = field(
        metadata=declared(
            validators.text,
            "brief",
            "text",
            may_be_blank=True,
            placeholder="art direction: natural light, muted colours",
        )
    )
    auto_extend: bool | None = field(metadata=declared(validators.boolean, "auto extend", "value"))
    branch: str | None = field(metadata=declared(validators.one_of("fast"), "branch", "value"))

    def __init__(self, **arguments: Unpack[TuneFields]) -> None:
        values, problems = check(arguments)
        if problems:
            raise TuneError(*problems)
        _set(self, values)

    def __repr__(self) -> str:
        # Shown at the end of a cell and saved with the notebook: the secrets in callback URLs must not be.
        values = dict(vars(self))  # empty for a tune whose arguments were refused, which a traceback may show
        for name in ("callback", "prompts_callback"):
            if isinstance(url := values.get(name), str):
                values[name] = redact_text(url)
        attributes = values.get("prompt_attributes") or {}
        if isinstance(url := attributes.get("callback"), str):
            values["prompt_attributes"] = {**attributes, "callback": redact_text(url)}
        return f"Tune({', '.join(f'{name}={value!r}' for name, value in values.items())})"


FIELDS: dict[str, FieldSpec] = {f.name: f.metadata["spec"] for f in fields(Tune)}
"""The declaration of every field, by its name in the API and in the order of the request."""


def check_field_names(names: Iterable[str], options: Mapping[str, str] = SUBMIT_OPTIONS) -> None:
    """Check that keywords are fields of a tune.

    Parameters
    ----------
    names : iterable of str
    options : mapping of str to str
        As for `astria_nb.tune._field_names.unknown_field`.

    Raises
    ------
    TypeError
        One is not.
    """
    for name in names:
        if name not in FIELDS:
            raise unknown_field(name, FIELDS, options)


def check(arguments: Mapping[str, Any], *, opens_images: bool = True) -> tuple[dict[str, Any], list[Problem]]:
    """Validate the arguments of `Tune`.

    Parameters
    ----------
    arguments : mapping of str to object
        Values by field; a missing value such as None or NaN, blank text and an omitted field mean the same.
    opens_images : bool
        Whether to open each image to check it. Otherwise `opened` does this before the tune is sent.

    Returns
    -------
    values : dict of str to object
        Every field as `Tune` holds it. Without problems, `from_checked` makes a tune of them.
    problems : list of Problem
        Everything that is wrong, in the order of the fields.

    Raises
    ------
    TypeError
        A name is not a field.
    """
    check_field_names(arguments)
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, spec in FIELDS.items():
        value = arguments.get(name)
        is_absent = is_missing(value) or (is_blank(value) and not spec.may_be_blank)
        is_deferred = name == "images" and not opens_images
        validate = validators.images_later if is_deferred else spec.validate
        values[name] = spec.empty if is_absent else validate(value, _reporter(name, problems))
    if values["images"] and image_lists.is_folder_or_pattern(arguments["images"]) and _trains_flux(values):
        values["images"] = image_lists.with_captions(values["images"], _reporter("images", problems))
    if values["images"]:
        problems += limits.too_many_files(len(values["images"]))
        problems += limits.keys_changed_by_multipart(
            values, f"give addresses {Remedy.AS_URLS} instead of files"
        )
    invalid = {_field_of(problem) for problem in problems}
    images = arguments.get("images")
    no_images = _NO_IMAGES if is_missing(images) or is_blank(images) else _NO_IMAGES_IN_LIST
    problems += [
        problem
        for problem in _missing_or_conflicting(values, invalid, no_images)
        if problem.field not in invalid
    ]
    order = list(FIELDS)
    return values, sorted(problems, key=lambda problem: order.index(_field_of(problem)))


def from_checked(values: Mapping[str, Any]) -> Tune:
    """Return the tune of values that `check` returned without problems; validates nothing again."""
    tune = object.__new__(Tune)
    _set(tune, values)
    return tune


def _set(tune: Tune, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        object.__setattr__(tune, name, value)  # the class is frozen


def _trains_flux(values: Mapping[str, Any]) -> bool:
    """Return whether captions are allowed: for Flux (astria-api, section 12), which the presets are of."""
    return values["preset"] is not None


def _field_of(problem: Problem) -> str:
    return problem.field.split(".")[0]


def _reporter(name: str, problems: list[Problem]) -> validators.Report:
    def report(what: str, hint: str, key: str = "") -> None:
        problems.append(Problem(f"{name}.{key}" if key else name, what, hint))

    return report


def _missing_or_conflicting(
    values: Mapping[str, Any], invalid: Set[str], no_images: Problem
) -> Iterator[Problem]:
    """Find required fields that are empty, and fields that exclude each other."""
    if values["pack"] is None:
        yield Problem("pack", "is missing", "give a pack's id or slug, such as 260", kind="missing")
    if "tune_ids" in invalid:
        return
    if values["tune_ids"]:
        what, hint = "are not used when tune_ids is given", "leave out one of the two"
        for name in ("images", "image_urls"):
            if values[name]:
                yield Problem(name, what, hint, kind="conflict")
        return
    if not (values["title"] or "").strip():
        yield Problem("title", "is missing", "give a fresh one, such as str(uuid.uuid4())", kind="missing")
    if not (values["name"] or "").strip():
        yield Problem("name", "is missing", "give a class of the pack, such as 'woman'", kind="missing")
    if values["images"] and values["image_urls"]:
        what = "cannot be combined with images"
        yield Problem("image_urls", what, "leave out one of the two", kind="conflict")
    if not values["images"] and not values["image_urls"] and "image_urls" not in invalid:
        yield no_images
