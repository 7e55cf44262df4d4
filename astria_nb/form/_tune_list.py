"""The list of tunes that were prepared and wait for Submit; not there until one was added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.form._saved_draft import as_plain
from astria_nb.form.fields import WIDE
from astria_nb.images import Preprocessing
from astria_nb.tune import Encoding, Estimate, Tune, check, dollars, from_checked


@dataclass(eq=False, slots=True)
class ListedTune:
    """A tune that waits for Submit.

    Attributes
    ----------
    values : dict of str to object
        What was filled in, by the fields' names in the API.
    tune : Tune or None
        None if its fields are wrong, such as after its files were moved.
    price : Estimate or None
        None if it is unknown.
    encoding : {"multipart", "form", "json"} or None
    preprocessing : Preprocessing
    problem : str
        Why it could not be sent; empty if it was not tried, or that is not known.
    """

    values: dict[str, Any]
    tune: Tune | None
    price: Estimate | None = None
    encoding: Encoding | None = None
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    problem: str = ""

    @classmethod
    def of_saved(cls, saved: Mapping[str, Any]) -> ListedTune:
        """Return a tune as `saved` gives it."""
        values = dict(saved)
        preprocessing = Preprocessing(values.pop("keep_metadata", False), values.pop("max_side", None))
        encoding = values.pop("encoding", None)
        fields, problems = check(values)
        tune = None if problems else from_checked(fields)
        return cls(values, tune, None, encoding, preprocessing, "; ".join(map(str, problems)))

    @property
    def saved(self) -> dict[str, Any]:
        """It as plain data."""
        more = {**asdict(self.preprocessing), "encoding": self.encoding}
        return as_plain({**self.values, **{name: value for name, value in more.items() if value}})

    @property
    def text(self) -> str:
        """It in a line."""
        photos = len(self.values.get("images", ())) + len(self.values.get("image_urls", ()))
        parts = [str(self.values.get("title") or "run on existing tunes"), str(self.values.get("name", ""))]
        parts.append(f"{photos} photo{'' if photos == 1 else 's'}" if photos else "")
        return " · ".join(filter(None, [*parts, str(self.price or "")]))


class TuneList(widgets.VBox):
    """The tunes with their prices, each with buttons to edit and to remove it.

    Parameters
    ----------
    on_edit : callable
        Called with the tune that is to be filled into the form.
    on_change : callable
        Called when the list has changed.
    """

    def __init__(self, on_edit: Callable[[ListedTune], None], on_change: Callable[[], None]) -> None:
        self._on_edit, self._on_change = on_edit, on_change
        self.tunes: list[ListedTune] = []
        super().__init__([], layout=widgets.Layout(width="100%"))  # its own: it is hidden at times
        self.add_class("astria-list")
        self.show()

    def price_with(self, price: Estimate | None, *, is_one_more: bool) -> str:
        """Return what all of them cost, and one more if asked to, in words; empty if that is unknown."""
        prices = [*(listed.price for listed in self.tunes), *([price] if is_one_more else [])]
        known = [price for price in prices if price is not None]
        if not known or len(known) < len(prices):
            return ""
        is_most = any(price.is_most for price in known)
        return f"{'at most' if is_most else 'about'} {dollars(sum(price.price_mc for price in known))}"

    def add(self, listed: ListedTune) -> None:
        """Add a tune at the end."""
        self.tunes = [*self.tunes, listed]
        self.show()

    def remove(self, listed: ListedTune) -> None:
        """Remove a tune: it was sent, is edited, or is not wanted."""
        self.tunes = [tune for tune in self.tunes if tune is not listed]
        self.show()
        self._on_change()

    def show(self) -> None:
        """Show the list as it is."""
        self.layout.display = None if self.tunes else "none"
        count = f"{len(self.tunes)} tune{'' if len(self.tunes) == 1 else 's'} in the list"
        heading = widgets.HTML(Markup("<b>{}</b>").format(count))
        self.children = [heading, *map(self._line, self.tunes)] if self.tunes else []

    def saved_html(self) -> Markup:
        """Return the list as HTML for where no widget runs."""
        items = (f"{listed.text} {listed.problem}" for listed in self.tunes)
        lines = Markup().join(Markup("<li>{}</li>").format(item) for item in items)
        return Markup("<p>In the list:</p><ul>{}</ul>").format(lines) if self.tunes else Markup()

    def _line(self, listed: ListedTune) -> widgets.Widget:
        text = widgets.HTML(Markup("<span>{}</span>").format(listed.text))
        text.layout.flex = "1 1 240px"
        edit = widgets.Button(description="Edit", layout=widgets.Layout(width="auto"))
        edit.tooltip = f"Edit {listed.text}"
        edit.on_click(lambda _: self._on_edit(listed))
        remove = widgets.Button(description="Remove", layout=widgets.Layout(width="auto"))
        remove.tooltip = f"Remove {listed.text}"
        remove.on_click(lambda _: self.remove(listed))
        line = widgets.HBox([text, edit, remove], layout=WIDE)
        if not listed.problem:
            return line
        problem = widgets.HTML(Markup("<span>{}</span>").format(listed.problem))
        problem.add_class("astria-error")
        return widgets.VBox([line, problem], layout=WIDE)
