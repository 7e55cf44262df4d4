"""The columns of a frame of tunes: the field of each column, and problems with other columns."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass

import pandas as pd

from astria_nb.errors import Problem
from astria_nb.submission.batch._photo_columns import (
    field_of_photos,
    is_numbered_photo,
    problem_with_photo_columns,
)
from astria_nb.tune import FIELDS, SUBMIT_OPTIONS, SUGGESTIONS
from astria_nb.tune.plain import stripped
from astria_nb.utils.formatting import short

KEY = "key"
_MAPS = tuple(name for name, spec in FIELDS.items() if spec.shape == "map")
_ATTRIBUTES = (
    *("num_images", "aspect_ratio", "resolution", "inpaint_faces", "super_resolution", "face_correct"),
    *("hires_fix", "cfg_scale", "steps", "seed", "negative_prompt", "ar", "w", "h", "style", "film_grain"),
)
_ALIASES = {
    "class": "name",
    "class_name": "name",
    "image": "images",
    "files": "images",
    "paths": "images",
    "photos": "images",
    "urls": "image_urls",
    "image_url": "image_urls",
    "pack_id": "pack",
    **{key: f"characteristics.{key}" for key in SUGGESTIONS},
    **{key: f"prompt_attributes.{key}" for key in _ATTRIBUTES},
}
_ALIKE_FIELDS = 0.9
_OPTIONS = SUBMIT_OPTIONS.keys() - {"on_sent"}  # an option of `submit` only
_SEPARATORS = re.compile(r"[\s_\-]+")
_ENTRY_SEPARATORS = re.compile(r"[\s_\-.\[\]]+")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a frame.

    Attributes
    ----------
    position : int
        Position in the frame, from 0.
    field : str
        A field of `Tune`, or ``key``.
    entry : str or None
        The key in a field that is a mapping, as in ``characteristics.eye_color``.
    """

    position: int
    field: str
    entry: str | None = None

    @property
    def label(self) -> str:
        """Its label in the frame."""
        return self.field if self.entry is None else f"{self.field}.{self.entry}"


def columns_of(
    names: Iterable[Hashable], ignore: Collection[Hashable], frame: pd.DataFrame | None = None
) -> tuple[list[Column], list[Problem]]:
    """Return the columns that hold fields, and a problem for each other column that is not ignored.

    Parameters
    ----------
    names : iterable of object
        The labels of the columns.
    ignore : collection of object
        Labels of the caller's own columns.
    frame : DataFrame, optional
        The table that has these columns: its values show what a label means.

    Examples
    --------
    >>> columns, problems = columns_of(["pack", "characteristics.age", "titles", "note"], ["note"])
    >>> [(column.field, column.entry) for column in columns]
    [('pack', None), ('characteristics', 'age')]
    >>> print(problems[0])
    titles: is not a field of a tune; rename it to 'title', or pass ignore=['titles'] if it is your own
    """
    names = list(names)
    counts = Counter(names)
    columns, problems = [], []
    if frame is not None:
        unknown = [name for name in names if name not in ignore and _column(0, name) is None]
        if (of_photos := problem_with_photo_columns(frame, unknown)) is not None:
            problems.append(of_photos[1])
            ignore = [*ignore, *of_photos[0]]
    for position, name in enumerate(names):
        if name in ignore:
            continue
        column = _column(position, name)
        if column is None:
            problems.append(_unknown(name, names, frame))
        elif counts[name] > 1:
            counts[name] = 0  # reported once
            hint = "keep one of them, or give them different names"
            problems.append(Problem(str(name), f"is the name of {names.count(name)} columns", hint))
        elif counts[name]:
            columns.append(column)
    return columns, problems


def _column(position: int, name: Hashable) -> Column | None:
    if not isinstance(name, str):
        return None
    if name in FIELDS or name == KEY:
        return Column(position, name)
    field, _, entry = name.partition(".")
    return Column(position, field, entry) if field in _MAPS and entry and entry == stripped(entry) else None


def _unknown(name: Hashable, names: Collection[Hashable], frame: pd.DataFrame | None) -> Problem:
    """Return the problem with a column that is not a field, with the field that was probably meant."""
    what = "is not a field of a tune"
    own = f"pass ignore=[{short(name)}] if it is your own"
    if not isinstance(name, str):
        return Problem(short(name), what, f"name columns after fields, such as 'pack', or {own}")
    if (meant := _entry_meant(name)) is not None and meant not in names:
        return Problem(name, what, f"rename it to {meant!r}, or {own}")
    if len(names) == 1 and (separator := _separator_in(name)):
        decimal = ", and decimal=',' if its numbers have commas" if separator == ";" else ""
        return Problem(name, "is one column", f"read the file with sep={separator!r}{decimal}")
    spelling = _spelling(name)
    choices = [*FIELDS, KEY]
    alias = "images" if is_numbered_photo(name) else _ALIASES.get(spelling)
    exact = spelling if spelling in choices else alias
    if exact == "images" != spelling and frame is not None:
        exact = field_of_photos(frame, [name])
    nearest = [exact] if exact else difflib.get_close_matches(spelling, choices, n=1, cutoff=0.75)
    if nearest and nearest[0] not in names:
        return Problem(name, what, f"rename it to {nearest[0]!r}, or {own}")
    if spelling in _OPTIONS:
        return Problem(name, what, f"give it to anb.submit_many, as {spelling}=, or {own}")
    return Problem(name or "''", what, f"drop the column, or {own}")


def _spelling(name: str) -> str:
    return _SEPARATORS.sub("_", name.strip().strip("\ufeff").casefold()).strip("_")


def _separator_in(name: str) -> str | None:
    """Return what separates the columns of a file that was read as one column, or None."""
    known = {*FIELDS, KEY, *_ALIASES}
    for separator in ";\t|,":
        labels = {_spelling(label.strip().strip("\"'")) for label in name.split(separator)}
        if len(labels & known) > 1:
            return separator
    return None


def _entry_meant(name: str) -> str | None:
    """Return the entry of a mapping that a label probably means, such as ``characteristics_eye_color``."""
    for field in _MAPS:
        words = field.count("_") + 1
        parts = _ENTRY_SEPARATORS.split(stripped(name).rstrip("]"), maxsplit=words)
        head, entry = "_".join(parts[:words]).casefold(), stripped("".join(parts[words:]))
        if entry and difflib.get_close_matches(head, [field], cutoff=_ALIKE_FIELDS):
            return f"{field}.{entry}"
    return None
