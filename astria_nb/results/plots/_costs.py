"""What tunes cost, by class and pack, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from astria_nb.client.client import Client
from astria_nb.defaults import client_or_default
from astria_nb.errors import NotFoundError
from astria_nb.results.plots.axes import canvas, days, legend, plain, records, say_nothing, show_dates
from astria_nb.tune.pack import Pack

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


def costs(frame: pd.DataFrame, client: Client | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw what tunes cost per day, week or month, by class and pack.

    What the service told of a tune counts (``cost_mc``). With a client, those of which it told nothing are
    estimated by the price of their class in their pack, and those whose training failed by nothing; the title
    says so. Else it says how many they are.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit`, `wait` or ``log.frame()``.
    client : Client, optional
        Is asked for each pack, once.
    ax : matplotlib.axes.Axes, optional
        As for `timeline`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    AstriaError
        matplotlib is not installed: ``pip install 'astria-nb[plot]'``.
    ApiError, NotSentError
        The packs could not be had; one that is gone has no price.

    Notes
    -----
    The price of a class is that of the training and all its pictures, and an estimate;
    100,000 mc are a dollar (astria-api, section 3).

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = {"id": 1, "name": "cat", "pack": 43, "cost_mc": 250000, "created_at": "2026-01-01T12:00:00Z"}
    >>> anb.costs(anb.rows.tune_frame([tune])).get_title()
    '$2.50 for 1 tune'
    """
    tunes = records(frame, "id", "name", "pack", "base_pack_id", "cost_mc", "created_at", "status")
    ax = canvas(ax)
    cost = pd.to_numeric(tunes["cost_mc"]).astype("Float64") / _DOLLAR
    estimated = pd.Series(0.0, index=tunes.index)
    if client is not None:
        estimated = _estimates(tunes[cost.isna()], client_or_default(client))
        cost = cost.fillna(estimated)
    time = pd.to_datetime(tunes["created_at"], utc=True)
    drawn = cost.notna() & time.notna()
    missing = int((~drawn).sum())
    if not drawn.any():
        return say_nothing(ax, f"no cost is known of {_tunes(missing)}" if missing else "no tunes")
    about = "about " if estimated.fillna(0.0).any() else ""
    title = f"{about}${float(cost[drawn].sum()):,.2f} for {_tunes(int(drawn.sum()))}"
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


def _estimates(tunes: pd.DataFrame, client: Client) -> pd.Series[Any]:
    """Return what tunes cost in dollars by the prices of their packs; null where none is told."""
    packs: dict[int, Pack | None] = {}
    found = pd.Series(pd.NA, index=tunes.index, dtype="Float64")
    for at, tune in zip(tunes.index, tunes.to_dict("records"), strict=True):
        number = tune["base_pack_id"] if pd.isna(tune["pack"]) else tune["pack"]
        if tune["status"] == "failed":
            found[at] = 0.0
        elif not (pd.isna(number) or pd.isna(tune["id"]) or pd.isna(tune["name"])):
            if number not in packs:
                packs[number] = _pack(int(number), client)
            pack = packs[number]
            price = None if pack is None else pack.price_mc(tune["name"])
            found[at] = pd.NA if price is None else price / _DOLLAR
    return found


def _pack(number: int, client: Client) -> Pack | None:
    try:
        return client.pack(number)
    except NotFoundError:
        return None


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
