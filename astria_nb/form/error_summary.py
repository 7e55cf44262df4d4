"""The list of what is wrong, on top of the form, and what makes all of it work without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypedDict

import anywidget
import traitlets

from astria_nb.utils.script import script


class ErrorEntry(TypedDict):
    """One problem, as the browser is told of it."""

    field: str
    label: str
    text: str


class Focus(TypedDict):
    """Browser to kernel: open the section that holds this field; the page then moves the focus there."""

    kind: Literal["focus"]
    field: str


class ErrorSummary(anywidget.AnyWidget):
    """The list of problems, each a link to its field.

    In the page, it also ties each error to the controls of its field, for those who hear the form, and lets
    the folds be opened by the keyboard.

    Parameters
    ----------
    wanted : callable
        Called with the name of a field that a reader wants to get to, before the page goes there.
    """

    _esm = script(Path(__file__).with_name("error_summary.js"))

    problems: traitlets.List[ErrorEntry] = traitlets.List().tag(sync=True)

    def __init__(self, wanted: Callable[[str], None]) -> None:
        self._wanted = wanted
        super().__init__()
        self.on_msg(self._on_message)

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        match content:
            case {"kind": "focus", "field": str(name)}:
                self._wanted(name)

    def __repr__(self) -> str:
        return f"ErrorSummary({len(self.problems)} problems)"
