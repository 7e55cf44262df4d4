"""The pack to run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from typing import Any

import ipywidgets as widgets
import traitlets
from markupsafe import Markup

from astria_nb.client import Client
from astria_nb.errors import AstriaError, NotFoundError, Problem, TuneError
from astria_nb.form.fields import LABEL, WIDE, Field, controls, number_or_text
from astria_nb.form.pickers._browse_button import BrowseButton
from astria_nb.form.pickers._pack_cards import PackCards
from astria_nb.form.pickers._picker import Picker
from astria_nb.images import thumbnail
from astria_nb.tune import Pack
from astria_nb.utils import background

_COVER_SIDE = 96  # pixels


class PackField(Field):
    """A pack, typed as an id or slug, or chosen by its cover from the account's and the gallery's packs.

    Parameters
    ----------
    client : Client
        Used off the kernel's main thread.
    """

    pack = traitlets.Instance(Pack, allow_none=True)
    """The chosen pack with its details; None until the service has answered."""
    problem = traitlets.Instance(Problem, allow_none=True)
    """Why the pack, or the list of packs, could not be loaded."""

    _classes = "astria-labelled astria-pack"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lookups: set[Future[Any]] = set()
        self._is_updating = self._can_retry = False
        self._fetched_at = -math.inf
        self._text = controls.Text(
            description="Pack", placeholder="id or slug", continuous_update=False, style=LABEL
        )
        self._cover = widgets.Image(layout={"display": "none"}, _dom_classes=["astria-cover"])
        self._title = controls.HTML()
        self._chosen_pack = controls.HBox(
            [self._cover, self._title], layout=widgets.Layout(display="none"), classes="astria-chosen-pack"
        )
        self._retry = controls.Button(
            description="Retry", layout=widgets.Layout(display="none", width="auto")
        )
        self.gallery = Picker(PackCards(client), noun="pack", empty="There are no packs yet.")
        line = [self._text, BrowseButton(self.gallery), self._retry, self._chosen_pack]
        super().__init__(controls.HBox(line, layout=WIDE), below=[self.gallery])
        self._text.observe(lambda change: self._enter(change["new"]), "value")
        self.gallery.observe(self._on_chosen, "chosen")
        self.gallery.observe(self._on_gallery_problem, "problem")
        self.observe(self._on_value, "value")
        self.gallery.observe(lambda _: self._update(), "is_open")
        self.observe(lambda _: self._update(), ["pack", "problem"])
        self._retry.on_click(lambda _: self.reload())

    def reload(self) -> None:
        """Load the list of packs, and the chosen pack, again."""
        self._start(self.gallery.load)
        if self.value is not None:
            self._start(self._fetch, self.value)

    def recent(self, max_age: float) -> Pack | None:
        """Return the pack if it was fetched at most `seconds` ago, else None."""
        with self.lock:
            return self.pack if time.monotonic() - self._fetched_at <= max_age else None

    def renew(self, pack: Pack, fetched_at: float) -> None:
        """Show the chosen pack that a submission has fetched at a time of ``time.monotonic``."""
        with self.lock:
            if self.value in (pack.id, pack.slug) and fetched_at > self._fetched_at:
                self._fetched_at = fetched_at
                self.problem, self.pack = None, pack

    def settle(self, seconds: float) -> None:
        """Wait for the pending look-ups, up to a time limit."""
        wait(set(self._lookups), timeout=seconds)

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        future = background.start(self._run, work, *args)
        self._lookups.add(future)
        future.add_done_callback(self._lookups.discard)

    def _run(self, work: Callable[..., None], *args: Any) -> None:
        """Run a look-up and show its error."""
        try:
            work(*args)
        except AstriaError as error:
            problem = error.problems[0]
            can_retry = not isinstance(error, NotFoundError | TuneError)  # such an error would occur again
        except Exception as error:  # noqa: BLE001  nothing else would report it on this thread
            what = f"cannot be shown ({type(error).__name__}: {error})"
            problem, can_retry = Problem("pack", what, "please report it"), False
        else:
            return
        with self.lock:
            self._can_retry = can_retry
            self.problem = problem

    def _fetch(self, value: int | str) -> None:
        started = time.monotonic()
        pack = self._client.pack(value)
        with self.lock:
            if value != self.value:
                return  # another pack was chosen in the meantime
            self._fetched_at = started
            self.problem, self.pack = None, pack
        cover = self._fetch_cover(pack)
        with self.lock:
            if cover is not None and value == self.value:
                self._cover.value, self._cover.layout.display = cover, None

    def _fetch_cover(self, pack: Pack) -> bytes | None:
        if pack.cover_url is None:
            return None
        try:
            return thumbnail(self._client.picture(pack.cover_url), _COVER_SIDE)
        except (AstriaError, OSError):
            return None  # a pack can be used without its cover

    def _on_gallery_problem(self, change: Mapping[str, Any]) -> None:
        with self.lock:
            if change["new"] is None and self.problem is change["old"]:
                self.problem = None
            elif change["new"] is not None and self.pack is None:
                self._can_retry = True
                self.problem = change["new"]

    def _on_chosen(self, change: Mapping[str, Any]) -> None:
        for pack_id in change["new"]:
            self._enter(pack_id)

    def _enter(self, text: str) -> None:
        with self.lock:  # an update on another thread must not swallow a click
            if not self._is_updating:
                self.value = _pack_id(text)

    def _on_value(self, change: Mapping[str, Any]) -> None:
        with self.lock:
            self.pack = self.problem = None
            self._cover.layout.display = "none"
            self._update()
        if change["new"] is not None:
            self._start(self._fetch, change["new"])

    def _update(self) -> None:
        """Make the controls show the field's value, without treating that as a choice."""
        with self.lock:
            self._is_updating = True
            try:
                self._text.value = "" if self.value is None else str(self.value)
                chosen = self.value if self.pack is None else self.pack.id
                self.gallery.chosen = [] if chosen is None else [str(chosen)]
            finally:
                self._is_updating = False
            if self.pack:
                self._title.value = Markup("{} · {}").format(self.pack.title, self.pack.id)
            self._chosen_pack.layout.display = None if self.pack else "none"
            # An open gallery has its own Retry button.
            show_retry = self.problem is not None and self._can_retry and not self.gallery.is_open
            self._retry.layout.display = None if show_retry else "none"


def _pack_id(text: str) -> int | str | None:
    text = text.strip()
    return number_or_text(text) if text else None
