"""What tunes cost, by class and pack, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from astria_nb.plots.canvas import canvas, days, legend, plain, records, say_nothing, show_dates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DOLLAR = 100_000  # millicents
_COLORS = (
    "tab:blue",
    "tab:green",
    "tab:purple",
    "tab:red",
    "tab:cyan",
    "tab:brown",
    "tab:pink",
    "tab:gray",
)  # one for each class and pack; of more, the cheapest share the last one
_FEWEST = 7  # periods that there is room for
_PERIODS = ((45, "D", "day", 1.0), (300, "W", "week", 7.0), (np.inf, "M", "month", 30.0))


def costs(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what tunes cost per day, week or month, by class and pack.

    Only what the service told counts (``cost_mc``); the title says of how many tunes it told nothing.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit`, `wait` or ``log.frame()``.
    ax : matplotlib.axes.Axes, optional
        As for `timeline`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    AstriaError
        matplotlib is not installed: ``pip install 'astria-nb[plot]'``.

    Notes
    -----
    100,000 mc are a dollar (astria-api, section 3).

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = {"id": 1, "name": "cat", "pack": 43, "cost_mc": 250000, "created_at": "2026-01-01T12:00:00Z"}
    >>> anb.costs(anb.rows.tune_frame([tune])).get_title()
    '$2.50 for 1 tune'
    """
    tunes = records(frame, "id", "name", "pack", "base_pack_id", "cost_mc", "created_at")
    ax = canvas(ax)
    cost = pd.to_numeric(tunes["cost_mc"]).astype("Float64") / _DOLLAR
    time = pd.to_datetime(tunes["created_at"], utc=True)
    drawn = cost.notna() & time.notna()
    missing = int((~drawn).sum())
    if not drawn.any():
        return say_nothing(ax, f"no cost is known of {_tunes(missing)}" if missing else "no tunes")
    title = f"${float(cost[drawn].sum()):,.2f} for {_tunes(int(drawn.sum()))}"
    ax.set_title(f"{title}; of {missing} more no cost is known" if missing else title, parse_math=False)
    span = (time[drawn].max() - time[drawn].min()).days
    _, code, period, width = next(each for each in _PERIODS if span <= each[0])
    # Without its zone, which is UTC: a period has none.
    starts = time[drawn].dt.tz_localize(None).dt.to_period(code).dt.start_time
    groups = _groups(tunes[drawn], cost[drawn])
    table = cost[drawn].astype("float64").groupby([starts, groups]).sum().unstack(fill_value=0)
    at, bottom = days(table.index.to_series()), np.zeros(len(table))
    for color, name in zip(_COLORS, dict.fromkeys(groups.sort_values().tolist()), strict=False):
        height = table[name].to_numpy()
        label = name[1]
        ax.bar(at, height, 0.8 * width, bottom, label=label, color=color, linewidth=0)
        bottom = bottom + height
    room = max(0.0, (_FEWEST - 1) * width - (at[-1] - at[0])) / 2  # a single day is no wall
    ax.set_xlim(at[0] - room - width, at[-1] + room + width)
    show_dates(ax)
    ax.set_ylabel(f"dollars a {period}")
    legend(ax)
    return ax


def _groups(tunes: pd.DataFrame, cost: pd.Series[Any]) -> pd.Series[Any]:
    """Return the class and pack of each tune behind their rank, the dearest first; the cheapest are one."""
    packs = tunes["pack"].where(tunes["pack"].notna(), tunes["base_pack_id"])
    names = [
        f"{'no class' if pd.isna(name) else plain(name)}, {'no pack' if pd.isna(pack) else f'pack {pack}'}"
        for name, pack in zip(tunes["name"], packs, strict=True)
    ]
    found = pd.Series(names, index=tunes.index)
    ranks = cost.groupby(found).sum().sort_values(ascending=False, kind="stable").index.tolist()
    last = len(_COLORS) - 1
    if len(ranks) > len(_COLORS):
        return found.map(
            lambda name: (min(rank := ranks.index(name), last), name if rank < last else "others")
        )
    return found.map(lambda name: (ranks.index(name), name))


def _tunes(count: int) -> str:
    return "1 tune" if count == 1 else f"{count} tunes"
