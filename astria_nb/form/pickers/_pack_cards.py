"""Packs as cards: those of the account, followed by those of the public gallery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from astria_nb.client import Client
from astria_nb.errors import AstriaError
from astria_nb.form.pickers._cards import Card
from astria_nb.tune import Pack

_MAX_CLASSES = 4  # on a card


class PackCards:
    """A `CardSource` of packs.

    Parameters
    ----------
    client : Client
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._packs: dict[str, Pack] = {}

    def cards(self, after: str | None) -> Iterator[Card]:  # noqa: ARG002  packs have no order to continue from
        """Yield the account's packs, then the gallery's."""
        for gallery in (False, True):
            for listed in self._client.packs(gallery=gallery):
                cached = self._packs.get(str(listed.id), listed)
                pack = listed if _has_details(listed) or not _has_details(cached) else cached
                self._packs[str(pack.id)] = pack
                yield _card(pack, "in the gallery" if gallery else "yours")

    def details(self, card: Card) -> tuple[Card, bytes | None]:
        """Return a pack's cover, and the details that lists omit (astria-api, section 3)."""
        pack = self._packs[card["id"]]
        if not _has_details(pack):
            with suppress(AstriaError):  # the card then shows the data of the list
                pack = self._packs[card["id"]] = self._client.pack(pack.id)
        cover = self._client.picture(pack.cover_url) if pack.cover_url else None
        return {**card, "lines": [card["lines"][0], *_class_lines(pack)]}, cover


def _has_details(pack: Pack) -> bool:
    return pack.cover_url is not None and all(offered.num_images is not None for offered in pack.classes)


def _card(pack: Pack, origin: str) -> Card:
    lines = [f"{pack.id} · {origin}", *_class_lines(pack)]
    return {"id": str(pack.id), "title": pack.title, "lines": lines, "picture": "some"}


def _class_lines(pack: Pack) -> list[str]:
    lines = [offered.summary for offered in pack.classes[:_MAX_CLASSES]]
    hidden = len(pack.classes) - len(lines)
    return [*lines, f"and {hidden} more"] if hidden else lines
