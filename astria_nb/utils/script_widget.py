"""The base of widgets that scripts draw."""

from __future__ import annotations

import uuid
from typing import Any, Literal, TypedDict

import anywidget
import traitlets


class Ping(TypedDict):
    """Browser to kernel: is this widget still there? Answered by a `Pong`."""

    kind: Literal["ping"]


class Pong(TypedDict):
    """Kernel to browser: it is."""

    kind: Literal["pong"]


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
        self.on_msg(self._answer)

    def _answer(self, _widget: Any, content: Any, _buffers: Any) -> None:
        match content:
            case {"kind": "ping"}:
                pong: Pong = {"kind": "pong"}
                self.send(pong)
