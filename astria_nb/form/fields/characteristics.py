"""Characteristics, and a prompt of the pack with them filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.form.fields.pairs import PairsField
from astria_nb.tune.characteristics import SUGGESTIONS

_PLACE = re.compile(r"\{\{\s*(.*?)\s*\}\}")


class CharacteristicsField(PairsField):
    """Rows of keys and values; below them a prompt with places for them, where the pack tells of one."""

    def __init__(self) -> None:
        super().__init__(SUGGESTIONS)
        self._templates: Sequence[str] = ()
        self._example = widgets.HTML(layout=widgets.Layout(display="none"))
        self._example.add_class("astria-note")
        self.set_trait("children", (*self.children, self._example))
        self.observe(lambda _: self._show_example(), "value")

    def offer(self, templates: Sequence[str]) -> None:
        """Take the prompts of the chosen pack and class."""
        self._templates = templates
        self._show_example()

    def _show_example(self) -> None:
        template = max(self._templates, key=lambda each: len(_PLACE.findall(each)), default="")
        if _PLACE.search(template):
            self._example.value = Markup("<div>A prompt of the pack: {}</div>").format(
                filled(template, self.value or {})
            )
            self._example.layout.display = None
        else:
            self._example.layout.display = "none"


def filled(template: str, values: Mapping[str, str]) -> Markup:
    """Return a template as HTML, with values in their places; a place without a value stays as it is.

    Examples
    --------
    >>> str(filled("{{eye_color}} & {{glasses}}", {"eye_color": "blue eyes"}))
    '<b>blue eyes</b> &amp; {{glasses}}'
    """
    parts = _PLACE.split(template)
    texts, keys = parts[::2], parts[1::2]
    shown = [
        Markup("<b>{}</b>").format(values[key]) if key in values else Markup("{}").format(f"{{{{{key}}}}}")
        for key in keys
    ]
    return Markup().join(
        Markup("{}{}").format(text, place) for text, place in zip(texts, [*shown, Markup()], strict=True)
    )
