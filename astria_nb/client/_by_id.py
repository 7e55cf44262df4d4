"""The latest state of many tunes or prompts, in few requests."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from astria_nb.client._replies import Json
from astria_nb.errors import NotFoundError

VISIBILITY_DELAY = timedelta(seconds=60)
"""How long the API may take to show a new tune completely (astria-api, section 8)."""


def is_recent(created_at: datetime | None, now: datetime) -> bool:
    """Return whether a tune is so new that the API may not show it yet.

    Parameters
    ----------
    created_at : datetime or None
        Time zone aware. A tune of unknown age is not recent.
    now : datetime
        The service's time, time zone aware.
    """
    return created_at is not None and now - created_at <= VISIBILITY_DELAY


def fetch_latest(
    ids: Iterable[int], list_page: Callable[[int], Iterator[Json]], get: Callable[[int], Json]
) -> dict[int, Json | None]:
    """Return the latest JSON of each id, or None if the API no longer has it.

    Reads one page of the list downwards from the newest id, then one from the newest id below that page, and
    so on. Ids that are close together share a request, and scattered ones take at most one request each. An
    id that is missing from its page is requested separately before it counts as deleted.

    Parameters
    ----------
    ids : iterable of int
    list_page : callable
        Takes an id and returns one page of older records, newest first.
    get : callable
        Takes an id and returns its record, or raises `NotFoundError`.

    Returns
    -------
    dict of int to dict or None

    Raises
    ------
    AstriaError
        Any error of `list_page` and `get` other than `NotFoundError`.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     tune_id = int(anb.submit(tune, client).loc[0, "id"])
    ...     tunes = fetch_latest([tune_id, 7], lambda id: client.tunes(before_id=id, limit=120), client.tune)
    >>> tunes[tune_id]["title"], tunes[7]
    ('t', None)
    """
    pending = sorted({*ids})
    records: dict[int, Json | None] = {}
    while len(pending) > 1:
        page = {record["id"]: record for record in list_page(pending[-1] + 1)}
        below = bisect_left(pending, min(page, default=0))
        for id_ in pending[below:]:
            records[id_] = page[id_] if id_ in page else _get_or_none(id_, get)
        del pending[below:]
    return records | {id_: _get_or_none(id_, get) for id_ in pending}


def _get_or_none(id_: int, get: Callable[[int], Json]) -> Json | None:
    try:
        return get(id_)
    except NotFoundError:
        return None
