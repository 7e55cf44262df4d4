"""The prompts of tunes in the gallery: a card for each finished one, and counts of the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict
from urllib.parse import quote

import pandas as pd

from astria_nb.errors import printable_lines
from astria_nb.results.gallery._comparison import Comparison, compare

_LOST_STATES = ("failed", "expired", "deleted")
_MAX_ERROR = 200  # characters of an error in the summary; its card has all of them


class PromptPicture(TypedDict):
    """One picture of a prompt."""

    id: str
    url: str  # empty unless it is a web address: anything else could run code in the notebook


class PromptCard(TypedDict):
    """One prompt, as it is sent to the browser."""

    id: str  # JavaScript would round a number above 2**53
    text: str
    error: str
    liked: bool
    pictures: list[PromptPicture]


class GalleryContents:
    """The prompts of some tunes, in the order in which they finished, so that no card moves.

    Parameters
    ----------
    limit : int, optional
        Maximum number of pictures to show. Default: all.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._cards: dict[int, PromptCard] = {}
        self._prompts: dict[int, Mapping[Any, Any]] = {}
        self._frame = pd.DataFrame({"id": []})
        self._pending: dict[int, int] = {}  # number of pictures by prompt
        self._likes: dict[int, bool] = {}  # set by the user: a poll may have begun earlier
        self._lost_tunes: dict[str, int] = {}
        self._lost_ids: set[int] = set()

    @property
    def pending(self) -> int:
        """Number of prompts that are neither done nor failed."""
        return len(self._awaited())

    @property
    def total(self) -> int:
        """Number of pictures."""
        return sum(len(card["pictures"]) for card in self._cards.values())

    def update_prompts(self, prompts: pd.DataFrame) -> None:
        """Add or update prompts; those that are missing from the frame are kept.

        Parameters
        ----------
        prompts : pandas.DataFrame
            Rows of `astria_nb.prompts`.
        """
        for prompt in prompts.to_dict("records"):
            key = int(prompt["id"])
            self._prompts[key] = prompt
            if prompt["status"] != "pending":
                self._pending.pop(key, None)
                self._cards[key] = _card(prompt, self._likes.get(key))
            elif key not in self._cards:
                count = prompt.get("num_images")
                self._pending[key] = 1 if count is None or pd.isna(count) else max(1, int(count))

    def update_tunes(self, frame: pd.DataFrame) -> None:
        """Update the states of the tunes.

        Parameters
        ----------
        frame : pandas.DataFrame
            Rows of `submit` or `wait`.
        """
        self._frame = frame
        states = frame["status"] if "status" in frame else pd.Series(dtype=str)
        self._lost_tunes = {state: int((states == state).sum()) for state in _LOST_STATES}
        is_lost = states.isin(_LOST_STATES)
        self._lost_ids = set(map(int, frame["id"][is_lost].dropna())) if is_lost.any() else set()

    def drop_pending(self) -> None:
        """Forget pending prompts that never finish, such as those of a tune that failed."""
        self._pending.clear()

    def set_liked(self, key: int, liked: bool) -> None:
        """Record whether the user likes a prompt."""
        self._likes[key] = liked
        if key in self._cards:
            self._cards[key]["liked"] = liked

    def visible_cards(self) -> list[PromptCard]:
        """Return the cards, with as many pictures as the limit allows."""
        return list(self._visible())

    def comparison(self) -> Comparison:
        """Return the pictures by template and tune."""
        return compare(self._frame, self._prompts.values())

    def first_pictures(self, count: int, *, by_template: bool) -> list[PromptPicture]:
        """Return the first pictures of the gallery or the comparison."""
        pictures = [picture for card in self._visible() for picture in card["pictures"]]
        if by_template:
            by_id = {picture["id"]: picture for picture in pictures}
            cells = (cell["id"] for row in self.comparison()["rows"] for cell in row["cells"])
            pictures = [by_id[name] for name in cells if name in by_id]
        return pictures[:count]

    def find_picture(self, name: object) -> PromptPicture | None:
        """Return the picture with an id (``"<prompt id>.<number>"``), or None if there is no such picture."""
        key, _, index = str(name).partition(".")
        if not (key.isdecimal() and index.isdecimal()):
            return None
        card = self._cards.get(int(key))
        pictures = card["pictures"] if card is not None else []
        return pictures[int(index)] if int(index) < len(pictures) else None

    def find_card(self, key: object) -> PromptCard | None:
        """Return the card with an id, or None if there is no such card."""
        return self._cards.get(int(str(key))) if str(key).isdecimal() else None

    def counts(self) -> str:
        """Return the numbers of pictures and prompts, for a repr."""
        visible = sum(len(card["pictures"]) for card in self._visible())
        part = "" if visible == self.total else f"{visible} of "
        return f"{part}{self.total} pictures, {self.pending} prompts pending, {len(self._errors())} failed"

    def summary(self) -> str:
        """Return a line for the user: numbers of pictures and prompts, the first error, and lost tunes."""
        visible, errors = sum(len(card["pictures"]) for card in self._visible()), self._errors()
        expected = self.total + sum(self._awaited().values())
        if not expected and not errors:
            parts = ["No pictures" if any(self._lost_tunes.values()) else "No pictures yet"]
        else:
            part = f"{visible} of " if visible < expected else ""
            parts = [f"{part}{_count(expected, 'picture')}"]
        if self.pending:
            parts.append(f"{_count(self.pending, 'prompt')} pending")
        if errors:
            error = next(filter(None, errors), "")
            error = error if len(error) <= _MAX_ERROR else f"{error[:_MAX_ERROR]}…"
            parts.append(f"{len(errors)} failed{error and ': '}{error}")
        parts += [f"{_count(count, 'tune')} {state}" for state, count in self._lost_tunes.items() if count]
        return " · ".join(parts)

    def _awaited(self) -> dict[int, int]:
        """Return the number of pictures by pending prompt; a lost tune has no pending pictures."""
        return {
            key: count
            for key, count in self._pending.items()
            if self._prompts[key].get("tune_id") not in self._lost_ids
        }

    def _errors(self) -> list[str]:
        return [card["error"] for card in self._cards.values() if not card["pictures"]]

    def _visible(self) -> Iterator[PromptCard]:
        remaining = self.total if self._limit is None else self._limit
        for card in self._cards.values():
            pictures = card["pictures"][:remaining]
            remaining -= len(pictures)
            if pictures or not card["pictures"]:
                yield card if len(pictures) == len(card["pictures"]) else {**card, "pictures": pictures}


def _card(prompt: Mapping[Any, Any], liked: bool | None) -> PromptCard:
    key, pictures = int(prompt["id"]), []
    if prompt["status"] == "done":
        for index, url in enumerate(prompt["images"]):
            pictures.append(PromptPicture(id=f"{key}.{index}", url=_web_address(str(url))))
    if liked is None:
        liked_at_service = prompt.get("liked")
        liked = False if liked_at_service is None or pd.isna(liked_at_service) else bool(liked_at_service)
    return PromptCard(
        id=str(key),
        text=_text(prompt.get("text")),
        error=_text(prompt.get("user_error")) or ("" if pictures else "no picture was created"),
        liked=liked,
        pictures=pictures,
    )


def _web_address(url: str) -> str:
    if not url.lower().startswith(("https://", "http://")):
        return ""
    # As a browser would request and display it: nothing in it can reorder or end a line.
    return "".join(
        character if character.isprintable() else quote(character, errors="replace") for character in url
    )


def _text(value: object) -> str:
    return printable_lines(value) if isinstance(value, str) else ""


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
