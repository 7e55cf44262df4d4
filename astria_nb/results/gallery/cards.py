"""What is known of the prompts of tunes: a card for each that has pictures or failed, and what is to come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

import pandas as pd

_LONGEST = 200  # characters of an error in the summary; its card has all of them


class Picture(TypedDict):
    """One picture of a prompt."""

    id: str
    url: str  # empty where it is no web address: what else it could be would run in the notebook


class Card(TypedDict):
    """What the browser is told of one prompt."""

    id: str  # JavaScript would round a number above 2**53
    text: str
    error: str
    liked: bool
    pictures: list[Picture]


class Album:
    """The prompts of some tunes, in the order in which they were done, so that nothing moves that is seen.

    Parameters
    ----------
    limit : int, optional
        Pictures to show at most.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._cards: dict[int, Card] = {}
        self._pending: dict[int, int] = {}  # the pictures that each is asked for
        self._likes: dict[int, bool] = {}  # the reader's own: a list may have left before one arrived
        self._lost: dict[str, int] = {}

    @property
    def pending(self) -> int:
        """How many prompts are neither done nor failed."""
        return len(self._pending)

    @property
    def total(self) -> int:
        """How many pictures there are."""
        return sum(len(card["pictures"]) for card in self._cards.values())

    def take(self, found: pd.DataFrame) -> None:
        """Take prompts in their latest state; those that were seen before stay."""
        for prompt in found.to_dict("records"):
            key = int(prompt["id"])
            if prompt["status"] != "pending":
                self._pending.pop(key, None)
                self._cards[key] = _card(prompt, self._likes.get(key))
            elif key not in self._cards:
                count = prompt.get("num_images")
                self._pending[key] = 1 if count is None or pd.isna(count) else max(1, int(count))

    def take_tunes(self, frame: pd.DataFrame) -> None:
        """Take the latest state of the tunes."""
        states = frame["status"] if "status" in frame else pd.Series(dtype=str)
        self._lost = {state: int((states == state).sum()) for state in ("failed", "expired", "deleted")}

    def end(self) -> None:
        """Await nothing more: what is pending by then never ends, as with a tune that failed."""
        self._pending.clear()

    def like(self, key: int, liked: bool) -> None:
        """Note that the reader likes a prompt, or does no more."""
        self._likes[key] = liked
        if key in self._cards:
            self._cards[key]["liked"] = liked

    def cards(self) -> list[Card]:
        """Return the prompts that have come to an end, with as many pictures as may be shown."""
        return list(self._shown())

    def picture(self, name: object) -> Picture | None:
        """Return the picture of an id."""
        key, _, at = str(name).partition(".")
        if not (key.isdecimal() and at.isdecimal()):
            return None
        pictures = self._cards[int(key)]["pictures"] if int(key) in self._cards else []
        return pictures[int(at)] if int(at) < len(pictures) else None

    def card(self, key: object) -> Card | None:
        """Return the prompt of an id."""
        return self._cards.get(int(str(key))) if str(key).isdecimal() else None

    def counts(self) -> str:
        """Return how many there are, in the words of a repr."""
        shown = sum(len(card["pictures"]) for card in self._shown())
        of = "" if shown == self.total else f"{shown} of "
        return f"{of}{self.total} pictures, {self.pending} prompts pending, {len(self._errors())} failed"

    def summary(self) -> str:
        """Return the same for a reader, with what went wrong."""
        shown, errors = sum(len(card["pictures"]) for card in self._shown()), self._errors()
        all_of_them = self.total + sum(self._pending.values())
        if not all_of_them and not errors:
            parts = ["No pictures" if any(self._lost.values()) else "No pictures yet"]
        else:
            of = f"{shown} of " if shown < all_of_them else ""
            parts = [f"{of}{_many(all_of_them, 'picture')}"]
        if self._pending:
            parts.append(f"{_many(self.pending, 'prompt')} pending")
        if errors:
            said = next((each for each in errors if each), "")
            said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
            parts.append(f"{len(errors)} failed{said and ': '}{said}")
        parts += [f"{_many(count, 'tune')} {state}" for state, count in self._lost.items() if count]
        return " · ".join(parts)

    def _errors(self) -> list[str]:
        return [card["error"] for card in self._cards.values() if not card["pictures"]]

    def _shown(self) -> Iterator[Card]:
        left = self.total if self._limit is None else self._limit
        for card in self._cards.values():
            pictures = card["pictures"][:left]
            left -= len(pictures)
            if pictures or not card["pictures"]:
                yield card if len(pictures) == len(card["pictures"]) else {**card, "pictures": pictures}


def _card(prompt: Mapping[Any, Any], liked: bool | None) -> Card:
    key, pictures = int(prompt["id"]), []
    if prompt["status"] == "done":
        pictures = [Picture(id=f"{key}.{at}", url=_safe(str(url))) for at, url in enumerate(prompt["images"])]
    told = prompt.get("liked")
    if liked is None:
        liked = False if told is None or pd.isna(told) else bool(told)
    return Card(
        id=str(key),
        text=_text(prompt.get("text")),
        error=_text(prompt.get("user_error")) or ("" if pictures else "no picture was made"),
        liked=liked,
        pictures=pictures,
    )


def _safe(url: str) -> str:
    return url if url.lower().startswith(("https://", "http://")) else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
