"""The latest state of many tunes or prompts, by few requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from astria_nb.client.client import Json
from astria_nb.errors import NotFoundError

YOUNG = timedelta(seconds=60)
"""What is younger may not show yet, or not all of it (astria-api, section 8)."""


def is_young(created_at: datetime | None, now: datetime) -> bool:
    """Tell whether a tune that is not found may show yet; one of unknown age is not young."""
    return created_at is not None and now - created_at <= YOUNG


def latest(
    ids: Iterable[int], page: Callable[[int], Iterator[Json]], one: Callable[[int], Json]
) -> dict[int, Json | None]:
    """Return what the service says of each id; None for what is gone.

    A page of the list is read from the newest id downwards, then one from the newest that was not in it: ids
    that lie close together share a request, and where they lie far apart there is still no more than one
    request for each. What a list lacks is asked for by its id before it is called gone.

    Parameters
    ----------
    ids : iterable of int
    page : callable
        Given an id, returns one page of what is older, newest first.
    one : callable
        Given an id, returns it, or raises `NotFoundError`.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     client = sandbox.client()
    ...     made = int(anb.submit(tune, client).loc[0, "id"])
    ...     found = latest([made, 7], lambda id: client.tunes(before_id=id, limit=120), client.tune)
    >>> found[made]["title"], found[7]
    ('t', None)
    """
    left = sorted({*ids})
    found: dict[int, Json | None] = {}
    while len(left) > 1:
        seen = {each["id"]: each for each in page(left[-1] + 1)}
        oldest = min(seen, default=0)
        found |= {each: seen[each] for each in left if each in seen}
        unseen = [each for each in left if each >= oldest and each not in seen]
        found |= {each: _one(each, one) for each in unseen}
        left = [each for each in left if each < oldest]
    return found | {each: _one(each, one) for each in left}


def _one(id: int, one: Callable[[int], Json]) -> Json | None:  # noqa: A002  the API's own name
    try:
        return one(id)
    except NotFoundError:
        return None
