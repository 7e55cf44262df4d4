"""Fields for text: one line, a list of ids, a list of URLs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import ipywidgets as widgets

from astria_nb.form.fields import controls
from astria_nb.form.fields._base import LABEL, WIDE, Field
from astria_nb.utils.redaction import redact_text


class TextField(Field):
    """A line of text, or several.

    Parameters
    ----------
    label : str
    placeholder : str
    *beside : Widget
        Shown at the end of the line.
    below : sequence of Widget
        Shown under the error line.
    rows : int, default 1
        Visible lines. With more than one, line breaks can be typed.
    """

    _classes = "astria-labelled"

    def __init__(
        self,
        label: str,
        placeholder: str = "",
        *beside: widgets.Widget,
        below: Sequence[widgets.Widget] = (),
        rows: int = 1,
    ) -> None:
        options: dict[str, Any] = {
            "description": label,
            "placeholder": placeholder,
            "style": LABEL,
            "layout": WIDE,
        }
        self._text = controls.Text(**options) if rows == 1 else controls.Textarea(rows=rows, **options)
        super().__init__(controls.HBox([self._text, *beside], layout=WIDE), below=below)
        self._text.observe(self._on_text, "value")
        self.observe(self._set, "value")

    def focus(self) -> None:
        """Move the focus to the text."""
        self._text.focus()

    def _on_text(self, change: Mapping[str, Any]) -> None:
        self.value = self._parse(change["new"])

    def _set(self, change: Mapping[str, Any]) -> None:
        # Do not change text while it is being typed: "1, " must not become "1" under the cursor.
        if self._parse(self._text.value) != change["new"]:
            self._text.value = self._format(change["new"])

    def _parse(self, text: str) -> Any:
        return text.strip() or None

    def _format(self, value: Any) -> str:
        return "" if value is None else str(value)


class CallbackField(TextField):
    """The address of a callback.

    An address that was filled in by code is shown without the values of its query, which include the
    receiver's secret: text in a widget is saved with the notebook.
    """

    _hidden: tuple[str, str] = ("", "")  # as displayed, and complete

    def _parse(self, text: str) -> Any:
        shown, address = self._hidden
        value = super()._parse(text)
        return address if value and value == shown else value

    def _format(self, value: Any) -> str:
        shown = redact_text(super()._format(value), is_callback=True)
        self._hidden = shown, value
        return shown


def number_or_text(text: str) -> int | str:
    """Return an id as a number, and anything else as it is, for the validator to reject."""
    try:
        return int(text) if text.isdecimal() else text
    except ValueError:  # more digits than Python reads
        return text


class IdsField(TextField):
    """Ids, separated by commas or spaces. Anything else stays as text, for the validator to reject."""

    def _parse(self, text: str) -> Any:
        words = text.replace(",", " ").split()
        return [number_or_text(word) for word in words] or None

    def _format(self, value: Any) -> str:
        return ", ".join(map(str, value or ()))


class UrlsField(Field):
    """URLs, one per line. Those that code filled in are shown without secrets, as are callbacks."""

    _hidden: Mapping[str, str] = MappingProxyType({})  # complete addresses by their displayed text

    def __init__(self) -> None:
        self._text = controls.Textarea(
            placeholder="https://example.com/photo-1.jpg\nhttps://example.com/photo-2.jpg",
            rows=5,
            layout=WIDE,
            classes="astria-urls",
        )
        note = controls.HTML(
            "One URL per line. The service downloads the photos from there.", classes="astria-note"
        )
        super().__init__(note, self._text)
        self._text.observe(lambda change: self.set_trait("value", self._parse(change["new"])), "value")
        self.observe(self._set, "value")

    def _set(self, change: Mapping[str, Any]) -> None:
        if self._parse(self._text.value) != change["new"]:
            urls = [*map(str, change["new"] or ())]
            counts = Counter(_without_secrets(url) for url in set(urls))
            # Two addresses that would look the same are shown completely, so that each keeps its address.
            lines = [text if counts[text := _without_secrets(url)] == 1 else url for url in urls]
            self._hidden = dict(zip(lines, urls, strict=True))
            self._text.value = "\n".join(lines)

    def _parse(self, text: str) -> list[str] | None:
        return [self._hidden.get(line, line) for line in _lines(text)] or None


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _without_secrets(url: str) -> str:
    """Return an address as it is shown; one with line breaks stays, or it would not be recognised."""
    return redact_text(url) if _lines(url) == [url] else url
