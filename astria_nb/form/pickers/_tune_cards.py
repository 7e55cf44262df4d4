"""The account's tunes as cards, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from astria_nb.client import Client
from astria_nb.errors import printable
from astria_nb.form.pickers._cards import Card

_UNITS = (
    (31_536_000, "year"),
    (2_592_000, "month"),
    (86_400, "day"),
    (3600, "hour"),
    (60, "minute"),
)


class TuneCards:
    """A `CardSource` of tunes.

    Parameters
    ----------
    client : Client
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._picture_urls: dict[str, str] = {}

    def cards(self, after: str | None) -> Iterator[Card]:
        """Yield the tunes older than one; pages are requested as they are needed."""
        for tune in self._client.tunes(before_id=None if after is None else int(after)):
            card = _card(tune, self._client.now())
            images = tune.get("orig_images")
            if isinstance(images, list) and images and isinstance(images[0], str):
                self._picture_urls[card["id"]] = images[0]
                card["picture"] = "some"
            yield card

    def details(self, card: Card) -> tuple[Card, bytes | None]:
        """Return the first image that the tune was trained on."""
        return card, self._client.picture(self._picture_urls[card["id"]])


def _card(tune: Mapping[str, Any], now: datetime) -> Card:
    from astria_nb.rows import tune_status  # imported here: needs pandas, which a form is shown without

    kind_and_status = [tune.get("name"), tune_status(tune, now)]
    id_and_age = [str(tune["id"]), age(tune.get("created_at"), now)]
    return {
        "id": str(tune["id"]),
        "title": printable(str(tune.get("title") or f"Tune {tune['id']}")),
        "lines": [
            printable(" · ".join(str(part) for part in line if part))
            for line in (kind_and_status, id_and_age)
        ],
        "picture": "none",
    }


def age(time: object, now: datetime) -> str | None:
    """Return how long ago a time was, such as ``2 days ago``; None if it is not a time.

    Parameters
    ----------
    time : str
        ISO 8601; UTC if it has no time zone.
    now : datetime
        With a time zone; the service's time.

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
    for length, unit in _UNITS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
