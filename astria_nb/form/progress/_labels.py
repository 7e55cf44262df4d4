"""Tags and a note about the form's tune: two fields that show and change the log's labels."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.errors import AstriaError, LogError, printable_lines
from astria_nb.form.fields import WIDE, controls
from astria_nb.log import Labels, Log
from astria_nb.utils.formatting import shortened
from astria_nb.utils.kernel import after_each_cell

if TYPE_CHECKING:
    import pandas as pd

_MAX_TEXT = 1000  # characters of a note in the saved copy
_NARROW_LABEL = {"description_width": "36px"}


class LabelsPanel(controls.VBox):
    """A line with the tags and the note of a submission, saved when Enter is pressed or the field is left.

    Parameters
    ----------
    log : Log
    on_change : callable
        Called when the result of `saved_html` has changed.
    """

    def __init__(self, log: Log, on_change: Callable[[], None]) -> None:
        self._log, self._on_change = log, on_change
        self._row: pd.DataFrame | None = None
        self._labels: Labels | None = None  # as last read; None before the first read
        self._tags = _field(controls.Text, "Tags", "separated by commas", "1 1 220px")
        self._note = _field(controls.Text, "Note", "", "2 1 260px")
        # A single-line field would lose the line breaks of a note that code has written.
        self._long_note = _field(controls.Textarea, "Note", "", "2 1 260px", rows=3)
        self._outcome = controls.HTML(
            layout={"width": "40px", "margin": "2px 0 2px 4px"}, classes="astria-note"
        )
        self._problem = controls.HTML(layout=widgets.Layout(display="none"), classes="astria-error")
        line = controls.HBox([self._tags, self._note, self._long_note, self._outcome], layout=WIDE)
        super().__init__(
            [line, self._problem],
            layout=widgets.Layout(width="100%", display="none"),
            classes="astria-labels",
        )
        self._tags.observe(self._save_tags, "value")
        for field in (self._note, self._long_note):
            field.observe(self._save_note, "value")
        after_each_cell(self.refresh)

    def show(self, row: pd.DataFrame) -> None:
        """Show the log's labels of a row; nothing if the log does not have the row."""
        self._row, self._labels = row, None
        self._show_outcome()
        self.refresh()

    def refresh(self) -> None:
        """Show the log's labels, which a cell may have changed. Text that is typed but not saved stays."""
        if self._row is None:
            return
        try:
            submission, labels = self._log.recorded(self._row.to_dict("records")[0])
        except LogError:  # the form says so in its notices
            return
        before, self._labels = self._labels, labels
        if is_new := before is None:
            self.layout.display = "none" if submission is None else None
        if before is None or labels.tags != before.tags:
            self._tags.value = _as_text(labels.tags)
        if before is None or labels.note != before.note:
            self._show_note(labels.note or "")
        if is_new or labels != before:
            self._on_change()

    def saved_html(self) -> Markup:
        """Return the tags and the note as HTML for places without widgets."""
        if self._labels is None:
            return Markup()
        facts = {"Tags": ", ".join(self._labels.tags), "Note": self._labels.note}
        lines = [Markup("<p>{}: {}</p>").format(name, _lines(text)) for name, text in facts.items() if text]
        return Markup().join(lines)

    def _show_note(self, note: str) -> None:
        is_long = "\n" in note
        self._note.layout.display = "none" if is_long else None
        self._long_note.layout.display = None if is_long else "none"
        self._note.value = self._long_note.value = note

    def _save_tags(self, change: Mapping[str, Any]) -> None:
        tags, before = _in_text(change["new"]), (self._labels or Labels()).tags
        # Changes by another notebook in the meantime are kept.
        added = [tag for tag in tags if tag not in before]
        removed = [tag for tag in before if tag not in tags]

        def save() -> None:
            if added:
                self._log.tag(self._row, *added)
            if removed:
                self._log.untag(self._row, *removed)

        self._save(save, is_needed=bool(added or removed))

    def _save_note(self, change: Mapping[str, Any]) -> None:
        note, before = change["new"], (self._labels or Labels()).note or ""
        self._save(lambda: self._log.note(self._row, note), is_needed=note.strip() != before)

    def _save(self, save: Callable[[], None], *, is_needed: bool) -> None:
        self._show_outcome()
        if not is_needed:  # the value equals the log's, for example because it was just read
            return
        try:
            save()
        except AstriaError as error:
            self._show_outcome(problem=str(error))
        else:
            self.refresh()
            self._show_outcome("saved")

    def _show_outcome(self, outcome: str = "", problem: str = "") -> None:
        self._outcome.value = Markup("{}").format(outcome)
        self._problem.value = Markup("{}").format(problem)
        self._problem.layout.display = None if problem else "none"


def _field(kind: type, label: str, placeholder: str, flex: str, **options: Any) -> Any:
    return kind(
        description=label,
        placeholder=placeholder,
        continuous_update=False,
        style=_NARROW_LABEL,
        layout=widgets.Layout(flex=flex, width="auto"),
        **options,
    )


def _as_text(tags: tuple[str, ...]) -> str:
    """Return tags as a line; one with a comma is in quotes.

    Examples
    --------
    >>> _as_text(("good", "a, b"))
    'good, "a, b"'
    """
    return ", ".join(map(_quoted, tags))


def _quoted(tag: str) -> str:
    return '"{}"'.format(tag.replace('"', '""')) if "," in tag or tag.startswith('"') else tag


def _in_text(text: str) -> list[str]:
    """Return the tags in a line.

    Examples
    --------
    >>> _in_text('good , "a, b",, 5" lens')
    ['good', 'a, b', '5" lens']
    """
    try:
        parts = next(csv.reader([" ".join(text.splitlines())], skipinitialspace=True), [])
    except csv.Error:  # longer than a field may be, and than a tag
        parts = [text]
    return [unicodedata.normalize("NFC", part.strip()) for part in parts if part.strip()]


def _lines(text: str) -> Markup:
    return Markup("<br>").join(shortened(printable_lines(text), _MAX_TEXT).splitlines())
