"""Rows that would be one tune: with one title, or with equal values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from astria_nb.errors import Problem
from astria_nb.submission._titles import standard_title
from astria_nb.submission.batch._row import ReadRow
from astria_nb.tune.plain import plain
from astria_nb.utils.formatting import short


def problems_with_titles(rows: Sequence[ReadRow], index: pd.Index[Any]) -> dict[int, list[Problem]]:
    """Return what is wrong with rows whose title an earlier row has, by their positions."""
    first: dict[str, int] = {}
    problems: dict[int, list[Problem]] = {}
    for position, row in enumerate(rows):
        title = row.tune.title if row.tune is not None else None
        if title is None:
            continue
        earlier = first.setdefault(standard_title(title), position)
        if earlier != position:
            problems[position] = [
                _problem(row, rows[earlier], label_of(index, position), label_of(index, earlier))
            ]
    return problems


def label_of(index: pd.Index[Any], position: int) -> str:
    """Return the label of a row, for a message."""
    label = index[position]
    return short(tuple(map(plain, label)) if isinstance(label, tuple) else plain(label))


def _problem(row: ReadRow, earlier: ReadRow, label: str, earlier_label: str) -> Problem:
    assert row.tune is not None
    if row.is_from_values and earlier.is_from_values:
        what = f"row {label} asks for the same as row {earlier_label}"
        if not row.may_have_key:
            hint = f"drop it, or give row {label}, and no row that was sent before, a title"
            return Problem("title", what, hint)
        hint = (
            f"drop it, or give a key, in a column 'key', to row {label} and to all rows that were not sent "
            "before, and to no other"
        )
        return Problem("key", what, hint)
    if row.key is not None and row.key == earlier.key:
        what = f"{short(row.key)} is the key of row {label} and of row {earlier_label}"
        return Problem("key", what, "give each row a key of its own")
    what = f"{short(row.tune.title)} is the title of row {label} and of row {earlier_label}"
    return Problem("title", what, "give each row a title of its own")
