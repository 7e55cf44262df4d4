"""Cards to choose from, their sources, and reading them page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypedDict

PAGE = 24
"""Cards that are shown at a time."""


class Card(TypedDict):
    """One choice as the browser shows it."""

    id: str  # JavaScript would round a number above 2**53
    title: str
    lines: list[str]
    picture: Literal["some", "none"]  # whether it is worth requesting


class CardSource(Protocol):
    """A source of cards. Both methods are called off the kernel's main thread."""

    def cards(self, after: str | None) -> Iterator[Card]:
        """Yield the cards; only as many as are consumed are requested from the service.

        Parameters
        ----------
        after : str, optional
            Cards up to and including this id were read before and may be skipped.
        """

    def details(self, card: Card) -> tuple[Card, bytes | None]:
        """Return a card that came into view with its details, and its picture.

        Raises
        ------
        AstriaError
            The picture cannot be fetched.
        """


@dataclass
class CardReader:
    """One pass through a source: the cards that are shown, and those read ahead.

    Parameters
    ----------
    remaining : iterator of Card
    """

    remaining: Iterator[Card]
    visible: list[Card] = field(default_factory=list)
    ahead: list[Card] = field(default_factory=list)

    def read_ahead(self) -> None:
        """Read the next page, and one card more to know whether there are further pages.

        Duplicates are skipped. Cards that were read before an error are kept.
        """
        ids = {card["id"] for card in (*self.visible, *self.ahead)}
        while len(self.ahead) <= PAGE and (card := next(self.remaining, None)):
            if card["id"] not in ids:
                ids.add(card["id"])
                self.ahead.append(card)

    def show_page(self) -> None:
        """Move a page of the cards that were read ahead to those that are shown."""
        self.visible.extend(self.ahead[:PAGE])
        del self.ahead[:PAGE]

    def restart(self, source: CardSource) -> None:
        """Continue after an error, after the last card that is shown."""
        self.remaining = source.cards(self.visible[-1]["id"] if self.visible else None)
