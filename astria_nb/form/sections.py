"""What not everyone needs: folded, each fold with a line that says what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from astria_nb.form.fields.base import WIDE, Field

HOOKS = ("callback", "prompt_attributes.callback", "prompts_callback")


class Sections(widgets.Accordion):
    """The folds below the images.

    Parameters
    ----------
    fields : mapping of str to Field
    request : Widget
        Shows how the tune is sent.
    """

    def __init__(self, fields: Mapping[str, Field], request: widgets.Widget) -> None:
        self._fields, self._request = fields, request
        sending = ("encoding", "preset", "auto_extend", "branch")
        super().__init__(
            [
                fields["characteristics"],
                widgets.VBox([fields[name] for name in HOOKS], layout=WIDE),
                fields["tune_ids"],
                widgets.VBox([fields["prompt_ids"], fields["brief"]], layout=WIDE),
                widgets.VBox([fields[name] for name in sending], layout=WIDE),
                fields["prompt_attributes"],
                request,
            ],
            layout=WIDE,
        )
        self.add_class("astria-folds")

    @property
    def shows_request(self) -> bool:
        """Whether somebody looks at how the tune is sent."""
        at = self.selected_index
        return at is not None and self.children[at] is self._request

    def reveal(self, field: Field) -> None:
        """Open the fold that a field is in, if it is in one."""
        for at, child in enumerate(self.children):
            if field is child or field in getattr(child, "children", ()):
                self.selected_index = at

    def label(self) -> None:
        """Let each fold say what it holds."""
        values = {name: field.value for name, field in self._fields.items()}
        self.titles = (
            f"Characteristics · {_pairs(values['characteristics']) or 'none'}",
            f"Callbacks · {sum(values[name] is not None for name in HOOKS) or 'none'}",
            f"Existing tunes instead of images · {_ids(values['tune_ids']) or 'none'}",
            f"Prompts · {_ids(values['prompt_ids']) or 'all of the pack'}"
            + (", with a brief" if values["brief"] else ""),
            f"Sending · encoding {values['encoding'] or 'chosen by the images'}",
            f"Prompt attributes · {_pairs(values['prompt_attributes']) or 'as the pack has them'}",
            "Request · cURL, Python, JavaScript, JSON",
        )


def _pairs(values: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{key}: {value}" for key, value in (values or {}).items())


def _ids(values: Any) -> str:
    return ", ".join(map(str, values or ()))
