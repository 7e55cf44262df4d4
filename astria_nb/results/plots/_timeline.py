"""When tunes were queued and trained, and when they created their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from astria_nb.results.frames import prompts_in, tunes_in
from astria_nb.results.plots._axes import (
    Floats,
    add_legend,
    bar_height,
    format_dates,
    height_for,
    label_rows,
    prepare_axes,
    select_columns,
    show_text,
    to_days,
)
from astria_nb.rows import Rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TIMES = ("created_at", "started_training_at", "trained_at", "failed_at", "updated_at", "eta")
_COLORS = {
    "queued": "tab:gray",
    "training": "tab:blue",
    "failed": "tab:red",
    "prompts": "tab:green",
}


def timeline(frame: Rows, prompts: Rows | None = None, *, ax: Axes | None = None) -> Axes:
    """Plot when tunes were queued, trained and created pictures: one bar per row, the first at the top.

    Unfinished tunes are drawn up to the latest time in the rows, and from there to their ``eta`` in a pale
    colour. Times are in UTC.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`, in any form that `astria_nb.rows.typed` reads.
    prompts : pandas.DataFrame, optional
        Rows of `astria_nb.prompts`, also in any form. Default: the bars end with the training.
    ax : matplotlib.axes.Axes, optional
        The axes to draw on, which keep their colours. Default: a new figure with a transparent background,
        readable in light and dark notebooks.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    AstriaError
        matplotlib is not installed (``pip install 'astria-nb[plot]'``), or `ax` is not a matplotlib axes.
    TuneError
        These are not tunes, or `prompts` are not prompts.

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
    tunes = select_columns(tunes_in(frame), "id", "title", *_TIMES)
    ax = prepare_axes(ax, height_for(len(tunes)))
    created, started, trained, failed, updated, eta = (to_days(tunes[name]) for name in _TIMES)
    prompt_spans = _prompt_spans(tunes, prompts, trained)
    if np.isnan(created).all():
        return show_text(ax, "no tunes" if tunes.empty else "the times of these tunes are unknown")
    times = np.concatenate([created, started, trained, failed, updated, *prompt_spans])
    now = np.full(len(tunes), np.nanmax(times))
    finished = np.where(np.isnan(trained), failed, trained)
    end = np.where(np.isnan(finished), now, finished)
    training_start = np.where(np.isnan(started), end, np.minimum(started, end))
    has_failed, has_started = ~np.isnan(failed), ~np.isnan(started)
    _draw_bars(ax, "queued", created, training_start)
    _draw_bars(ax, "training", training_start, np.where(has_started & ~has_failed, end, np.nan))
    _draw_bars(ax, "prompts", *prompt_spans)
    _draw_bars(ax, "failed", training_start, np.where(has_failed, end, np.nan))
    is_pending = np.isnan(finished) & (eta > now)
    _draw_bars(ax, "queued", now, np.where(is_pending & ~has_started, eta, np.nan), pale=True)
    _draw_bars(ax, "training", now, np.where(is_pending & has_started, eta, np.nan), pale=True)
    format_dates(ax)
    label_rows(ax, tunes, "tunes")
    add_legend(ax)
    return ax


def _draw_bars(ax: Axes, name: str, start: Floats, end: Floats, *, pale: bool = False) -> None:
    """Draw one part of each row's bar; rows whose start or end is not-a-number have no such part."""
    rows = np.flatnonzero(end >= start)
    if len(rows):
        color = _COLORS[name]
        # The edge keeps a bar of minutes visible on an axis of months.
        ax.barh(
            rows, (end - start)[rows], bar_height(len(start)), start[rows], label="" if pale else name,
            color=color, edgecolor=color, linewidth=1.0, alpha=0.5 if pale else 1.0,
        )  # fmt: skip


def _prompt_spans(tunes: pd.DataFrame, prompts: Rows | None, trained: Floats) -> tuple[Floats, Floats]:
    """Return when each tune started and finished creating pictures; it cannot start before it is trained."""
    if prompts is None or tunes.empty:
        return np.full(len(tunes), np.nan), np.full(len(tunes), np.nan)
    prompts = prompts_in(prompts, "prompts")
    times = ("started_training_at", "trained_at", "created_at")
    details = select_columns(prompts, "id", "tune_id", *times)
    owners = details["tune_id"].astype("Int64")
    started, done, created = (to_days(details[name]) for name in times)
    started = np.where(np.isnan(started), created, started)
    spans = pd.DataFrame({"start": started, "end": done})
    spans = spans.groupby(owners).agg({"start": "min", "end": "max"}).reindex(tunes["id"].astype("Int64"))
    return np.fmax(spans["start"].to_numpy("float64"), trained), spans["end"].to_numpy("float64")
