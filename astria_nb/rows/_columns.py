"""What the columns of a frame show: whether its rows are tunes or prompts, and what is wrong with them."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from astria_nb.errors import Problem, TuneError

HINT = "pass the rows that submit or wait returned, or a list of ids"
"""The next step for a value that is not a frame of rows."""
# The names that read_csv and Arrow give to an index that was written as a column.
_UNNAMED = re.compile(r"Unnamed: \d+|__index_level_\d+__")


def are_prompts(rows: object) -> bool:
    """Return whether rows are those of prompts, such as `astria_nb.prompts` returns.

    Parameters
    ----------
    rows : object

    Returns
    -------
    bool
    """
    columns = {*rows.columns} if isinstance(rows, pd.DataFrame) else set()
    return {"images", "text"} <= columns or ({"id", "tune_id"} <= columns and "title" not in columns)


def is_of_log(frame: pd.DataFrame) -> bool:
    """Return whether rows have the columns that the experiment log adds."""
    return {"submission", "planned_at"} <= {*frame.columns}


def with_id_column(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose ids, if they are its index, are a column."""
    if "id" in frame.columns or "id" not in frame.index.names:
        return frame
    return frame.reset_index("id") if frame.index.nlevels > 1 else frame.reset_index()


def without_odd_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of tunes or prompts without an index that was written as a column."""
    columns = [name for name in frame.columns if not (isinstance(name, str) and _UNNAMED.fullmatch(name))]
    problem = _problem(frame, columns)
    if problem:
        raise TuneError(Problem("frame", *problem))
    return frame if len(columns) == len(frame.columns) else frame[columns]


def _problem(frame: pd.DataFrame, columns: list[Any]) -> tuple[str, str] | None:
    """Return what is wrong with the columns of a frame, and the next step."""
    if len({*columns}) < len(columns):
        repeated = next(name for name in columns if columns.count(name) > 1)
        return f"has two columns {repeated!r}", "leave one out, or rename it"
    if {"kind", "fingerprint"} <= {*columns}:
        return "these are the events of a log, not tunes", "pass log.frame()"
    if "id" in columns or not len(frame):
        return None
    what = "expected the DataFrame that submit or wait returned, got one without a column 'id'"
    if {"id_x", "id_y"} & {*columns}:
        return (
            f"{what}, as a merge makes it",
            "pass the column of the tunes' ids: rows['id_x'] or rows['id_y']",
        )
    if {"prompt_id", "tune_id"} <= {*columns}:
        return "these are pictures, not tunes", "pass pictures['tune_id'].unique()"
    return what, HINT
