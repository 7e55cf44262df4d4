"""The account's tunes as cards, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from astria_nb.client.client import Client
from astria_nb.form.pickers.picker import Card
from astria_nb.rows import tune_status

_SPANS = (
    (31_536_000, "year"),
    (2_592_000, "month"),
    (86_400, "day"),
    (3600, "hour"),
    (60, "minute"),
)


class TuneCards:
    """Asks the service for tunes.

    Parameters
    ----------
    client : Client
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pictures: dict[str, str] = {}

    def cards(self, after: str | None) -> Iterator[Card]:
        """Yield the tunes that are older than one; pages are fetched as they are needed."""
        for tune in self._client.tunes(before_id=None if after is None else int(after)):
            card = _card(tune, self._client.now())
            images = tune.get("orig_images")
            if isinstance(images, list) and images and isinstance(images[0], str):
                self._pictures[card["id"]] = images[0]
                card["picture"] = "some"
            yield card

    def look(self, card: Card) -> tuple[Card, bytes | None]:
        """Return the first image that a tune was trained from."""
        return card, self._client.picture(self._pictures[card["id"]])


def _card(tune: Mapping[str, Any], now: datetime) -> Card:
    said = [tune.get("name"), tune_status(tune, now)]
    when = [str(tune["id"]), age(tune.get("created_at"), now)]
    return {
        "id": str(tune["id"]),
        "title": str(tune.get("title") or f"Tune {tune['id']}"),
        "lines": [" · ".join(str(each) for each in line if each) for line in (said, when)],
        "picture": "none",
    }


def age(time: object, now: datetime) -> str | None:
    """Say how long ago a time of the API was.

    Parameters
    ----------
    time : str
        ISO 8601; one without a time zone is UTC.
    now : datetime
        The service's time.

    Examples
    --------
    >>> age("2026-01-01T12:00:00.000Z", datetime(2026, 1, 3, 13, tzinfo=UTC))
    '2 days ago'
    """
    try:
        then = datetime.fromisoformat(str(time))
    except ValueError:
        return None
    seconds = (now - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds()
    for span, name in _SPANS:
        if seconds >= span:
            count = int(seconds // span)
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return "just now"
