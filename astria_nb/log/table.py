"""Submissions as a table for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from astria_nb.errors import printable

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("submission", "planned_at", "state", "id", "pack", "name", "title")


def table(frame: pd.DataFrame, width: int | None = None) -> Iterator[str]:
    """Yield the lines of a table: a header, and for each submission a line, its problem, tags and note.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `astria_nb.log.Log.frame` returns it.
    width : int, optional
        The terminal's width in columns; titles are truncated to fit. Default: nothing is truncated.
    """
    import pandas as pd

    cells = frame[list(COLUMNS)].copy()
    cells["planned_at"] = cells["planned_at"].dt.strftime("%Y-%m-%d %H:%MZ")
    cells = cells.astype(object).map(lambda value: "" if pd.isna(value) else printable(str(value), "?"))
    titles = cells.pop("title")
    with pd.option_context("display.unicode.east_asian_width", True):
        header, *rows = cells.to_string(index=False, justify="left").splitlines()
    yield _cut(f"{header} title", width)
    indent = " " * (max(map(len, [COLUMNS[0], *cells[COLUMNS[0]]])) + 1)
    own = [_labels(tags, note) for tags, note in zip(frame["tags"], frame["note"], strict=True)]
    for row, title, problem, labels in zip(rows, titles, frame["problem"], own, strict=True):
        yield _cut(f"{row} {title}", width)
        for text in filter(None, (problem if isinstance(problem, str) else "", labels)):
            yield from _wrap(printable(text, "?"), indent, width)


def _labels(tags: Iterable[str], note: object) -> str:
    return " · ".join([*(f"#{tag}" for tag in tags), *([note] if isinstance(note, str) else [])])


def _columns_of(character: str) -> int:
    return 0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1


def _cut(line: str, width: int | None) -> str:
    if width is None or sum(map(_columns_of, line)) <= width:
        return line
    columns = 0
    for index, character in enumerate(line):
        columns += _columns_of(character)
        if columns >= width:
            return f"{line[:index]}…"
    return line


def _wrap(problem: str, indent: str, width: int | None) -> list[str]:
    if width is None:
        return [indent + problem]
    return textwrap.wrap(
        problem, max(width, len(indent) + 19), initial_indent=indent, subsequent_indent=indent
    )
