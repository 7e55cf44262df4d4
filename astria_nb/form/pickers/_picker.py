"""A searchable grid of cards with pictures, with single or multiple choice."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import traitlets

from astria_nb.errors import AstriaError, Problem
from astria_nb.form.pickers._cards import Card, CardReader, CardSource
from astria_nb.form.pickers._picker_messages import CardMessage
from astria_nb.images import small_thumbnail
from astria_nb.utils import background
from astria_nb.utils.script import script
from astria_nb.utils.script_widget import ScriptWidget
from astria_nb.utils.stylesheet import stylesheet

_MAX_THUMBNAILS = 200  # cached for pages that are opened later


class Picker(ScriptWidget):
    """A grid of cards to choose from, with a search box.

    The browser shows the traits and changes two of them: the choice, and whether the picker is open.
    Thumbnails are sent as messages once their cards are in view, so they are not saved with the notebook.

    Parameters
    ----------
    source : CardSource
    noun : str
        What a card stands for, such as ``pack``.
    multiple : bool
        Whether several can be chosen. A single choice closes the picker.
    empty : str
        Shown if there are no cards.
    unchosen : str
        Shown while nothing is chosen.
    """

    _esm = script(Path(__file__).with_name("picker.js"))
    _css = stylesheet(Path(__file__).with_name("picker.css"))

    noun = traitlets.Unicode().tag(sync=True)
    multiple = traitlets.Bool().tag(sync=True)
    empty = traitlets.Unicode().tag(sync=True)
    unchosen = traitlets.Unicode().tag(sync=True)
    is_open = traitlets.Bool(False).tag(sync=True)
    """Whether it is visible. The cards are loaded when it is opened for the first time."""
    chosen = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """The ids of the chosen cards, including cards that are not loaded yet."""
    items: traitlets.List[Card] = traitlets.List().tag(sync=True)
    """The cards that are loaded."""
    more = traitlets.Bool(False).tag(sync=True)
    """Whether the source has further cards."""
    state = traitlets.Enum(("idle", "loading", "ready", "failed"), "idle").tag(sync=True)
    failure = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Instance(Problem, allow_none=True)
    """Why the cards, or further ones, could not be loaded."""

    def __init__(
        self, source: CardSource, *, noun: str, multiple: bool = False, empty: str = "", unchosen: str = ""
    ) -> None:
        self._lock = threading.RLock()
        self._source = source
        self._reader = CardReader(iter(()))
        self._thumbnails: dict[str, bytes] = {}
        self._being_fetched: set[str] = set()
        super().__init__(noun=noun, multiple=multiple, empty=empty, unchosen=unchosen)
        self.on_msg(self._on_message)
        self.observe(lambda _: self._load_when_open(), "is_open")

    def __repr__(self) -> str:
        return f"Picker({self.noun!r}, {len(self.items)} cards, state={self.state!r})"

    def set_source(self, source: CardSource, *, empty: str = "") -> None:
        """Replace the cards; they are loaded as soon as the picker is open."""
        with self._lock:
            self._source, self._reader = source, CardReader(iter(()))
            self.items, self.more, self.empty, self.state = [], False, empty, "idle"
        self._load_when_open()

    def load(self) -> None:
        """Load the cards from the start; returns when the first page has been loaded or has failed."""
        with self._lock:
            self._reader = CardReader(self._source.cards(None))
            self.state = "loading"
            reader = self._reader
        self._read_page(reader)

    def load_more(self) -> None:
        """Load the next page, or retry it."""
        with self._lock:
            if self.state == "loading":
                return
            self.state = "loading"
            reader = self._reader
        self._read_page(reader)

    def _load_when_open(self) -> None:
        if self.is_open and self.state == "idle":
            background.start(self.load)

    def _read_page(self, reader: CardReader) -> None:
        problem = None
        try:
            reader.read_ahead()
        except AstriaError as error:
            problem = error.problems[0]
        except Exception as error:  # noqa: BLE001  nothing else would report it on this thread
            what = f"cannot be shown ({type(error).__name__}: {error})"
            problem = Problem(f"{self.noun}s", what, "please report it")
        with self._lock:
            if reader is not self._reader:
                return  # reloaded in the meantime
            reader.show_page()
            if problem:
                reader.restart(self._source)
            if reader.visible or not problem:  # a failed reload keeps the old cards
                self.items = list(reader.visible)
            self.more = bool(problem or reader.ahead)
            self.failure = f"{problem.what}; {problem.hint}" if problem else ""
            self.state = "failed" if problem else "ready"
        self.problem = problem  # not while locked: a form observes it

    def _on_message(self, _: Any, message: Any, buffers: Any) -> None:  # noqa: ARG002  ipywidgets' signature
        match message:
            case {"kind": "thumbnails", "ids": [*ids]}:
                self._send_details(ids)
            case {"kind": "load_more"}:
                background.start(self.load_more)
            case {"kind": "reload"}:
                background.start(self.load)

    def _send_details(self, ids: list[Any]) -> None:
        with self._lock:
            for card in self._loaded(ids):
                card_id = card["id"]
                if card_id in self._thumbnails:
                    self._send_card(card, self._thumbnails[card_id])
                elif card_id not in self._being_fetched:
                    self._being_fetched.add(card_id)
                    background.start_fetch(self._fetch_details, self._source, card)

    def _loaded(self, ids: list[Any]) -> list[Card]:
        return [card for card in self.items if card["id"] in ids]

    def _fetch_details(self, source: CardSource, card: Card) -> None:
        detailed, thumbnail = card, None
        try:
            detailed, picture = source.details(card)
            thumbnail = small_thumbnail(picture) if picture else None
        except (AstriaError, OSError):
            pass  # a card without its picture can still be chosen
        finally:
            self._store_details({**detailed, "picture": "some" if thumbnail else "none"}, thumbnail)

    def _store_details(self, detailed: Card, thumbnail: bytes | None) -> None:
        card_id = detailed["id"]
        with self._lock:
            self._being_fetched.discard(card_id)
            if thumbnail:
                self._thumbnails[card_id] = thumbnail
            while len(self._thumbnails) > _MAX_THUMBNAILS:
                del self._thumbnails[next(iter(self._thumbnails))]
            for card in self._loaded([card_id]):
                # In place: assigning the trait would send all cards, up to a thousand, for one.
                card.update(detailed)
                self._send_card(card, thumbnail)

    def _send_card(self, card: Card, thumbnail: bytes | None) -> None:
        message: CardMessage = {"kind": "card", "card": card}
        self.send(message, buffers=[thumbnail] if thumbnail else [])
