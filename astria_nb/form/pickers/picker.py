"""A searchable grid of cards with pictures, of which one or several are chosen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypedDict

import anywidget
import traitlets

from astria_nb.errors import AstriaError, Problem
from astria_nb.images.image import small_thumbnail
from astria_nb.utils import background
from astria_nb.utils.script import script
from astria_nb.utils.stylesheet import stylesheet

PAGE = 24  # cards that are shown at a time
_KEPT = 200  # pictures, should the page be opened again


class Card(TypedDict):
    """What the browser is told of one thing to choose."""

    id: str  # JavaScript would round a number above 2**53
    title: str
    lines: list[str]
    picture: Literal["some", "none"]  # whether it is worth asking for one


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


class Source(Protocol):
    """Where cards come from. Both methods are called off the kernel's main thread."""

    def cards(self, after: str | None) -> Iterator[Card]:
        """Yield the cards, asking for more as they are taken.

        Parameters
        ----------
        after : str, optional
            Those up to this id are known, and may be left out.
        """

    def look(self, card: Card) -> tuple[Card, bytes | None]:
        """Return a card that came into view with what only a closer look tells, and its picture."""


@dataclass
class _Reading:
    """One way through a source."""

    left: Iterator[Card]
    shown: list[Card] = field(default_factory=list)
    ahead: list[Card] = field(default_factory=list)

    def take(self, count: int) -> None:
        """Read so many cards ahead, each once; what was read before an error is kept."""
        known = {card["id"] for card in (*self.shown, *self.ahead)}
        while len(self.ahead) < count and (card := next(self.left, None)):
            if card["id"] not in known:
                known.add(card["id"])
                self.ahead.append(card)


class Picker(anywidget.AnyWidget):
    """A grid of cards to choose from, with a box to search them.

    The browser shows what the traits say and changes two of them: the choice, and whether it is open.
    Pictures come as messages, once their cards are in view: they are no part of the notebook's state.

    Parameters
    ----------
    source : Source
    noun : str
        What one card stands for, such as ``pack``.
    multiple : bool
        Whether several can be chosen. A single choice closes the picker.
    empty : str
        Said when there is no card at all.
    unchosen : str
        Said while nothing is chosen.
    """

    _esm = script(Path(__file__).with_name("picker.js"))
    _css = stylesheet(Path(__file__).with_name("picker.css"))

    noun = traitlets.Unicode().tag(sync=True)
    multiple = traitlets.Bool().tag(sync=True)
    empty = traitlets.Unicode().tag(sync=True)
    unchosen = traitlets.Unicode().tag(sync=True)
    is_open = traitlets.Bool(False).tag(sync=True)
    """Whether it is seen. Its list is asked for when it is opened first."""
    chosen = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """The ids of the cards that are chosen, and of those that are not loaded yet."""
    items: traitlets.List[Card] = traitlets.List().tag(sync=True)
    """The cards that are loaded."""
    more = traitlets.Bool(False).tag(sync=True)
    """Whether the source has further cards."""
    state = traitlets.Enum(("idle", "loading", "ready", "failed"), "idle").tag(sync=True)
    failure = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Instance(Problem, allow_none=True)
    """Why the cards, or further ones, could not be had."""

    def __init__(
        self, source: Source, *, noun: str, multiple: bool = False, empty: str = "", unchosen: str = ""
    ) -> None:
        self._lock = threading.RLock()
        self._source = source
        self._reading = _Reading(iter(()))
        self._pictures: dict[str, bytes] = {}
        self._looked_at: set[str] = set()
        super().__init__(noun=noun, multiple=multiple, empty=empty, unchosen=unchosen)
        self.on_msg(self._heard)
        self.observe(lambda _: self._opened(), "is_open")

    def __repr__(self) -> str:
        return f"Picker({self.noun!r}, {len(self.items)} cards, state={self.state!r})"

    def show(self, source: Source, *, empty: str = "") -> None:
        """Offer other cards; they are asked for when the picker is open, or will be."""
        with self._lock:
            self._source, self._reading = source, _Reading(iter(()))
            self.items, self.more, self.empty, self.state = [], False, empty, "idle"
        self._opened()

    def load(self) -> None:
        """Ask for the cards from the start; returns when the first ones are there."""
        with self._lock:
            self._reading = _Reading(self._source.cards(None))
            self.state = "loading"
            reading = self._reading
        self._read(reading)

    def load_more(self) -> None:
        """Ask for further cards, or again for those that could not be had."""
        with self._lock:
            if self.state == "loading":
                return
            self.state = "loading"
            reading = self._reading
        self._read(reading)

    def _opened(self) -> None:
        if self.is_open and self.state == "idle":
            background.start(self.load)

    def _read(self, reading: _Reading) -> None:
        problem = None
        try:
            # One more than is shown: so that nothing is promised that does not exist.
            reading.take(PAGE + 1)
        except AstriaError as error:
            problem = error.problems[0]
        except Exception as error:  # noqa: BLE001  on this thread nobody else would hear of it
            what = f"cannot be shown ({type(error).__name__}: {error})"
            problem = Problem(f"{self.noun}s", what, "please report it")
        with self._lock:
            if reading is not self._reading:
                return  # it was asked for anew meanwhile
            self._turn_page(reading, problem)
        self.problem = problem  # outside the lock: a form listens

    def _turn_page(self, reading: _Reading, problem: Problem | None) -> None:
        reading.shown.extend(reading.ahead[:PAGE])
        del reading.ahead[:PAGE]
        if problem:
            reading.left = self._source.cards(reading.shown[-1]["id"] if reading.shown else None)
        if reading.shown or not problem:  # else the old ones are better than none
            self.items = list(reading.shown)
        self.more = bool(problem or reading.ahead)
        self.failure = f"{problem.what}; {problem.hint}" if problem else ""
        self.state = "failed" if problem else "ready"

    def _heard(self, _: Any, message: Any, buffers: Any) -> None:  # noqa: ARG002  as ipywidgets calls it
        match message:
            case {"kind": "thumbnails", "ids": [*ids]}:
                self._look(ids)
            case {"kind": "load_more"}:
                background.start(self.load_more)
            case {"kind": "reload"}:
                background.start(self.load)

    def _look(self, ids: list[Any]) -> None:
        with self._lock:
            for card in self._those(ids):
                key = card["id"]
                if key in self._pictures:
                    self._tell(card, self._pictures[key])
                elif key not in self._looked_at:
                    self._looked_at.add(key)
                    background.start_fetch(self._fetch, self._source, card)

    def _those(self, ids: list[Any]) -> list[Card]:
        return [card for card in self.items if card["id"] in ids]

    def _fetch(self, source: Source, card: Card) -> None:
        found, data = card, None
        try:
            found, picture = source.look(card)
            data = small_thumbnail(picture) if picture else None
        except (AstriaError, OSError):
            pass  # a card without its picture is still one to choose
        finally:
            self._found({**found, "picture": "some" if data else "none"}, data)

    def _found(self, found: Card, picture: bytes | None) -> None:
        key = found["id"]
        with self._lock:
            self._looked_at.discard(key)
            if picture:
                self._pictures[key] = picture
            while len(self._pictures) > _KEPT:
                del self._pictures[next(iter(self._pictures))]
            for card in self._those([key]):
                # In place: the list sent whole would carry a thousand cards for the sake of one.
                card.update(found)
                self._tell(card, picture)

    def _tell(self, card: Card, picture: bytes | None) -> None:
        message: CardMessage = {"kind": "card", "card": card}
        self.send(message, buffers=[picture] if picture else [])
