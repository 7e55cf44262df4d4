"""The list of errors at the top of the form, and the keyboard and screen reader support around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypedDict

import traitlets

from astria_nb.utils.script import script
from astria_nb.utils.script_widget import ScriptWidget


class ErrorEntry(TypedDict):
    """One error as sent to the browser."""

    field: str
    label: str
    text: str


class Focus(TypedDict):
    """Browser to kernel: open the section that holds this field; the page then moves the focus there."""

    kind: Literal["focus"]
    field: str


class ErrorSummary(ScriptWidget):
    """The list of errors, each with a link to its field.

    Its script also ties each error message to the controls of its field for screen readers, and makes the
    sections reachable by keyboard.

    Parameters
    ----------
    on_link : callable
        Called with the name of a field when its link is followed, before the browser moves the focus there.
    """

    _esm = script(Path(__file__).with_name("error_summary.js"))

    problems: traitlets.List[ErrorEntry] = traitlets.List().tag(sync=True)
    saved_number = traitlets.Int().tag(sync=True)
    """Number of the saved output that the form hides while it is displayed."""
    form_id = traitlets.Unicode().tag(sync=True)
    """The form's widget: a click in it waits for earlier edits."""

    def __init__(self, on_link: Callable[[str], None]) -> None:
        self._on_link = on_link
        super().__init__()
        self.on_msg(self._on_message)

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        match content:
            case {"kind": "focus", "field": str(name)}:
                self._on_link(name)

    def __repr__(self) -> str:
        return f"ErrorSummary({len(self.problems)} problems)"
