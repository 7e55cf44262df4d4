"""The custom messages between the browser and `Picker`."""

from __future__ import annotations

from typing import Literal, TypedDict

from astria_nb.form.pickers._cards import Card


class Thumbnails(TypedDict):
    """Browser to kernel: these cards came into view. Each is answered by a `CardMessage`."""

    kind: Literal["thumbnails"]
    ids: list[str]


class LoadMore(TypedDict):
    """Browser to kernel: load the next cards, or retry after a failure."""

    kind: Literal["load_more"]


class Reload(TypedDict):
    """Browser to kernel: load the cards again from the start."""

    kind: Literal["reload"]


class CardMessage(TypedDict):
    """Kernel to browser: a card with its details, and the thumbnail as a JPEG in the buffer if it has one."""

    kind: Literal["card"]
    card: Card
