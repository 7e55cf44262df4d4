"""The collapsible sections for rarely needed fields. Each title shows the section's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from astria_nb.form.fields import WIDE, Field, controls

CALLBACKS = ("callback", "prompt_attributes.callback", "prompts_callback")
_PROMPTS = ("prompt_ids", "brief", "prompt_attributes")
_OPTIONS = ("encoding", "preset", "auto_extend", "branch", *CALLBACKS)


class Sections(controls.Accordion):
    """The sections below the images.

    Parameters
    ----------
    fields : mapping of str to Field
    request : Widget
        Shows the request as code.
    """

    def __init__(self, fields: Mapping[str, Field], request: widgets.Widget) -> None:
        self._fields, self._request = fields, request
        super().__init__(
            [
                fields["characteristics"],
                fields["tune_ids"],
                controls.VBox([fields[name] for name in _PROMPTS], layout=WIDE),
                controls.VBox([fields[name] for name in _OPTIONS], layout=WIDE),
                request,
            ],
            layout=WIDE,
            classes="astria-sections",
        )

    @property
    def shows_request(self) -> bool:
        """Whether the section with the request is open."""
        index = self.selected_index
        return index is not None and self.children[index] is self._request

    def reveal(self, field: Field) -> None:
        """Open the section with a field, if there is one."""
        for index, child in enumerate(self.children):
            if field is child or field in getattr(child, "children", ()):
                self.selected_index = index

    def update_titles(self) -> None:
        """Update each title with the section's values."""
        values = {name: field.value for name, field in self._fields.items()}
        callback_count = sum(values[name] is not None for name in CALLBACKS)
        self.titles = (
            f"Characteristics · {_pairs(values['characteristics']) or 'none'}",
            f"Existing tunes instead of photos · {_ids(values['tune_ids']) or 'none'}",
            ", ".join(
                filter(
                    None,
                    (
                        f"Prompts · {_ids(values['prompt_ids']) or 'all in the pack'}",
                        "with a brief" if values["brief"] else "",
                        _pairs(values["prompt_attributes"]),
                    ),
                )
            ),
            f"Encoding · {values['encoding'] or 'automatic'}, callbacks · {callback_count or 'none'}",
            "Request · cURL, Python, JavaScript, JSON",
        )


def _pairs(values: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{key}: {value}" for key, value in (values or {}).items())


def _ids(values: Any) -> str:
    return ", ".join(map(str, values or ()))
