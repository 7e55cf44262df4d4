"""What shows the pictures of tunes."""

from __future__ import annotations

import pandas as pd

from astria_nb.client.client import Client
from astria_nb.defaults import client_or_default
from astria_nb.results.gallery.widget import POLL, Gallery
from astria_nb.results.watch._wait import prompts
from astria_nb.utils.arguments import check_number

_MOST = 10**9  # pictures


def gallery(frame: pd.DataFrame, client: Client | None = None, *, limit: int | None = None) -> Gallery:
    """Return the pictures of tunes, to be shown in a notebook; those that are still to come fill in live.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`.
    client : Client, optional
        Default as in `submit`.
    limit : int, optional
        Pictures to show at most, the oldest prompts first. Default: all of them.

    Returns
    -------
    Gallery
        A widget. Where none can be shown, such as in a saved notebook, its first pictures are seen as they
        were when the cell ran, and the addresses of the others.

    Raises
    ------
    ApiError, NotSentError
        The prompts could not be had. A picture that cannot be fetched is shown as its address, and a later
        look that fails is told in the gallery.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     shown = anb.gallery(anb.submit(tune, client), client)
    ...     shown.stop()
    >>> shown
    Gallery(0 pictures, 8 prompts pending, 0 failed)
    """
    client = client_or_default(client)
    most = None if limit is None else int(check_number("limit", limit, "pictures", maximum=_MOST))
    found = prompts(frame, client)
    shown = Gallery(client, limit=most)
    if shown.show(frame, found):
        shown.watch(after=POLL)
    return shown
