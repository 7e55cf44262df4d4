"""Rows that would become the same tune: with the same title, or with equal values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from astria_nb.errors import Problem
from astria_nb.submission._titles import standard_title
from astria_nb.submission.batch._photo_columns import differ_only_in_photos
from astria_nb.submission.batch._row import ReadRow
from astria_nb.tune.plain import plain
from astria_nb.utils.formatting import short


def problems_with_titles(
    rows: Sequence[ReadRow], index: pd.Index[Any], hint_for_photos: Callable[[], str]
) -> dict[int, list[Problem]]:
    """Return the problems of rows whose title an earlier row has, by their positions.

    Parameters
    ----------
    rows : sequence of ReadRow
    index : pandas.Index
        Of the rows, for messages.
    hint_for_photos : callable
        Returns what to do with rows that have the same title and differ only in their photos.
    """
    first: dict[str, int] = {}
    problems: dict[int, list[Problem]] = {}
    for position, row in enumerate(rows):
        title = row.tune.title if row.tune is not None else None
        if title is None:
            continue
        earlier = first.setdefault(standard_title(title), position)
        if earlier != position:
            problems[position] = [
                _problem(
                    row, rows[earlier], label_of(index, position), label_of(index, earlier), hint_for_photos
                )
            ]
    return problems


def label_of(index: pd.Index[Any], position: int) -> str:
    """Return the label of a row, for a message."""
    label = index[position]
    return short(tuple(map(plain, label)) if isinstance(label, tuple) else plain(label))


def _problem(
    row: ReadRow, earlier: ReadRow, label: str, earlier_label: str, hint_for_photos: Callable[[], str]
) -> Problem:
    assert row.tune is not None
    assert earlier.tune is not None
    if row.is_from_values and earlier.is_from_values:
        what = f"row {label} asks for the same as row {earlier_label}"
        if _former_title(row) != _former_title(earlier):  # each may have been sent: a key would pay again
            hint = "drop it; if it was sent before, its row is in log.frame()"
            return Problem("image_urls", f"{what}, with other signatures in its addresses", hint)
        if not row.may_have_key:
            hint = f"drop it, or give row {label}, and no row that was sent before, a title"
            return Problem("title", what, hint)
        hint = (
            f"drop it, or give a key, in a column 'key', to row {label} and to all rows that were not sent "
            "before, and to no other"
        )
        return Problem("key", what, hint)
    is_key = row.key is not None and row.key == earlier.key
    name, value = ("key", row.key) if is_key else ("title", row.tune.title)
    what = f"{short(value)} is the {name} of row {label} and of row {earlier_label}"
    hint = f"give each row its own {name}"
    if differ_only_in_photos(row.tune, earlier.tune):
        hint = f"{hint_for_photos()}; else {hint}"
    return Problem(name, what, hint)


def _former_title(row: ReadRow) -> str | None:
    return row.former_title or (row.tune.title if row.tune is not None else None)
