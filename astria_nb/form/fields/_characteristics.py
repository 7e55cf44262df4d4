"""Characteristics, and an example prompt of the pack with them filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.errors import printable
from astria_nb.form.fields import controls
from astria_nb.form.fields._pairs import PairsField
from astria_nb.tune import SUGGESTIONS

_PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")


class CharacteristicsField(PairsField):
    """Rows of keys and values, and below them a prompt that uses them, if the pack has one."""

    def __init__(self) -> None:
        super().__init__(SUGGESTIONS)
        self._templates: Sequence[str] = ()
        self._example = controls.HTML(layout=widgets.Layout(display="none"), classes="astria-note")
        self.set_trait("children", (*self.children, self._example))
        self.observe(lambda _: self._show_example(), "value")

    def set_templates(self, templates: Sequence[str]) -> None:
        """Use the prompt templates of the chosen pack and class for the example."""
        self._templates = templates
        self._show_example()

    def _show_example(self) -> None:
        template = max(self._templates, key=lambda template: len(_PLACEHOLDER.findall(template)), default="")
        if _PLACEHOLDER.search(template):
            self._example.value = Markup("<div>A prompt of the pack: {}</div>").format(
                fill_template(template, self.value or {})
            )
            self._example.layout.display = None
        else:
            self._example.layout.display = "none"


def fill_template(template: str, values: Mapping[str, str]) -> Markup:
    """Return a template as HTML with its placeholders filled; those without a value stay.

    Examples
    --------
    >>> str(fill_template("{{eye_color}} & {{glasses}}", {"eye_color": "blue eyes"}))
    '<b>blue eyes</b> &amp; {{glasses}}'
    """
    parts = _PLACEHOLDER.split(printable(template))
    texts, keys = parts[::2], parts[1::2]
    fillings = [
        Markup("<b>{}</b>").format(printable(str(values[key])))
        if key in values
        else Markup("{}").format(f"{{{{{key}}}}}")
        for key in keys
    ]
    return Markup().join(
        Markup("{}{}").format(text, filling)
        for text, filling in zip(texts, [*fillings, Markup()], strict=True)
    )
