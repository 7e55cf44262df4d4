"""Submissions as a table for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("submission", "planned_at", "state", "id", "pack", "name", "title")


def table(frame: pd.DataFrame, width: int | None = None) -> Iterator[str]:
    """Yield the lines of a table: one for each submission, and under it what is wrong with it.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `astria_nb.log.Log.frame` returns it.
    width : int, optional
        Of the terminal, in columns; titles are cut to fit. Default: nothing is cut.
    """
    shown = frame[list(COLUMNS)].copy()
    shown["planned_at"] = shown["planned_at"].dt.strftime("%Y-%m-%d %H:%MZ")
    cells = [[printable(str(each)) for each in row] for row in shown.astype(object).fillna("").to_numpy()]
    rows = [list(COLUMNS), *cells]
    widths = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    problems = [None, *frame["problem"]]
    for row, problem in zip(rows, problems, strict=True):
        yield _cut(_line(row, widths), width)
        if isinstance(problem, str):
            yield from _under(printable(problem), widths[0], width)


def printable(text: str) -> str:
    r"""Return a text without what would move the cursor of a terminal.

    Examples
    --------
    >>> printable("a\x1b[2Jb")
    'a?[2Jb'
    """
    return "".join(each if each.isprintable() else "?" for each in text)


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes.

    Examples
    --------
    >>> columns_of("cat"), columns_of("猫")
    (3, 2)
    """
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell + " " * (width - columns_of(cell)) for cell, width in zip(row[:-1], widths[:-1], strict=True)
    ]
    return " ".join([*padded, row[-1]]).rstrip()


def _cut(line: str, width: int | None) -> str:
    if width is None or columns_of(line) <= width:
        return line
    kept = line
    while kept and columns_of(kept) >= width:
        kept = kept[:-1]
    return f"{kept}…"


def _under(problem: str, indent: int, width: int | None) -> list[str]:
    margin = " " * (indent + 1)
    if width is None:
        return [margin + problem]
    return textwrap.wrap(problem, max(width, indent + 20), initial_indent=margin, subsequent_indent=margin)
