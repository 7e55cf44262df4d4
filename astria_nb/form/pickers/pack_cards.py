"""Packs as cards: your own, and behind them those of the public gallery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from astria_nb.client.client import Client
from astria_nb.errors import AstriaError
from astria_nb.form.pickers.picker import Card
from astria_nb.tune.pack import Pack

_MOST_CLASSES = 4  # that a card names


class PackCards:
    """Asks the service for packs.

    Parameters
    ----------
    client : Client
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._packs: dict[str, Pack] = {}

    def cards(self, after: str | None) -> Iterator[Card]:  # noqa: ARG002  packs come in no order to go on from
        """Yield your own packs, then the gallery's."""
        for gallery in (False, True):
            for listed in self._client.packs(gallery=gallery):
                known = self._packs.get(str(listed.id), listed)
                pack = listed if _is_whole(listed) or not _is_whole(known) else known
                self._packs[str(pack.id)] = pack
                yield _card(pack, "in the gallery" if gallery else "yours")

    def look(self, card: Card) -> tuple[Card, bytes | None]:
        """Return a pack's cover, and what only its own page tells (astria-api, section 3)."""
        pack = self._packs[card["id"]]
        if not _is_whole(pack):
            with suppress(AstriaError):  # then with what the list told
                pack = self._packs[card["id"]] = self._client.pack(pack.id)
        cover = self._client.picture(pack.cover_url) if pack.cover_url else None
        return {**card, "lines": [card["lines"][0], *_classes(pack)]}, cover


def _is_whole(pack: Pack) -> bool:
    return pack.cover_url is not None and all(each.num_images is not None for each in pack.classes)


def _card(pack: Pack, whose: str) -> Card:
    lines = [f"{pack.id} · {whose}", *_classes(pack)]
    return {"id": str(pack.id), "title": pack.title, "lines": lines, "picture": "some"}


def _classes(pack: Pack) -> list[str]:
    named = [each.summary for each in pack.classes[:_MOST_CLASSES]]
    others = len(pack.classes) - len(named)
    return [*named, f"and {others} more"] if others else named
