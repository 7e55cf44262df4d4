"""When tunes waited, trained and made their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from astria_nb.results.plots.axes import (
    Floats,
    canvas,
    days,
    height_for,
    label_rows,
    legend,
    records,
    say_nothing,
    show_dates,
    thickness,
)
from astria_nb.rows import tune_id_of, tune_ids

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TIMES = ("created_at", "started_training_at", "trained_at", "failed_at", "updated_at", "eta")
_COLORS = {
    "queued": "tab:gray",
    "training": "tab:blue",
    "failed": "tab:red",
    "prompts": "tab:green",
}


def timeline(frame: pd.DataFrame, prompts: pd.DataFrame | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw when tunes were queued, trained and made pictures: a bar for each, the first row at the top.

    What goes on is drawn to the last moment that the rows tell of, and pale from there to its ``eta``.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`.
    prompts : pandas.DataFrame, optional
        Of `astria_nb.prompts`; without them, the bars end with the training.
    ax : matplotlib.axes.Axes, optional
        Where to draw; it keeps its colours. Default: a figure of its own, for light and dark notebooks.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    AstriaError
        matplotlib is not installed: ``pip install 'astria-nb[plot]'``.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     row = anb.wait(anb.submit(tune, client), client, poll=0.01)
    >>> [text.get_text() for text in anb.timeline(row).get_legend().get_texts()]
    ['queued', 'training']
    """
    tunes = records(frame, "id", "title", *_TIMES)
    ax = canvas(ax, height_for(len(tunes)))
    created, started, trained, failed, updated, eta = (days(tunes[name]) for name in _TIMES)
    made = _made(frame, tunes, prompts, trained)
    known = np.concatenate([created, started, trained, failed, updated, *made])
    if np.isnan(created).all():
        return say_nothing(ax, "no tunes" if tunes.empty else "no times are known of these tunes")
    now = np.full(len(tunes), np.nanmax(known))
    over = np.where(np.isnan(trained), failed, trained)
    end = np.where(np.isnan(over), now, over)
    begun = np.where(np.isnan(started), end, np.minimum(started, end))
    has_failed = ~np.isnan(failed)
    _bars(ax, "queued", created, begun)
    _bars(ax, "training", begun, np.where(has_failed | np.isnan(started), np.nan, end))
    _bars(ax, "prompts", *made)
    _bars(ax, "failed", begun, np.where(has_failed, end, np.nan))
    pending = np.isnan(over) & (eta > now)
    kind = np.where(np.isnan(started), "queued", "training")
    for name in ("queued", "training"):
        _bars(ax, name, now, np.where(pending & (kind == name), eta, np.nan), pale=True)
    show_dates(ax)
    label_rows(ax, tunes, "tunes")
    legend(ax)
    return ax


def _bars(ax: Axes, name: str, left: Floats, right: Floats, *, pale: bool = False) -> None:
    """Draw a part of each bar, where it has one."""
    there = np.flatnonzero(right >= left)
    if len(there):
        color = _COLORS[name]
        # Its edge is what is seen of minutes among months.
        ax.barh(
            there, (right - left)[there], thickness(len(left)), left[there], label="" if pale else name,
            color=color, edgecolor=color, linewidth=1.0, alpha=0.5 if pale else 1.0,
        )  # fmt: skip


def _made(
    frame: pd.DataFrame, tunes: pd.DataFrame, prompts: pd.DataFrame | None, trained: Floats
) -> tuple[Floats, Floats]:
    """Return from when to when each tune made pictures: not before it was trained."""
    left, right = np.full(len(tunes), np.nan), np.full(len(tunes), np.nan)
    if prompts is None or tunes.empty:
        return left, right
    told = records(
        prompts, "id", "text", "tunes", "tune_id", "started_training_at", "trained_at", "created_at"
    )
    own = tune_ids(frame)
    whose = pd.Series([tune_id_of(each, own) for each in told.to_dict("records")], dtype="Int64")
    begun, done = days(told["started_training_at"]), days(told["trained_at"])
    begun = np.where(np.isnan(begun), days(told["created_at"]), begun)
    spans = pd.DataFrame({"left": begun, "right": done}).groupby(whose).agg({"left": "min", "right": "max"})
    spans = spans.reindex(tunes["id"].astype("Int64"))
    return np.fmax(spans["left"].to_numpy("float64"), trained), spans["right"].to_numpy("float64")
