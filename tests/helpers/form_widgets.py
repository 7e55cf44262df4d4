"""Finds the widgets of a form, and what they show, without a browser."""

import html
from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets


def descendants(widget: widgets.Widget) -> Iterator[Any]:
    """Yield a widget and everything in it, in the order of the page."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from descendants(child)


def only(widget: widgets.Widget, kind: type, start: str = "") -> Any:
    """Return the only widget of a type, or of those the only one whose description starts like this."""
    (match,) = (
        child
        for child in descendants(widget)
        if isinstance(child, kind) and (not start or child.description.startswith(start))
    )
    return match


def button(widget: widgets.Widget, name: str) -> widgets.Button:
    """Return the button with this name, without the price that may stand behind it."""
    (match,) = (
        child
        for child in descendants(widget)
        if isinstance(child, widgets.Button) and child.description.split(" · ")[0] == name
    )
    return match


def labelled(widget: widgets.Widget, label: str) -> Any:
    """Return the control with this label."""
    kinds = (widgets.Text, widgets.Dropdown, widgets.ToggleButtons)
    (match,) = (
        child for child in descendants(widget) if isinstance(child, kinds) and child.description == label
    )
    return match


def markup(widget: widgets.Widget) -> str:
    """Return all visible HTML."""
    visible = (
        child.value
        for child in descendants(widget)
        if isinstance(child, widgets.HTML) and child.layout.display != "none"
    )
    return "\n".join(value for value in visible if "<style>" not in value)


def messages(widget: widgets.Widget) -> str:
    """Return all visible HTML as its reader sees it."""
    return html.unescape(markup(widget))
