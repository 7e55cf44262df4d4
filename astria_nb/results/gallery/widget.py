"""The pictures of tunes, in a grid that fills as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import pandas as pd
import traitlets

from astria_nb.client.client import Client
from astria_nb.errors import AstriaError
from astria_nb.results.gallery.cards import Album, Card, Picture
from astria_nb.results.gallery.messages import (
    LargeFailedMessage,
    LargeMessage,
    LikedMessage,
    ThumbnailMessage,
)
from astria_nb.results.gallery.static_html import EMBEDDED, gallery_html
from astria_nb.results.gallery.thumbnails import Copies
from astria_nb.results.watch.poll_result import PollResult
from astria_nb.results.watch.polling import poll_until_finished
from astria_nb.utils import background
from astria_nb.utils.script import script
from astria_nb.utils.stylesheet import stylesheet

POLL = 1.0  # seconds between the first two looks
_PATIENCE = 5.0  # seconds without a picture, after which a cell waits for no more to keep in its file


class Gallery(anywidget.AnyWidget):
    """The pictures of tunes, with the text of their prompts; one is enlarged at a click, and can be liked.

    The browser shows what the traits say. Pictures come as messages, once they are in view: they are no part
    of the notebook's state. Without a browser, `cards` and the repr tell what there is.

    Parameters
    ----------
    client : Client
    limit : int, optional
        Pictures to show at most.
    looked : callable, optional
        Called with each `PollResult`, on the thread that polls.
    """

    _esm = script(Path(__file__).with_name("widget.js"))
    _css = stylesheet(Path(__file__).with_name("widget.css"))

    cards: traitlets.List[Card] = traitlets.List().tag(sync=True)
    """The prompts that are done or failed, in the order in which that happened."""
    summary = traitlets.Unicode().tag(sync=True)
    state = traitlets.Enum(("over", "watching", "stopped", "failed"), "over").tag(sync=True)
    """``over`` when there is nothing more to come."""
    failure = traitlets.Unicode().tag(sync=True)
    """Why the last look failed."""

    def __init__(
        self, client: Client, *, limit: int | None = None, looked: Callable[[PollResult], None] | None = None
    ) -> None:
        self._client, self._limit, self._looked = client, limit, looked
        self._lock = threading.RLock()
        self._album = Album(limit)
        self._copies = Copies(client, self._send_copy)
        self._frame: pd.DataFrame | None = None
        self._poll = POLL
        self._stop = threading.Event()
        self._liking: set[int] = set()
        super().__init__()
        self.on_msg(self._heard)

    def __repr__(self) -> str:
        return f"Gallery({self._album.counts()})"

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None:
            return None
        data, metadata = bundle
        # Shown wherever no widget runs; JupyterLab prefers the widget.
        return {**data, "text/html": self._repr_html_()}, metadata

    def _repr_html_(self) -> str:
        with self._lock:
            cards, counts = self._album.cards(), self._album.counts()
        first = [picture for card in cards for picture in card["pictures"]][:EMBEDDED]
        return gallery_html(cards, self._copies.some(first, _PATIENCE), counts)

    def show(
        self,
        frame: pd.DataFrame,
        found: pd.DataFrame,
        *,
        client: Client | None = None,
        is_latest: bool = True,
    ) -> bool:
        """Show prompts instead of those before, and return whether there are pictures to come.

        Parameters
        ----------
        frame, found : pandas.DataFrame
            The tunes and their prompts.
        client : Client, optional
            Whose they are. Default: as before.
        is_latest : bool
            Whether this is what the service says. Else the reader is offered another look in any case.
        """
        self.stop()
        with self._lock:
            self._client = self._client if client is None else client
            self._frame, self._album = frame, Album(self._limit)
            self._copies = Copies(self._client, self._send_copy)
            self._album.take_tunes(frame)
            self._album.take(found)
            self._redraw()
            more = self._album.pending > 0 or (found.empty and _is_underway(frame))
            self.failure, self.state = "", "over" if is_latest and not more else "stopped"
            return more

    def watch(self, *, after: float = 0.0, poll: float = POLL) -> None:
        """Follow the tunes that are shown until all their pictures are there, on a thread of its own.

        Parameters
        ----------
        after : float
            Seconds until the first result.
        poll : float
            Seconds between the first two; the interval grows from there.
        """
        with self._lock:
            self._stop.set()
            stop = self._stop = threading.Event()
            frame, self._poll = self._frame, poll
            self.failure, self.state = "", "watching"
        background.start_until_exit(self._follow, frame, stop, after, stop=stop)

    def stop(self) -> None:
        """Look no more."""
        with self._lock:
            self._stop.set()
            if self.state == "watching":
                self.state = "stopped"

    def _follow(self, frame: pd.DataFrame, stop: threading.Event, after: float) -> None:
        def rest(seconds: float) -> None:
            if stop.wait(seconds):
                raise _Stopped

        try:
            rest(after)
            for result in poll_until_finished(frame, self._client, "prompts", poll=self._poll, sleep=rest):
                self._take(result, stop)
            self._end(stop, "over")
        except _Stopped:
            pass
        except AstriaError as error:
            self._end(stop, "failed", str(error))
        except Exception as error:
            self._end(stop, "failed", f"{type(error).__name__}: {error}; please report it")
            raise

    def _take(self, result: PollResult, stop: threading.Event) -> None:
        with self._lock:
            if stop.is_set():
                raise _Stopped
            self._frame = result.frame
            self._album.take_tunes(result.frame)
            if result.prompts is not None:
                self._album.take(result.prompts)
            if result.fraction_done >= 1:
                self._album.end()
            self._redraw()
            # A service that does not answer for a while is asked again; the reader sees why nothing comes.
            self.failure = result.failure
            # Within the lock: after `stop`, nobody is told of what is not watched any more.
            if self._looked is not None:
                self._looked(result)

    def _end(self, stop: threading.Event, state: str, failure: str = "") -> None:
        with self._lock:
            if not stop.is_set():
                self.state, self.failure = state, failure or self.failure

    def _redraw(self) -> None:
        self.cards, self.summary = self._album.cards(), self._album.summary()

    def _heard(self, _: Any, message: Any, buffers: Any) -> None:  # noqa: ARG002  as ipywidgets calls it
        match message:
            case {"kind": "thumbnails", "ids": [*ids]}:
                self._copies.ask([each for each in map(self._album.picture, ids) if each])
            case {"kind": "enlarge", "id": name}:
                if picture := self._album.picture(name):
                    background.start_urgent_fetch(self._send_large, picture)
            case {"kind": "like", "id": key, "liked": bool(liked)}:
                self._like(self._album.card(key), liked)
            case {"kind": "stop"}:
                self.stop()
            case {"kind": "resume"} if self.state != "watching" and self._frame is not None:
                self.watch(poll=self._poll)

    def _send_copy(self, name: str, copy: bytes | None) -> None:
        message: ThumbnailMessage = {"kind": "thumbnail", "id": name}
        self.send(message, buffers=[copy] if copy else [])

    def _send_large(self, picture: Picture) -> None:
        try:
            data, media_type = self._copies.large(picture)
        except (AstriaError, OSError) as error:
            failure: LargeFailedMessage = {"kind": "large_failed", "id": picture["id"], "problem": str(error)}
            self.send(failure)
        else:
            message: LargeMessage = {"kind": "large", "id": picture["id"], "media_type": media_type}
            self.send(message, buffers=[data])

    def _like(self, card: Card | None, liked: bool) -> None:
        if card is None:
            return
        key = int(card["id"])
        with self._lock:
            if key in self._liking:
                return  # the browser waits for the answer as well
            self._liking.add(key)
        background.start(self._send_like, key, card["liked"], liked)

    def _send_like(self, key: int, was: bool, liked: bool) -> None:
        problem = "was not sent; please report it"
        try:
            self._client.like(key, liked)
            problem = ""
        except AstriaError as error:
            problem = str(error)
        finally:
            with self._lock:
                self._liking.discard(key)
                if not problem:
                    self._album.like(key, liked)
            now = was if problem else liked
            message: LikedMessage = {"kind": "liked", "id": str(key), "liked": now, "problem": problem}
            self.send(message)


class _Stopped(Exception):  # noqa: N818  not at fault: nobody looks any more
    """Ends what follows."""


def _is_underway(frame: pd.DataFrame) -> bool:
    return "status" in frame and bool(frame["status"].isin(["queued", "training"]).any())
