"""Some rows of a frame in a later state, with whatever else their owner has put into it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def update_rows(frame: pd.DataFrame, positions: Any, latest: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with some of its rows in a later state.

    Columns that the later rows do not have keep their values: those of the log, of `submit_many`, and of the
    frame's owner.

    Parameters
    ----------
    frame : pandas.DataFrame
    positions : array-like of int
        Of the rows, from 0.
    latest : pandas.DataFrame
        As many rows, in that order; their index does not matter.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": [7, 8], "status": ["queued", "queued"], "customer": ["Ann", "Bea"]})
    >>> update_rows(frame, [1], pd.DataFrame({"id": [8], "status": ["trained"]})).to_numpy().tolist()
    [[7, 'queued', 'Ann'], [8, 'trained', 'Bea']]
    """
    positions = np.asarray(positions, dtype=np.int64)
    latest = latest.set_axis(frame.index[positions])
    others = frame.columns.difference(latest.columns, sort=False)
    if len(others):
        before = frame[others].iloc[positions]
        latest = pd.concat([latest, before.set_axis(latest.index)], axis=1)
    unchanged = np.setdiff1d(np.arange(len(frame)), positions)
    both = pd.concat([frame.iloc[unchanged], latest])
    return both.iloc[np.argsort(np.concatenate([unchanged, positions]), kind="stable")].copy()
