"""One field of the form: a control, and beside it what is wrong."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import traitlets
from markupsafe import Markup

from astria_nb.errors import Problem

WIDE = widgets.Layout(width="100%")
LABEL = {"description_width": "96px"}


def shown(name: str) -> str:
    """Return a file's name as text: one that is no UTF-8 on its disk could not reach the browser."""
    return name.encode("utf-8", "replace").decode()


class Field(widgets.VBox):
    """A part of the draft with its control.

    Parameters
    ----------
    *controls : Widget
        What the reader works with.
    below : sequence of Widget
        What is too tall to stand between the control and what is wrong with it.
    """

    value = traitlets.Any(None)
    """What the field holds, as `Tune` takes it; None when it is empty. Not synchronised with the browser."""
    lock: threading.RLock
    """Is held while what is seen changes: answers of the service come on other threads than keystrokes."""

    def __init__(self, *controls: widgets.Widget, below: Sequence[widgets.Widget] = ()) -> None:
        self.lock = threading.RLock()
        self._error = widgets.HTML(layout=widgets.Layout(display="none"))
        self._error.add_class("astria-error")
        super().__init__([*controls, self._error, *below], layout=WIDE)
        self.add_class("astria-field")

    def complain(self, problems: Sequence[Problem]) -> None:
        """Show what is wrong beside the control; a field still to be filled in is a hint, not an error."""
        (self._error.add_class if self.value is None else self._error.remove_class)("astria-hint")
        lines = [Markup("<div>{}; {}</div>").format(each.what, each.hint) for each in problems]
        self._error.value = Markup().join(lines)
        self._error.layout.display = None if lines else "none"


class TextField(Field):
    """A line of text.

    Parameters
    ----------
    label, placeholder : str
    *beside : Widget
        Shown at the end of the line.
    below : sequence of Widget
        Shown under it, and under what is wrong.
    """

    def __init__(
        self,
        label: str,
        placeholder: str = "",
        *beside: widgets.Widget,
        below: Sequence[widgets.Widget] = (),
    ) -> None:
        self._text = widgets.Text(description=label, placeholder=placeholder, style=LABEL, layout=WIDE)
        super().__init__(widgets.HBox([self._text, *beside], layout=WIDE), below=below)
        self.add_class("astria-labelled")
        self._text.observe(self._typed, "value")
        self.observe(self._set, "value")

    def _typed(self, change: Mapping[str, Any]) -> None:
        self.value = self._read(change["new"])

    def _set(self, change: Mapping[str, Any]) -> None:
        # What is being typed is left as it is: "1, " must not become "1" under the reader's hands.
        if self._read(self._text.value) != change["new"]:
            self._text.value = self._write(change["new"])

    def _read(self, text: str) -> Any:
        return text.strip() or None

    def _write(self, value: Any) -> str:
        return "" if value is None else str(value)


class IdsField(TextField):
    """Ids, separated by commas or spaces. What is not a number stays as text, for the rules to name it."""

    def _read(self, text: str) -> Any:
        return [int(each) if each.isdecimal() else each for each in text.replace(",", " ").split()] or None

    def _write(self, value: Any) -> str:
        return ", ".join(str(each) for each in value or ())


class UrlsField(Field):
    """Web addresses, one a line."""

    def __init__(self) -> None:
        self._text = widgets.Textarea(
            placeholder="https://example.com/photo-1.jpg\nhttps://example.com/photo-2.jpg",
            rows=5,
            layout=WIDE,
        )
        self._text.add_class("astria-urls")
        note = widgets.HTML("One address a line. The service downloads them; nothing is loaded from here.")
        note.add_class("astria-note")
        super().__init__(note, self._text)
        self._text.observe(lambda change: self.set_trait("value", self._read(change["new"])), "value")
        self.observe(self._set, "value")

    def _set(self, change: Mapping[str, Any]) -> None:
        if self._read(self._text.value) != change["new"]:
            self._text.value = "\n".join(str(each) for each in change["new"] or ())

    def _read(self, text: str) -> list[str] | None:
        return [line.strip() for line in text.splitlines() if line.strip()] or None


class ChoiceField(Field):
    """One of a few words, or none.

    Parameters
    ----------
    label : str
    choices : sequence of (str, value)
        What is shown and what it stands for; the first one is the default.
    """

    def __init__(self, label: str, choices: Sequence[tuple[str, Any]]) -> None:
        # By its place: to the menu, a value of None is no choice at all, and it would show nothing.
        self._values = [value for _, value in choices]
        self._menu = widgets.Dropdown(
            options=[shown for shown, _ in choices], index=0, description=label, style=LABEL, layout=WIDE
        )
        super().__init__(self._menu)
        self.add_class("astria-labelled")
        self.value = self._values[0]
        self._menu.observe(lambda change: self.set_trait("value", self._values[change["new"]]), "index")
        self.observe(self._set, "value")

    def _set(self, change: Mapping[str, Any]) -> None:
        if change["new"] not in self._values:  # kept, so that the rules can say what is wrong with it
            self._values.append(change["new"])
            self._menu.options = [*self._menu.options, str(change["new"])]
        self._menu.index = self._values.index(change["new"])


class PairsField(Field):
    """A flat map, a row for each key.

    Parameters
    ----------
    suggestions : mapping of str to sequence of str
        Keys, and values for each; any other key and value can be typed.
    typed : bool
        Whether values such as ``3`` and ``true`` stand for a number and a truth value.
    """

    def __init__(self, suggestions: Mapping[str, Sequence[str]], *, typed: bool = False) -> None:
        self._suggestions, self._typed = suggestions, typed
        self._rows = widgets.VBox(layout=WIDE)
        add = widgets.Button(description="Add a row")
        add.on_click(lambda _: self._add())
        super().__init__(self._rows, add)
        self.observe(self._set, "value")

    def _add(self, key: str = "", text: str = "") -> None:
        name = widgets.Combobox(value=key, placeholder="key", options=list(self._suggestions), layout=WIDE)
        value = widgets.Combobox(
            value=text, placeholder="value", options=list(self._suggestions.get(key, ())), layout=WIDE
        )
        name.observe(lambda change: self._suggest(value, change["new"]), "value")
        remove = widgets.Button(description="Remove", layout=widgets.Layout(flex="0 0 auto", width="auto"))
        row = widgets.HBox([name, value, remove], layout=WIDE)
        remove.on_click(lambda _: self._remove(row))
        for each in (name, value):
            each.observe(lambda _: self.set_trait("value", self._read()), "value")
        self._rows.children = (*self._rows.children, row)

    def _suggest(self, value: widgets.Combobox, key: str) -> None:
        value.options = list(self._suggestions.get(key.strip(), ()))

    def _remove(self, row: widgets.HBox) -> None:
        self._rows.children = tuple(each for each in self._rows.children if each is not row)
        self.value = self._read()

    def _read(self) -> dict[str, Any] | None:
        pairs = [(row.children[0].value, row.children[1].value) for row in self._rows.children]
        # A row without a key or a value is one that is still being typed.
        return {key.strip(): self._typed_value(text) for key, text in pairs if key.strip() and text} or None

    def _typed_value(self, text: str) -> Any:
        if not self._typed:
            return text
        if text in ("true", "false"):
            return text == "true"
        for number in (int, float):
            try:
                return number(text)
            except ValueError:
                continue
        return text

    def _set(self, change: Mapping[str, Any]) -> None:
        if self._read() == change["new"]:
            return
        self._rows.children = ()
        for key, value in (change["new"] or {}).items():
            self._add(str(key), str(value).lower() if isinstance(value, bool) else str(value))
