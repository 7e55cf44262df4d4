"""The base of widgets that scripts draw."""

from __future__ import annotations

import uuid
from typing import Any

import anywidget
import traitlets


class ScriptWidget(anywidget.AnyWidget):
    """A widget whose `_esm` comes from `astria_nb.utils.script.script`.

    Parameters
    ----------
    **values
        Values of its traits.
    """

    _own_id = traitlets.Unicode().tag(sync=True)
    """The widget's id, with which its script finds what anywidget does not pass on (see late_script.js)."""

    def __init__(self, **values: Any) -> None:
        own_id = uuid.uuid4().hex
        super().__init__(model_id=own_id, _own_id=own_id, **values)
