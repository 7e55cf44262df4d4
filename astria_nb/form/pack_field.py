"""The pack and its classes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, wait
from typing import Any

import ipywidgets as widgets
import traitlets

from astria_nb.client import Client
from astria_nb.errors import AstriaError, Problem
from astria_nb.form import background
from astria_nb.form.fields import LABEL, WIDE, Field
from astria_nb.images import thumbnail
from astria_nb.pack import Pack

# What the menu's own lines stand for; a Dropdown shows None as an empty line, so it cannot be a choice.
_NONE, _TYPED = "none", "typed"


class PackField(Field):
    """A menu of the account's and the gallery's packs; any other by id or slug.

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
        self._showing = False
        self._menu = widgets.Dropdown(options=self._options([]), description="Pack", style=LABEL, layout=WIDE)
        self._typed = widgets.Text(
            placeholder="id or slug, such as 260",
            continuous_update=False,
            layout=widgets.Layout(display="none"),
        )
        self._cover = widgets.Image(layout=widgets.Layout(display="none"))
        self._cover.add_class("astria-cover")
        reload = widgets.Button(
            description="Reload", tooltip="Ask the service again", layout={"width": "auto"}
        )
        super().__init__(widgets.HBox([self._menu, self._typed, reload], layout=WIDE), self._cover)
        self.add_class("astria-labelled")
        self._menu.observe(self._chosen, "value")
        self._typed.observe(self._entered, "value")
        self.observe(self._set, "value")
        reload.on_click(lambda _: self.reload())
        self.reload()

    def reload(self) -> None:
        """Ask for the list of packs, and for the chosen one, again."""
        self._start(self._list)
        if self.value is not None:
            self._start(self._fetch, self.value)

    def settle(self, seconds: float) -> None:
        """Give the look-ups under way a moment to end."""
        wait(set(self._looking), timeout=seconds)

    def _start(self, work: Any, *args: Any) -> None:
        future = background.start(work, *args)
        self._looking.add(future)
        future.add_done_callback(self._looking.discard)

    def _list(self) -> None:
        try:
            found = {pack.id: pack for pack in [*self._client.packs(), *self._client.packs(gallery=True)]}
        except AstriaError as error:
            self.problem = error.problems[0]
            return
        if self.pack is None:
            self.problem = None
        self._show(self._options(list(found.values())))

    def _fetch(self, value: int | str) -> None:
        pack = problem = None
        try:
            pack = self._client.pack(value)
        except AstriaError as error:
            problem = error.problems[0]
        if value != self.value:
            return  # another one was chosen meanwhile
        self.problem, self.pack = problem, pack
        self._draw_cover(pack)

    def _draw_cover(self, pack: Pack | None) -> None:
        self._cover.layout.display = "none"
        if pack is None or pack.cover_url is None:
            return
        try:
            self._cover.value = thumbnail(self._client.picture(pack.cover_url), 320)
        except (AstriaError, OSError):
            return  # a pack without its cover is still the pack
        self._cover.layout.display = None

    def _options(self, packs: list[Pack]) -> list[tuple[str, int | str]]:
        known = [(f"{pack.title} · {pack.id}", pack.id) for pack in packs]
        return [("Choose a pack", _NONE), *known, ("Another pack, by id or slug", _TYPED)]

    def _chosen(self, change: Mapping[str, Any]) -> None:
        chosen = change["new"]
        self._typed.layout.display = None if chosen == _TYPED else "none"
        if not self._showing:
            self.value = {_TYPED: _pack_id(self._typed.value), _NONE: None}.get(chosen, chosen)

    def _entered(self, change: Mapping[str, Any]) -> None:
        if not self._showing:
            self.value = _pack_id(change["new"])

    def _set(self, change: Mapping[str, Any]) -> None:
        self.pack = self.problem = None
        self._cover.layout.display = "none"
        self._show()
        if change["new"] is not None:
            self._start(self._fetch, change["new"])

    def _show(self, options: list[tuple[str, int | str]] | None = None) -> None:
        """Make the menu and the text say what the field holds; that is nobody's choice."""
        was_typed = self._menu.value == _TYPED
        self._showing = True
        try:
            if options is not None:
                self._menu.options = options  # which puts the menu on its first line
            known = [each for _, each in self._menu.options]
            if self.value is None:
                self._menu.value = _TYPED if was_typed else _NONE
            elif self.value in known:
                self._menu.value = self.value
            else:
                self._typed.value = str(self.value)
                self._menu.value = _TYPED
        finally:
            self._showing = False


class ClassField(Field):
    """The classes of the chosen pack, and of no other, each with what a run makes and costs."""

    def __init__(self) -> None:
        self._buttons = widgets.ToggleButtons(
            options=[], description="Class", style={**LABEL, "button_width": "auto"}
        )
        self._none = widgets.HTML("Choose a pack to see its classes", description="Class", style=LABEL)
        self._none.add_class("astria-note")
        super().__init__(self._buttons, self._none)
        self.add_class("astria-labelled")
        self._buttons.observe(self._pressed, "value")
        self.observe(self._set, "value")
        self.offer(None)

    def offer(self, pack: Pack | None) -> None:
        """Show the classes of a pack; what was chosen stays chosen where the pack has it."""
        options = [(each.summary, each.name) for each in pack.classes] if pack else []
        wanted = self.value
        self._buttons.options = options
        self._buttons.value = None
        self._buttons.layout.display = None if options else "none"
        self._none.layout.display = "none" if options else None
        self.value = options[0][1] if wanted is None and len(options) == 1 else wanted
        self._show()

    def _pressed(self, change: Mapping[str, Any]) -> None:
        if change["new"] is not None:
            self.value = change["new"]

    def _set(self, _: Mapping[str, Any]) -> None:
        self._show()

    def _show(self) -> None:
        known = [name for _, name in self._buttons.options]
        self._buttons.value = self.value if self.value in known else None


def _pack_id(text: str) -> int | str | None:
    text = text.strip()
    return int(text) if text.isdecimal() else text or None
