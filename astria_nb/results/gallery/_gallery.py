"""The `gallery` function."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from astria_nb.client import Client
from astria_nb.defaults import client_or_default
from astria_nb.errors import AstriaError, Problem
from astria_nb.results.frames import tunes_of
from astria_nb.results.gallery._widget import POLL_SECONDS, Gallery
from astria_nb.results.watch import Poller, prompts
from astria_nb.rows import Rows
from astria_nb.utils.arguments import check_number
from astria_nb.utils.formatting import short

_MAX_LIMIT = 10**9


def gallery(
    frame: Rows,
    client: Client | None = None,
    *,
    limit: int | None = None,
    by: Literal["template"] | None = None,
) -> Gallery:
    """Return a widget with the pictures of tunes. Pictures that do not exist yet appear as they arrive.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`, in any form that `astria_nb.rows.typed` reads.
    client : Client, optional
        Default as in `submit`.
    limit : int, optional
        Maximum number of pictures, from the oldest prompts first. Default: all.
    by : {"template"}, optional
        Compare the tunes: a table with a column for each row of the frame, and a row for each template of
        their packs (``orig_prompt_id``). The arrow keys move to the same template of another tune, and to
        another template, also between enlarged pictures. Default: one grid, in the order in which the
        pictures arrive.

    Returns
    -------
    Gallery
        If widgets cannot be displayed, as in a saved notebook, it is shown as HTML: the first 24 pictures in
        their state when the cell ran, and links to the others.

    Raises
    ------
    TuneError
        These are not tunes, or tunes of another service or account.
    AstriaError
        The limit is not a number, is negative, or is given together with `by`; or `by` is not valid.
    ApiError, NotSentError
        The prompts could not be fetched. A picture that cannot be fetched is shown as its address, and a
        later poll that fails is reported in the gallery.

    Notes
    -----
    *Download all* saves the pictures of all tunes, whatever the limit, on the user's own computer: one zip
    file with the names and the manifest of `download`. *Keep longer* calls `keep_longer`, after a
    confirmation.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     pictures = anb.gallery(anb.submit(tune, client), client)
    ...     pictures.stop()
    >>> pictures
    Gallery(0 pictures, 8 prompts pending, 0 failed)
    """
    client = client_or_default(client)
    if limit is not None:
        limit = int(check_number("limit", limit, "pictures", maximum=_MAX_LIMIT))
    if by not in (None, "template"):
        what = f"{short(by)} is not a way to arrange pictures"
        raise AstriaError(Problem("by", what, "give 'template', or leave it out"))
    if by is not None and limit is not None:
        what = "cannot be combined with by"
        raise AstriaError(Problem("limit", what, "leave it out, and select the rows to compare instead"))
    frame = tunes_of(frame, client)
    prompt_frame = prompts(frame, client)
    frame = _with_expired(frame, client)
    widget = Gallery(client, limit=limit, by=by)
    if widget.show(frame, prompt_frame):
        widget.watch(after=POLL_SECONDS)
    return widget


def _with_expired(frame: pd.DataFrame, client: Client) -> pd.DataFrame:
    """Fetch tunes that have expired according to their rows: they were deleted, or are kept longer."""
    is_over = (frame["status"] == "trained") & (frame["expires_at"] < pd.Timestamp(client.now()))
    if not is_over.fillna(False).any():
        return frame
    return Poller(frame.assign(status=frame["status"].mask(is_over)), client, "trained").poll().frame
