"""The cost of tunes over time, by class and pack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from astria_nb.client import Client
from astria_nb.defaults import client_or_default
from astria_nb.results.frames import is_of_service, tunes_in
from astria_nb.results.plots._axes import (
    add_legend,
    format_dates,
    plain_label,
    prepare_axes,
    select_columns,
    show_text,
    to_days,
)
from astria_nb.results.prices import DOLLAR_MC, estimates
from astria_nb.rows import Rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLORS = (
    "tab:blue",
    "tab:green",
    "tab:purple",
    "tab:red",
    "tab:cyan",
    "tab:brown",
    "tab:pink",
    "tab:gray",
)  # one for each class and pack; if there are more, the cheapest share the last one
_MIN_PERIODS = 7  # on the time axis, so that a single day does not fill it
# The largest number of days for a period, its pandas code, its name, and its length in days.
_PERIODS = ((45, "D", "day", 1.0), (300, "W", "week", 7.0), (np.inf, "M", "month", 30.0))


def costs(frame: Rows, client: Client | None = None, *, ax: Axes | None = None) -> Axes:
    """Plot the cost of tunes per day, week or month (UTC), by class and pack.

    Uses the cost that the service reported (``cost_mc``). With a client, the cost of a tune without one is
    estimated as the price of its class in its pack, or as zero if its training failed, and the title says
    "about". Tunes whose cost remains unknown are counted in the title.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit`, `wait` or ``log.frame()``, in any form that `astria_nb.rows.typed` reads.
    client : Client, optional
        Used to request each pack, once. Default: no estimates. Tunes of another service, such as a sandbox,
        are not estimated.
    ax : matplotlib.axes.Axes, optional
        The axes to draw on, which keep their colours. Default: a new figure with a transparent background.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    AstriaError
        matplotlib is not installed (``pip install 'astria-nb[plot]'``), or `ax` is not a matplotlib axes.
    TuneError
        These are not tunes.
    ApiError, NotSentError
        The packs could not be fetched. A pack that was deleted is not an error, but has no price.

    Notes
    -----
    The price of a class includes the training and all its pictures; it is an estimate. 100,000 mc are one
    dollar (astria-api, section 3).

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = {"id": 1, "name": "cat", "pack": 43, "cost_mc": 250000, "created_at": "2026-01-01T12:00:00Z"}
    >>> anb.costs(anb.rows.tune_frame([tune])).get_title()
    '$2.50 for 1 tune'
    """
    frame = tunes_in(frame)
    tunes = select_columns(frame, "id", "name", "pack", "base_pack_id", "cost_mc", "created_at", "status")
    ax = prepare_axes(ax)
    cost = pd.to_numeric(tunes["cost_mc"]).astype("Float64") / DOLLAR_MC
    estimated = pd.Series(0.0, index=tunes.index)
    if client is not None:
        client = client_or_default(client)
        is_own = is_of_service(frame, client).to_numpy()
        estimated = estimates(tunes[cost.isna() & is_own], client).reindex(tunes.index)
        cost = cost.fillna(estimated)
    time = pd.to_datetime(tunes["created_at"], utc=True)
    is_known = cost.notna() & time.notna()
    unknown = int((~is_known).sum())
    if not is_known.any():
        return show_text(ax, f"the cost of {_count(unknown)} is unknown" if unknown else "no tunes")
    tunes, cost, time = tunes[is_known], cost[is_known].astype("float64"), time[is_known]
    about = "about " if estimated.fillna(0.0).any() else ""
    title = f"{about}${cost.sum():,.2f} for {_count(len(tunes))}"
    ax.set_title(f"{title}; cost of {unknown} more unknown" if unknown else title, parse_math=False)
    span = (time.max() - time.min()).days
    _, code, period, width = next(row for row in _PERIODS if span <= row[0])
    # A pandas period has no time zone; the times are in UTC.
    starts = time.dt.tz_localize(None).dt.to_period(code).dt.start_time
    groups = _groups(tunes, cost)
    table = cost.groupby([starts, groups]).sum().unstack(fill_value=0)
    positions, bottom = to_days(table.index.to_series()), np.zeros(len(table))
    for color, group in zip(_COLORS, dict.fromkeys(groups.sort_values().tolist()), strict=False):
        height = table[group].to_numpy()
        ax.bar(positions, height, 0.8 * width, bottom, label=group[1], color=color, linewidth=0)
        bottom = bottom + height
    padding = max(0.0, (_MIN_PERIODS - 1) * width - (positions[-1] - positions[0])) / 2
    ax.set_xlim(positions[0] - padding - width, positions[-1] + padding + width)
    format_dates(ax)
    ax.set_ylabel(f"dollars per {period}")
    add_legend(ax)
    return ax


def _groups(tunes: pd.DataFrame, cost: pd.Series[Any]) -> pd.Series[Any]:
    """Return the rank by cost, and the class and pack, of each tune; the cheapest groups become "others"."""
    packs = tunes["pack"].where(tunes["pack"].notna(), tunes["base_pack_id"])
    classes = ["no class" if pd.isna(name) else plain_label(name) for name in tunes["name"]]
    pack_names = ["no pack" if pd.isna(pack) else f"pack {pack}" for pack in packs]
    names = [f"{name}, {pack}" for name, pack in zip(classes, pack_names, strict=True)]
    groups = pd.Series(names, index=tunes.index)
    ranks = cost.groupby(groups).sum().sort_values(ascending=False, kind="stable").index.tolist()
    last = len(_COLORS) - 1
    if len(ranks) > len(_COLORS):
        return groups.map(
            lambda name: (min(rank := ranks.index(name), last), name if rank < last else "others")
        )
    return groups.map(lambda name: (ranks.index(name), name))


def _count(count: int) -> str:
    return "1 tune" if count == 1 else f"{count} tunes"
