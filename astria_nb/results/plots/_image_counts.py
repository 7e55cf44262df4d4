"""How many images came of each tune."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from astria_nb.client.client import Client
from astria_nb.results.plots.axes import (
    canvas,
    height_for,
    label_rows,
    legend,
    records,
    say_nothing,
    thickness,
)
from astria_nb.results.watch._wait import prompts
from astria_nb.rows import tune_id_of, tune_ids

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PARTS = (
    ("images", "tab:green", 1.0),
    ("prompts pending", "tab:gray", 0.6),
    ("prompts failed", "tab:red", 1.0),
)


def image_counts(frame: pd.DataFrame, client: Client | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw how many images each tune has, and how many of its prompts are pending or failed.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`, for whose prompts the service is asked; or those of `astria_nb.prompts`.
    client : Client, optional
        Default as in `submit`.
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
        The prompts could not be had.

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
    tunes = records(frame, "id", "title")
    are_prompts = isinstance(frame, pd.DataFrame) and {"images", "text"} <= {*frame.columns}
    made = frame if are_prompts else prompts(frame, client)
    told = records(made, "id", "text", "tunes", "tune_id", "images", "status")
    own = set() if are_prompts else tune_ids(frame)
    whose = pd.Series([tune_id_of(each, own) for each in told.to_dict("records")], dtype="Int64")
    if are_prompts:
        tunes = pd.DataFrame({"id": whose.dropna().drop_duplicates().to_numpy()})
    else:
        tunes = tunes[tunes["id"].notna()]
    ax = canvas(ax, height_for(len(tunes)))
    if tunes.empty:
        return say_nothing(ax, "no prompts" if are_prompts else "no tunes")
    counts = pd.DataFrame(
        {
            "images": told["images"].map(_count),
            "prompts pending": (told["status"] == "pending").astype(int),
            "prompts failed": (told["status"] == "failed").astype(int),
        }
    )
    counts = counts.groupby(whose).sum().reindex(tunes["id"].astype("Int64"), fill_value=0)
    at, left = np.arange(len(tunes)), np.zeros(len(tunes))
    for name, color, alpha in _PARTS:
        width = counts[name].to_numpy("float64")
        if width.any():
            ax.barh(at, width, thickness(len(at)), left, label=name, color=color, alpha=alpha, linewidth=0)
        left = left + width
    total = int(counts["images"].sum())
    noun = "1 tune" if len(tunes) == 1 else f"{len(tunes)} tunes"
    ax.set_title(f"{total} images of {noun}" if total != 1 else f"1 image of {noun}")
    ax.set_xlim(0, max(1.0, 1.03 * left.max()))
    ax.locator_params(axis="x", integer=True)
    label_rows(ax, tunes.reset_index(drop=True), "tunes")
    legend(ax)
    return ax


def _count(images: object) -> int:
    return 0 if images is None or pd.api.types.is_scalar(images) else len(images)  # type: ignore[arg-type]
