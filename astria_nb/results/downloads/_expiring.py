"""Tunes that the service will delete soon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pandas as pd

from astria_nb.client import Client, Json
from astria_nb.defaults import client_or_default
from astria_nb.results.frames import origin_of, tunes_of
from astria_nb.results.watch import Poller
from astria_nb.rows import Rows, tune_frame
from astria_nb.utils.arguments import check_number
from astria_nb.utils.times import parse_time

_MAX_EXPIRED = 1000  # consecutive expired tunes, after which all older ones are assumed to be expired
_LIFETIME = timedelta(days=30)
_MAX_DAYS = 36500.0


def expiring(frame: Rows | None = None, client: Client | None = None, *, days: float = 7.0) -> pd.DataFrame:
    """Return the tunes that expire within some days, the soonest first.

    `download` saves their pictures, and `keep_longer` tells the service to keep them.

    Parameters
    ----------
    frame : pandas.DataFrame, optional
        Rows of `submit` or `wait`, in any form that `astria_nb.rows.typed` reads; rows that were not finished
        or have no ``expires_at`` are polled. Default: all tunes of the account.
    client : Client, optional
        Default as in `submit`.
    days : float
        Counted from the service's time.

    Returns
    -------
    pandas.DataFrame
        Rows as `wait` returns them. Tunes that have already expired are not included, nor are tunes that are
        kept longer (``auto_extend``) according to the service or the row.

    Raises
    ------
    TuneError
        These are not tunes, or tunes of another service or account.
    AstriaError
        `days` is not a number from 0 to 36500.
    ApiError, NotSentError
        The tunes could not be listed.

    Notes
    -----
    Tunes, their training images and their pictures are deleted 30 days after training, or later if that was
    extended (astria-api, section 13). The account is read from the newest tune back, 120 tunes a request,
    until a thousand in a row have expired.

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
    days = check_number("days", days, "days", maximum=_MAX_DAYS)
    if frame is None:
        origin = origin_of(client)
        tunes = tune_frame([tune | origin for tune in _not_expired(client)], client.now())
    else:
        frame = tunes_of(frame, client)
        is_undated = (frame["status"] == "trained") & frame["expires_at"].isna()
        frame = frame.assign(status=frame["status"].mask(is_undated))
        tunes = Poller(frame, client, "trained").poll().frame
    now = pd.Timestamp(client.now())
    expires_soon = (tunes["expires_at"] > now) & (tunes["expires_at"] <= now + pd.Timedelta(days=days))
    if "auto_extend" in tunes:
        expires_soon &= ~tunes["auto_extend"].fillna(False).astype(bool)
    return tunes[expires_soon].sort_values("expires_at", kind="stable", ignore_index=True)


def _not_expired(client: Client) -> Iterator[Json]:
    """Yield the account's tunes that have not expired, newest first."""
    expired_in_a_row = 0
    for tune in client.tunes():
        if expired_in_a_row == _MAX_EXPIRED:
            return
        if _is_expired(tune, client.now()):
            expired_in_a_row += 1
        else:
            expired_in_a_row = 0
            yield tune


def _is_expired(tune: Json, now: datetime) -> bool:
    expires_at, created_at = parse_time(tune.get("expires_at")), parse_time(tune.get("created_at"))
    if expires_at is not None:
        return expires_at <= now
    # A tune without a date is not trained; after this time it never will be.
    return created_at is not None and created_at < now - _LIFETIME
