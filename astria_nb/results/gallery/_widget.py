"""The gallery widget: a grid of pictures that is filled as they arrive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import traitlets

from astria_nb.client import Client
from astria_nb.errors import AstriaError
from astria_nb.results.downloads import PictureArchive, PictureOriginal
from astria_nb.results.gallery._contents import GalleryContents, PromptCard, PromptPicture
from astria_nb.results.gallery._keeping import Keeping
from astria_nb.results.gallery._likes import Likes
from astria_nb.results.gallery._messages import LargeFailedMessage, LargeMessage, ThumbnailMessage
from astria_nb.results.gallery._saves import SaveMessage, Saves
from astria_nb.results.gallery._static_html import MAX_EMBEDDED, comparison_html, gallery_html
from astria_nb.results.gallery._thumbnails import ThumbnailLoader
from astria_nb.results.gallery._watch import Watch
from astria_nb.results.watch import PollResult
from astria_nb.utils import background
from astria_nb.utils.kernel import notebook_shell
from astria_nb.utils.saved_output import LIVE_CLASS, SavedOutput, saved_note
from astria_nb.utils.script import script
from astria_nb.utils.script_widget import ScriptWidget
from astria_nb.utils.stylesheet import stylesheet

POLL_SECONDS = 1.0  # between the first two polls
_PATIENCE = 10.0  # seconds without a picture; then a cell's output is stored without those that are missing


class Gallery(ScriptWidget):
    """A grid of pictures with the text of their prompts, which can be enlarged and liked.

    Pictures are sent as messages once they are in view, so they are not part of the notebook's widget state.
    Without a browser, `cards` and the repr show what there is.

    Parameters
    ----------
    client : Client
    limit : int, optional
        Maximum number of pictures. Default: all.
    by : {"template"}, optional
        Arrange the pictures in a table, a row for each template and a column for each tune.
    on_poll : callable, optional
        Called with each `PollResult`, on the polling thread.

    Attributes
    ----------
    on_change : callable or None
        Called before each change of what `saved_html` returns, on any thread.
    """

    _esm = script(Path(__file__).with_name("widget.js"))
    _css = stylesheet(Path(__file__).with_name("widget.css"))

    cards: traitlets.List[PromptCard] = traitlets.List().tag(sync=True)
    """The prompts that are done or failed, in the order in which they finished."""
    comparison = traitlets.Dict().tag(sync=True)
    """A `Comparison` if the pictures are arranged by template, else empty."""
    keep = traitlets.Dict().tag(sync=True)
    """A `KeepOffer`: whether the service can keep the tunes longer, and for how much."""
    summary = traitlets.Unicode().tag(sync=True)
    """The number of pictures, and what is missing, in words."""
    state = traitlets.Enum(("finished", "watching", "stopped", "failed"), "finished").tag(sync=True)
    """``watching`` while the service is polled, ``finished`` when no more pictures will arrive."""
    failure = traitlets.Unicode().tag(sync=True)
    """Why the last poll failed."""
    thumbnails: traitlets.Dict[str, bytes] = traitlets.Dict().tag(sync=True)
    """JPEG files of the first pictures by their ids, for a page that is opened without a kernel."""
    saved_number = traitlets.Int().tag(sync=True)
    """Number of the saved output that this widget hides while it is displayed."""

    def __init__(
        self,
        client: Client,
        *,
        limit: int | None = None,
        by: Literal["template"] | None = None,
        on_poll: Callable[[PollResult], None] | None = None,
    ) -> None:
        self.on_change: Callable[[], None] | None = None
        self._client, self._limit, self._by, self._on_poll = client, limit, by, on_poll
        self._lock = threading.RLock()
        self._contents = GalleryContents(limit)
        self._loader = ThumbnailLoader(client, self._send_thumbnail)
        self._frame: pd.DataFrame | None = None
        self._poll_seconds = POLL_SECONDS
        self._watch: Watch | None = None
        self._likes = Likes(
            self._lock,
            lambda key, liked: self._contents.set_liked(key, liked),
            lambda answer: self.send(answer),
        )
        self._saves = Saves(self._send_save)
        self._keeping = Keeping(lambda offer: self.set_trait("keep", dict(offer)))
        self._tried: set[str] = set()
        self._saved = SavedOutput("Gallery", lambda: self._saved_html(self.saved_html()))
        super().__init__(saved_number=self._saved.number)
        self.add_class(LIVE_CLASS)
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        return f"Gallery({self._contents.counts()})"

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None:
            return None
        data, metadata = bundle
        # For frontends without widgets; JupyterLab prefers the widget.
        return {**data, "text/html": self._repr_html_()}, metadata

    def _ipython_display_(self, **options: Any) -> None:
        bundle = None if self.comm is None else super()._repr_mimebundle_(**options)  # None: closed
        data, metadata = bundle or ({"text/plain": repr(self)}, {})
        self._saved.display(data, metadata, self._saved_html(self._repr_html_()))

    def _repr_html_(self) -> str:
        self.load_first()
        return self.saved_html()

    def saved_html(self) -> str:
        """Return the gallery as HTML, with the thumbnails that were loaded, for frontends without widgets."""
        with self._lock:
            cards, summary = self._contents.visible_cards(), self._contents.summary()
            comparison = self._contents.comparison() if self._by else None
            thumbnails = self.thumbnails
        if comparison is not None:
            return comparison_html(comparison, cards, thumbnails, summary)
        return gallery_html(cards, thumbnails, summary)

    def _saved_html(self, html: str) -> str:
        return str(saved_note("gallery")) + html

    def load_first(self, *, again: bool = True) -> None:
        """Load the thumbnails of the first pictures: they are saved with the notebook.

        Parameters
        ----------
        again : bool
            Whether to try those that could not be loaded before.
        """
        with self._lock:
            loader = self._loader
            pictures = self._contents.first_pictures(MAX_EMBEDDED, by_template=self._by is not None)
            wanted = [picture["id"] for picture in pictures]
            missing = set(wanted) - self.thumbnails.keys()
            if not (missing if again else missing - self._tried):
                return
            self._tried |= missing
        thumbnails = loader.load(pictures, _PATIENCE)
        with self._lock:
            if loader is self._loader:  # the same tunes are still shown
                self._announce_change()
                # Two loads may overlap, and the one that began first may end last.
                loaded = {**self.thumbnails, **thumbnails}
                self.thumbnails = {name: loaded[name] for name in wanted if name in loaded}

    def show(
        self,
        frame: pd.DataFrame,
        prompts: pd.DataFrame,
        *,
        client: Client | None = None,
        is_latest: bool = True,
    ) -> bool:
        """Show the prompts of tunes, in place of the previous ones.

        Parameters
        ----------
        frame : pandas.DataFrame
            Rows of `submit` or `wait`.
        prompts : pandas.DataFrame
            Rows of `astria_nb.prompts`.
        client : Client, optional
            The client of their account. Default: the previous one.
        is_latest : bool
            Whether this is the service's latest state. If not, the user can poll in any case.

        Returns
        -------
        bool
            Whether more pictures are expected.
        """
        self.stop()
        with self._lock:
            self._client = self._client if client is None else client
            self._frame, self._contents = frame, GalleryContents(self._limit)
            self._loader = ThumbnailLoader(self._client, self._send_thumbnail)
            self._contents.update_tunes(frame)
            self._contents.update_prompts(prompts)
            self.thumbnails, self._tried = {}, set()
            self._update_traits()
            is_pending = self._contents.pending > 0 or (prompts.empty and _is_in_progress(frame))
            self.failure, self.state = "", "finished" if is_latest and not is_pending else "stopped"
            return is_pending

    def watch(self, *, after: float = 0.0, poll: float = POLL_SECONDS) -> None:
        """Poll the tunes that are shown, on a thread, until all their pictures have arrived.

        Parameters
        ----------
        after : float
            Seconds until the first poll.
        poll : float
            Seconds between the first two polls; the interval grows from there.
        """
        with self._lock:
            assert self._frame is not None, "only what was shown can be watched"
            if self._watch is not None:
                self._watch.stop()
            watch = self._watch = Watch(
                *(self._frame, self._client, poll, self._lock), self._show_result, self._end_watch
            )
            self._poll_seconds = poll
            self.failure, self.state = "", "watching"
        watch.start(after)

    def stop(self) -> None:
        """Stop polling."""
        with self._lock:
            if self._watch is not None:
                self._watch.stop()
            if self.state == "watching":
                self.state = "stopped"

    def close(self) -> None:
        """Remove the widget, and end what it is doing."""
        if self.comm is not None:  # it is None when Python deletes a widget whose constructor failed
            self.stop()
            self._saves.cancel_all()
        super().close()

    def _show_result(self, result: PollResult) -> None:
        """Show what a poll returned. The watch holds the lock."""
        self._frame = result.frame
        self._contents.update_tunes(result.frame)
        if result.prompts is not None:
            self._contents.update_prompts(result.prompts)
        if result.fraction_done >= 1:
            self._contents.drop_pending()
        self._update_traits()
        # While the service does not answer, polling continues; the user sees why nothing arrives.
        self.failure = result.failure
        if self._on_poll is not None:
            self._on_poll(result)

    def _end_watch(self, state: str, failure: str) -> None:
        self._changed()
        self.state, self.failure = state, failure or self.failure

    def _update_traits(self) -> None:
        self._changed()
        self.cards, self.summary = self._contents.visible_cards(), self._contents.summary()
        if self._frame is not None:
            self._keeping.update(self._frame, self._client)
        if self._by:
            self.comparison = dict(self._contents.comparison())

    def _changed(self) -> None:
        """Update what is saved with the notebook."""
        if notebook_shell() is not None:
            background.start(lambda: self.load_first(again=False))
        self._announce_change()

    def _announce_change(self) -> None:
        # Within the lock and before the change, so that nobody sees a change before it is announced.
        self._saved.changed()
        if self.on_change is not None:
            self.on_change()

    def _on_message(self, _: Any, message: Any, buffers: Any) -> None:  # noqa: ARG002  as ipywidgets calls it
        match message:
            case {"kind": "thumbnails", "ids": [*ids]}:
                pictures = map(self._contents.find_picture, ids)
                self._loader.request([picture for picture in pictures if picture])
            case {"kind": "enlarge", "id": name}:
                if picture := self._contents.find_picture(name):
                    background.start_urgent_fetch(self._send_large, picture)
            case {"kind": "like", "id": key, "liked": bool(liked)}:
                if card := self._contents.find_card(key):
                    self._likes.start(card, liked, self._client)
            case {"kind": "save", "transfer": str(transfer), "id": name}:
                self._save(transfer, name)
            case {"kind": "received", "transfer": str(transfer), "offset": int(offset)}:
                self._saves.acknowledge(transfer, offset)
            case {"kind": "cancel_save", "transfer": str(transfer)}:
                self._saves.cancel(transfer)
            case {"kind": "keep", "keep": bool(keep)}:
                self._keeping.send(keep)
            case {"kind": "stop"}:
                self.stop()
            case {"kind": "resume"} if self.state != "watching" and self._frame is not None:
                self.watch(poll=self._poll_seconds)

    def _send_thumbnail(self, name: str, data: bytes | None) -> None:
        message: ThumbnailMessage = {"kind": "thumbnail", "id": name}
        self.send(message, buffers=[data] if data else [])

    def _send_large(self, picture: PromptPicture) -> None:
        try:
            data, media_type = self._loader.load_large(picture)
        except (AstriaError, OSError) as error:
            failure: LargeFailedMessage = {"kind": "large_failed", "id": picture["id"], "problem": str(error)}
            self.send(failure)
        else:
            message: LargeMessage = {"kind": "large", "id": picture["id"], "media_type": media_type}
            self.send(message, buffers=[data])

    def _save(self, transfer: str, name: object) -> None:
        with self._lock:
            frame, client, picture = self._frame, self._client, self._contents.find_picture(name)

        if picture is not None:
            prompt_id, _, index = picture["id"].partition(".")
            self._saves.start(transfer, lambda: PictureOriginal(int(prompt_id), int(index) + 1, client))
        elif frame is not None and name == "":
            self._saves.start(transfer, lambda: PictureArchive(frame, client))

    def _send_save(self, message: SaveMessage, data: bytes | None) -> None:
        self.send(message, buffers=[data] if data else [])


def _is_in_progress(frame: pd.DataFrame) -> bool:
    if "status" not in frame:
        return False
    is_unknown = frame["status"].isna() & frame["id"].notna()  # such as in a frame made of ids
    return bool((frame["status"].isin(["queued", "training"]) | is_unknown).any())
