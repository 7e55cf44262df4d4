"""The form in marimo, which shows single anywidgets, but not boxes of ipywidgets."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

_NOTE = Markup(
    "<p><small>marimo does not show the form's fields. Fill them in by code, with <code>form.fill(…)</code>,"
    " and send the tune with <code>form.submit()</code>. The pictures appear here as they arrive.</small></p>"
)


def marimo_view(page: Markup, gallery: widgets.DOMWidget) -> Any:
    """Return what marimo displays: the filled-in form as text, and its pictures.

    Parameters
    ----------
    page : Markup
        The form.
    gallery : DOMWidget
    """
    marimo = import_module("marimo")  # marimo asked for the view, so it is installed
    return marimo.vstack([marimo.Html(str(_NOTE + page)), gallery])
