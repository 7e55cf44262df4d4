"""The number of images of each tune."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from astria_nb.client import Client
from astria_nb.results.plots._axes import (
    add_legend,
    bar_height,
    height_for,
    label_rows,
    prepare_axes,
    select_columns,
    show_text,
)
from astria_nb.results.watch import prompts
from astria_nb.rows import Rows, are_prompts, typed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PARTS = (
    ("images", "tab:green", 1.0),
    ("prompts pending", "tab:gray", 0.6),
    ("prompts failed", "tab:red", 1.0),
)


def image_counts(frame: Rows, client: Client | None = None, *, ax: Axes | None = None) -> Axes:
    """Plot how many images each tune has, and how many of its prompts are pending or failed.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`, whose prompts are requested from the service; or rows of
        `astria_nb.prompts`; in any form that `astria_nb.rows.typed` reads.
    client : Client, optional
        Default as in `submit`.
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
        These are neither tunes nor prompts, or tunes of another service or account.
    ApiError, NotSentError
        The prompts could not be fetched.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     row = anb.wait(anb.submit(tune, client), client, until="prompts", poll=0.01)
    ...     anb.image_counts(row, client).get_title()
    '8 images of 1 tune'
    """
    frame = typed(frame)
    tunes = select_columns(frame, "id", "title")
    is_of_prompts = are_prompts(frame)
    prompt_frame = frame if is_of_prompts else prompts(frame, client)
    details = select_columns(prompt_frame, "id", "tune_id", "images", "status")
    owners = details["tune_id"].astype("Int64")
    if is_of_prompts:
        tunes = pd.DataFrame({"id": owners.dropna().drop_duplicates().to_numpy()})
    else:
        tunes = tunes[tunes["id"].notna()]
    ax = prepare_axes(ax, height_for(len(tunes)))
    if tunes.empty:
        return show_text(ax, "no prompts" if is_of_prompts else "no tunes")
    counts = pd.DataFrame(
        {
            "images": details["images"].map(_count),
            "prompts pending": (details["status"] == "pending").astype(int),
            "prompts failed": (details["status"] == "failed").astype(int),
        }
    )
    counts = counts.groupby(owners).sum().reindex(tunes["id"].astype("Int64"), fill_value=0)
    rows, left_edges = np.arange(len(tunes)), np.zeros(len(tunes))
    height = bar_height(len(tunes))
    for label, color, alpha in _PARTS:
        widths = counts[label].to_numpy("float64")
        if widths.any():
            ax.barh(rows, widths, height, left_edges, label=label, color=color, alpha=alpha, linewidth=0)
        left_edges = left_edges + widths
    total = int(counts["images"].sum())
    noun = "1 tune" if len(tunes) == 1 else f"{len(tunes)} tunes"
    ax.set_title(f"{total} images of {noun}" if total != 1 else f"1 image of {noun}")
    ax.set_xlim(0, max(1.0, 1.03 * left_edges.max()))
    ax.locator_params(axis="x", integer=True)
    label_rows(ax, tunes.reset_index(drop=True), "tunes")
    add_legend(ax)
    return ax


def _count(images: object) -> int:
    return 0 if images is None or pd.api.types.is_scalar(images) else len(images)  # type: ignore[arg-type]
