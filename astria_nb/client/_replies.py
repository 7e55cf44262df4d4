"""The API's JSON, checked for its shape: objects, lists, pages and packs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from astria_nb.client import responses
from astria_nb.client._error_body import error_text
from astria_nb.client._transport import Transport
from astria_nb.tune import Pack
from astria_nb.utils.arguments import check_id, check_number, parse_id

Json = dict[str, Any]
PAGE_SIZE = 120
"""The API's maximum (astria-api, section 7)."""


def get_object(transport: Transport, path: str) -> Json:
    """Return the JSON object at a path.

    Raises
    ------
    UnexpectedReplyError
        The answer is not an object.
    """
    return checked_object(transport.get(path, {}))


def checked_object(data: Any) -> Json:
    """Return JSON if it is an object.

    Raises
    ------
    UnexpectedReplyError
        The JSON is not an object.
    """
    if isinstance(data, dict):
        return data
    raise responses.unexpected_reply(200, "something other than an object")


def get_list(transport: Transport, path: str, **query: Any) -> list[Json]:
    """Return the list of records at a path, each with its ``id`` as an int.

    Raises
    ------
    UnexpectedReplyError
        The answer is not a list of records.
    """
    data = transport.get(path, query)
    if isinstance(data, list):
        records = [record for value in data if (record := with_id(value)) is not None]
        if len(records) == len(data):
            return records
    if isinstance(data, dict) and (words := error_text(data)):
        raise responses.in_place_of("a list", words)
    raise responses.unexpected_reply(200, "something other than a list")


def get_pages(
    transport: Transport, path: str, before_id: int | None, limit: int | None, **query: Any
) -> Iterator[Json]:
    """Return the records of a list, newest first; pages are requested as they are needed.

    Parameters
    ----------
    transport : Transport
    path : str
    before_id : int or None
        Only records with a smaller id.
    limit : int or None
        Maximum number of records.
    **query : str, int, bool or None
        Further parameters of each request.

    Raises
    ------
    AstriaError
        `before_id` or `limit` is not valid; raised at once, not when the first record is requested.
    """
    before_id = None if before_id is None else check_id("before_id", before_id)
    remaining = math.inf if limit is None else math.ceil(check_number("limit", limit, "records", maximum=1e9))
    return _pages(transport, path, before_id, remaining, query)


def _pages(
    transport: Transport, path: str, before_id: int | None, remaining: float, query: dict[str, Any]
) -> Iterator[Json]:
    # A page may hold fewer records than requested; the limit counts requested records.
    while remaining > 0 and (
        page := get_list(transport, path, limit=min(remaining, PAGE_SIZE), before_id=before_id, **query)
    ):
        if before_id is not None and any(record["id"] >= before_id for record in page):
            raise responses.unexpected_reply(200, "the same page again")
        yield from page
        before_id, remaining = page[-1]["id"], remaining - PAGE_SIZE


def get_packs(transport: Transport, path: str, **query: Any) -> list[Pack]:
    """Return the packs of all pages of a list."""
    packs: dict[int, Pack] = {}
    while True:
        page = get_list(transport, path, **query, limit=PAGE_SIZE, offset=len(packs))
        new_packs = {pack.id: pack for pack in map(pack_of, page) if pack.id not in packs}
        # An empty page ends the list, as does a repeated page of a service that ignores `offset`.
        if not new_packs:
            return list(packs.values())
        packs |= new_packs


def pack_of(data: Json) -> Pack:
    """Return the pack in an object.

    Raises
    ------
    UnexpectedReplyError
        The object is not a pack.
    """
    try:
        return Pack.from_json(data)
    except (KeyError, TypeError, ValueError):
        reason = "a pack without an id"
    raise responses.unexpected_reply(200, reason)


def with_id(data: object) -> Json | None:
    """Return a record with its ``id`` as an int; None if it has none.

    Examples
    --------
    >>> with_id({"id": "7", "title": "t"}), with_id({"title": "t"})
    ({'id': 7, 'title': 't'}, None)
    """
    number = parse_id(data.get("id")) if isinstance(data, dict) else None
    if number is None or not isinstance(data, dict):
        return None
    return data if type(data["id"]) is int else {**data, "id": number}
