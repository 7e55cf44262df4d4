"""Tables with a photo in each row, or in each column, and what makes a tune's photos one list of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Sequence

import pandas as pd

from astria_nb.errors import Problem
from astria_nb.tune import FIELDS, Tune
from astria_nb.tune.plain import is_blank, is_missing

_PHOTOS = ("images", "image_urls")
_NUMBERED = re.compile(
    r"(?:(?:image|img|photo|picture|pic|file)[\s_.-]*)?(?:image|img|photo|picture|pic|file|path|link|url)s?"
    r"[\s_.-]*\d+",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\s*https?://", re.IGNORECASE)


def differ_only_in_photos(a: Tune, b: Tune) -> bool:
    """Return whether two tunes ask for the same, but with other photos."""
    different = {name for name in FIELDS if name != "title" and getattr(a, name) != getattr(b, name)}
    return bool(different) and different.issubset(_PHOTOS)


def hint_for_photo_rows(frame: pd.DataFrame | None = None, ignore: Collection[Hashable] = ()) -> str:
    """Return how to put the photos of several rows, which are one tune, into a list in one row.

    Parameters
    ----------
    frame : DataFrame, optional
        Not given if they are in no frame, or if its index has some of their fields.
    ignore : collection of object
        Labels of columns that are the caller's own.
    """
    if frame is not None:
        photos = [name for name in _PHOTOS if name in frame]
        others = [name for name in frame if name not in photos and name not in ignore]
        if photos and others and _are_texts(frame[photos]) and _are_hashable(frame[others]):
            code = f"frame.groupby({others!r}, as_index=False, sort=False, dropna=False).agg(list)"
            return f"if they are photos of one tune, put them into one row: {code}"
    return "if they are photos of one tune, give them as a list in one row"


def problem_with_photo_columns(
    frame: pd.DataFrame, names: Sequence[Hashable]
) -> tuple[list[str], Problem] | None:
    """Return columns that have one photo each, such as ``image_1`` and ``image_2``, and their problem.

    Parameters
    ----------
    frame : DataFrame
    names : sequence of object
        Of the columns that are not fields.

    Returns
    -------
    tuple of (list of str, Problem), or None
        None if there are not several of them.
    """
    numbered = [name for name in names if isinstance(name, str) and is_numbered_photo(name)]
    if len(numbered) < 2:
        return None
    field = field_of_photos(frame, numbered)
    what = f"has one photo of each tune, like {', '.join(numbered[1:])}; a tune has a list of them"
    make = f"write frame[{field!r}] = frame[{numbered!r}].values.tolist()"
    hint = f"add them to the lists in {field!r}" if field in frame else make
    return numbered, Problem(numbered[0], what, f"{hint}, and pass ignore={numbered!r}")


def is_numbered_photo(name: str) -> bool:
    """Return whether a label is that of one of several columns of photos.

    Examples
    --------
    >>> is_numbered_photo("Image URL 1"), is_numbered_photo("url2"), is_numbered_photo("style_1")
    (True, True, False)
    """
    return _NUMBERED.fullmatch(name.strip()) is not None


def field_of_photos(frame: pd.DataFrame, names: Sequence[Hashable]) -> str:
    """Return the field of the photos in some columns: ``image_urls`` for addresses, else ``images``."""
    cells = frame.loc[:, frame.columns.isin(names)].to_numpy(dtype=object).flat
    first = next((cell for cell in cells if not is_missing(cell) and not is_blank(cell)), None)
    return "image_urls" if isinstance(first, str) and _ADDRESS.match(first) else "images"


def _are_texts(frame: pd.DataFrame) -> bool:
    return all(isinstance(cell, str) or is_missing(cell) for cell in frame.to_numpy(dtype=object).flat)


def _are_hashable(frame: pd.DataFrame) -> bool:
    return all(isinstance(cell, Hashable) for cell in frame.to_numpy(dtype=object).flat)
