"""What the service deletes before long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pandas as pd

from astria_nb.client.client import Client, Json
from astria_nb.defaults import client_or_default
from astria_nb.errors import Problem, TuneError
from astria_nb.results.watch.poller import Poller
from astria_nb.rows import tune_frame
from astria_nb.utils.arguments import check_number
from astria_nb.utils.arrow import parse_time
from astria_nb.utils.formatting import short

_ENOUGH = 1000  # tunes in a row that are over: what is older is, too
_KEPT = timedelta(days=30)
_MOST = 36500.0


def expiring(
    frame: pd.DataFrame | None = None, client: Client | None = None, *, days: float = 7.0
) -> pd.DataFrame:
    """Return the tunes that expire within some days, the soonest first: `download` keeps their pictures.

    Parameters
    ----------
    frame : pandas.DataFrame, optional
        Rows of `submit` or `wait`; those whose training was not over are looked at again. Default: all tunes
        of the account.
    client : Client, optional
        Default as in `submit`.
    days : float
        From the service's time on.

    Returns
    -------
    pandas.DataFrame
        Rows as those of `wait`. Tunes that have expired are not among them.

    Raises
    ------
    ApiError, NotSentError
        The tunes could not be listed.

    Notes
    -----
    Tunes, their training images and their pictures are deleted 30 days after the training, or later where
    that was extended (astria-api, section 13). The account is read from the newest tune back, a request for
    120, until a thousand in a row are over.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     row = anb.wait(anb.submit(tune, client), client, poll=0.01)
    ...     sandbox.advance(25 * 86400)
    ...     anb.expiring(client=client)[["title", "status"]]
      title   status
    0     t  trained
    """
    client = client_or_default(client)
    days = check_number("days", days, "days", maximum=_MOST)
    if frame is None:
        found = tune_frame(list(_not_over(client)), client.now())
    elif isinstance(frame, pd.DataFrame) and {"id", "status", "expires_at"} <= {*frame.columns}:
        found = Poller(frame, client, "trained").poll().frame
    else:
        what, hint = f"{short(frame)} holds no tunes", "give the rows that submit or wait returned, or None"
        raise TuneError(Problem("frame", what, hint))
    now = pd.Timestamp(client.now())
    soon = (found["expires_at"] > now) & (found["expires_at"] <= now + pd.Timedelta(days=days))
    return found[soon].sort_values("expires_at", kind="stable", ignore_index=True)


def _not_over(client: Client) -> Iterator[Json]:
    """Yield the account's tunes that are not over yet, until it is not worth to look further."""
    over = 0
    for tune in client.tunes():
        if over == _ENOUGH:
            return
        if _is_over(tune, client.now()):
            over += 1
        else:
            over = 0
            yield tune


def _is_over(tune: Json, now: datetime) -> bool:
    expires_at, created_at = parse_time(tune.get("expires_at")), parse_time(tune.get("created_at"))
    if expires_at is not None:
        return expires_at <= now
    # Never trained, and never will be.
    return created_at is not None and created_at < now - _KEPT
