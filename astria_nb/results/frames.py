"""What a frame argument holds, and the error if that is no tunes."""

from __future__ import annotations

import pandas as pd

from astria_nb.errors import Problem, TuneError
from astria_nb.utils.formatting import short

_HINT = "pass the rows that submit or wait returned"


def are_prompts(value: object) -> bool:
    """Return whether a value is a frame of prompts, such as `astria_nb.prompts` returns.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool
    """
    return isinstance(value, pd.DataFrame) and {"images", "text"} <= {*value.columns}


def check_tunes(value: object, *columns: str, hint: str = _HINT) -> None:
    """Raise an error if a value is not a frame of tunes; a frame without rows is one.

    Parameters
    ----------
    value : object
    *columns : str
        Columns that rows need.
    hint : str
        The next step. For a single row, the error says how to select it as a frame instead.

    Raises
    ------
    TuneError

    Examples
    --------
    >>> check_tunes(pd.DataFrame({"id": [7]}), "id")
    >>> check_tunes(pd.DataFrame({"a": [7]}), "id")
    Traceback (most recent call last):
    ...
    astria_nb.errors.TuneError: frame:    a 0  7 holds no tunes; pass the rows that submit or wait returned
    """
    if isinstance(value, pd.Series):
        what, hint = (
            "expected the DataFrame that submit or wait returned, got a Series",
            "use rows.loc[[0]] for one row",
        )
    elif are_prompts(value):
        what = "these are prompts, not tunes"
    elif isinstance(value, pd.DataFrame) and (value.empty or {*columns} <= {*value.columns}):
        return
    else:
        what = f"{short(value)} holds no tunes"
    raise TuneError(Problem("frame", what, hint))
