"""ipywidgets' controls with shared styles: a page creates half as many models for a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import comm
import ipywidgets as widgets

_shared_styles: dict[tuple[Any, ...], Any] = {}


class _Sharing(widgets.DOMWidget):
    """A control with a shared layout and style.

    If `layout` or `style` is a mapping or omitted, all controls with the same values share one widget, which
    must not be changed. A control that changes its own gets a ``widgets.Layout``.

    Parameters
    ----------
    *args, **values
        As for the control.
    classes : str
        CSS classes, separated by spaces. `add_class` would send a message for each.
    """

    def __init__(self, *args: Any, classes: str = "", **values: Any) -> None:
        for name in ("layout", "style"):
            look = values.get(name, {})
            if isinstance(look, Mapping) and (trait := getattr(type(self), name, None)):
                values[name] = _shared(trait.klass, look)
        if classes:
            values["_dom_classes"] = classes.split()
        super().__init__(*args, **values)


def _shared(kind: type[widgets.Widget], look: Mapping[str, str]) -> Any:
    key = kind, *sorted(look.items())
    if key not in _shared_styles or not _is_open(_shared_styles[key]):
        _shared_styles[key] = kind(**look)
        _shared_styles[key].observe(_refuse, list(kind.class_trait_names(sync=True)))
    return _shared_styles[key]


def _is_open(widget: widgets.Widget) -> bool:
    """Return whether a widget is open on this page, and not closed or on the page of another user."""
    return widget.comm is not None and widget.comm.comm_id in comm.get_comm_manager().comms


def _refuse(change: Any) -> None:
    raise RuntimeError(f"{change['name']} is shared by all controls that look alike; give this one its own")


class Accordion(_Sharing, widgets.Accordion):
    """Sections, of which one is open."""


class Button(_Sharing, widgets.Button):
    """A button."""


class Checkbox(_Sharing, widgets.Checkbox):
    """A switch with a text."""


class Combobox(_Sharing, widgets.Combobox):
    """A line of text with suggestions."""


class Dropdown(_Sharing, widgets.Dropdown):
    """A menu."""


class FloatProgress(_Sharing, widgets.FloatProgress):
    """A progress bar."""


class HBox(_Sharing, widgets.HBox):
    """Controls in a row."""


class HTML(_Sharing, widgets.HTML):
    """Text with markup."""


class Label(_Sharing, widgets.Label):
    """Plain text."""


class SelectMultiple(_Sharing, widgets.SelectMultiple):
    """A list in which several entries can be selected."""


class Tab(_Sharing, widgets.Tab):
    """Pages, of which one is shown."""


class Text(_Sharing, widgets.Text):
    """A line of text."""


class Textarea(_Sharing, widgets.Textarea):
    """Lines of text."""


class ToggleButtons(_Sharing, widgets.ToggleButtons):
    """Buttons, of which one is pressed."""


class VBox(_Sharing, widgets.VBox):
    """Controls below each other."""
