"""The pack and its classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from typing import Any

import ipywidgets as widgets
import traitlets
from markupsafe import Markup

from astria_nb.client.client import Client
from astria_nb.errors import AstriaError, NotFoundError, Problem, TuneError
from astria_nb.form.fields.base import LABEL, WIDE, Field
from astria_nb.form.pickers.browse_button import BrowseButton
from astria_nb.form.pickers.pack_cards import PackCards
from astria_nb.form.pickers.picker import Picker
from astria_nb.images.image import thumbnail
from astria_nb.tune.pack import Pack
from astria_nb.utils import background

_SIDE = 96  # pixels of the cover in the line


class PackField(Field):
    """A pack, typed as id or slug or chosen from the account's and the gallery's by its picture.

    Parameters
    ----------
    client : Client
        Is asked for the packs, off the kernel's main thread.
    """

    pack = traitlets.Instance(Pack, allow_none=True)
    """The chosen pack as the service tells of it; None until it has answered."""
    problem = traitlets.Instance(Problem, allow_none=True)
    """Why the pack, or the list of packs, could not be had."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._looking: set[Future[Any]] = set()
        self._showing = self._can_retry = False
        self._typed = widgets.Text(
            description="Pack",
            placeholder="id or slug",
            continuous_update=False,
            style=LABEL,
        )
        self._cover = widgets.Image(layout=widgets.Layout(display="none"))
        self._cover.add_class("astria-cover")
        self._title = widgets.HTML()
        self._known = widgets.HBox([self._cover, self._title], layout=widgets.Layout(display="none"))
        self._known.add_class("astria-known")
        self._retry = widgets.Button(description="Retry", layout=widgets.Layout(display="none", width="auto"))
        self.gallery = Picker(PackCards(client), noun="pack", empty="There are no packs yet.")
        line = [self._typed, BrowseButton(self.gallery), self._retry, self._known]
        super().__init__(widgets.HBox(line, layout=WIDE), below=[self.gallery])
        self.add_class("astria-labelled")
        self.add_class("astria-pack")
        self._typed.observe(self._entered, "value")
        self.gallery.observe(self._chosen, "chosen")
        self.gallery.observe(self._listed, "problem")
        self.observe(self._set, "value")
        self.gallery.observe(lambda _: self._show(), "is_open")
        self.observe(lambda _: self._show(), ["pack", "problem"])
        self._retry.on_click(lambda _: self.reload())

    def reload(self) -> None:
        """Ask for the list of packs, and for the chosen one, again."""
        self._start(self.gallery.load)
        if self.value is not None:
            self._start(self._fetch, self.value)

    def settle(self, seconds: float) -> None:
        """Give the look-ups under way a moment to end."""
        wait(set(self._looking), timeout=seconds)

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        future = background.start(self._guarded, work, *args)
        self._looking.add(future)
        future.add_done_callback(self._looking.discard)

    def _guarded(self, work: Callable[..., None], *args: Any) -> None:
        try:
            work(*args)
        except AstriaError as error:
            problem = error.problems[0]
            can_retry = not isinstance(error, NotFoundError | TuneError)  # those would fail again
        except Exception as error:  # noqa: BLE001  on this thread nobody else would hear of it
            problem, can_retry = (
                Problem("pack", f"cannot be shown ({type(error).__name__}: {error})", "please report it"),
                False,
            )
        else:
            return
        with self.lock:
            self._can_retry = can_retry
            self.problem = problem

    def _fetch(self, value: int | str) -> None:
        pack = self._client.pack(value)
        with self.lock:
            if value != self.value:
                return  # another one was chosen meanwhile
            self.problem, self.pack = None, pack
        cover = self._cover_of(pack)
        with self.lock:
            if cover is not None and value == self.value:
                self._cover.value, self._cover.layout.display = cover, None

    def _cover_of(self, pack: Pack) -> bytes | None:
        if pack.cover_url is None:
            return None
        try:
            return thumbnail(self._client.picture(pack.cover_url), _SIDE)
        except (AstriaError, OSError):
            return None  # a pack without its cover is still the pack

    def _listed(self, change: Mapping[str, Any]) -> None:
        with self.lock:
            if change["new"] is None and self.problem is change["old"]:
                self.problem = None
            elif change["new"] is not None and self.pack is None:
                self._can_retry = True
                self.problem = change["new"]

    def _entered(self, change: Mapping[str, Any]) -> None:
        self._take(change["new"])

    def _chosen(self, change: Mapping[str, Any]) -> None:
        for each in change["new"]:
            self._take(each)

    def _take(self, text: str) -> None:
        with self.lock:  # an answer that is being shown on another thread is no reason to miss a click
            if not self._showing:
                self.value = _pack_id(text)

    def _set(self, change: Mapping[str, Any]) -> None:
        with self.lock:
            self.pack = self.problem = None
            self._cover.layout.display = "none"
            self._show()
        if change["new"] is not None:
            self._start(self._fetch, change["new"])

    def _show(self) -> None:
        """Make the line and the gallery say what the field holds; that is nobody's choice."""
        with self.lock:
            self._showing = True
            try:
                self._typed.value = "" if self.value is None else str(self.value)
                chosen = self.value if self.pack is None else self.pack.id
                self.gallery.chosen = [] if chosen is None else [str(chosen)]
            finally:
                self._showing = False
            if self.pack:
                self._title.value = Markup("{} · {}").format(self.pack.title, self.pack.id)
            self._known.layout.display = None if self.pack else "none"
            # An open gallery has a button of its own.
            wanted = self.problem is not None and self._can_retry and not self.gallery.is_open
            self._retry.layout.display = None if wanted else "none"


class ClassField(Field):
    """The classes of the chosen pack, and of no other, each with what a run makes and costs."""

    def __init__(self) -> None:
        self._buttons = widgets.ToggleButtons(
            options=[], description="Class", style={**LABEL, "button_width": "auto"}
        )
        self._none = widgets.HTML("Choose a pack to see its classes.", description="Class", style=LABEL)
        self._none.add_class("astria-note")
        super().__init__(self._buttons, self._none)
        self.add_class("astria-labelled")
        self._buttons.observe(self._pressed, "value")
        self.observe(self._set, "value")
        self._showing = False
        self.offer(None)

    def offer(self, pack: Pack | None) -> None:
        """Show the classes of a pack; what was chosen stays chosen where the pack has it."""
        options = [(each.summary, each.name) for each in pack.classes] if pack else []
        with self.lock:
            if self.value is None and len(options) == 1:
                self.value = options[0][1]
            self._show(options)
            self.explains_missing_value = not options
            self._buttons.layout.display = None if options else "none"
            self._none.layout.display = "none" if options else None

    def _pressed(self, change: Mapping[str, Any]) -> None:
        if change["new"] is not None and not self._showing:
            self.value = change["new"]

    def _set(self, _: Mapping[str, Any]) -> None:
        self._show()

    def _show(self, options: list[tuple[str, str]] | None = None) -> None:
        """Make the buttons say what the field holds; that is nobody's choice."""
        with self.lock:
            self._showing = True
            try:
                if options is not None:
                    self._buttons.options = options
                known = [name for _, name in self._buttons.options]
                self._buttons.value = self.value if self.value in known else None
            finally:
                self._showing = False


def _pack_id(text: str) -> int | str | None:
    text = text.strip()
    return int(text) if text.isdecimal() else text or None
