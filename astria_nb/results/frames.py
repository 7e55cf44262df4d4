"""The error for a frame argument that holds no tunes."""

from __future__ import annotations

import pandas as pd

from astria_nb.errors import Problem, TuneError
from astria_nb.utils.formatting import short


def not_tunes(value: object, hint: str = "pass the rows that submit or wait returned") -> TuneError:
    """Return the error for a value that is not a frame of tunes.

    Parameters
    ----------
    value : object
    hint : str
        The next step. For a single row, the error says how to select it as a frame instead.

    Returns
    -------
    TuneError

    Examples
    --------
    >>> print(not_tunes(pd.DataFrame({"id": [7]}).loc[0]))
    frame: expected the DataFrame that submit or wait returned, got a Series; use rows.loc[[0]] for one row
    """
    if isinstance(value, pd.Series):
        what = "expected the DataFrame that submit or wait returned, got a Series"
        return TuneError(Problem("frame", what, "use rows.loc[[0]] for one row"))
    return TuneError(Problem("frame", f"{short(value)} holds no tunes", hint))
