"""The images of a form as tiles that can be reordered and removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

import traitlets

from astria_nb.form.images._drop_zone_messages import message_field
from astria_nb.utils.script import script
from astria_nb.utils.script_widget import ScriptWidget
from astria_nb.utils.stylesheet import stylesheet

_HERE = Path(__file__)


class Tile(TypedDict):
    """The displayed data of an image: its name, its dimensions and size as text, and its warnings."""

    id: str
    name: str
    detail: str
    badges: list[str]


class Want(TypedDict):
    """Browser to kernel: a page was opened and has no thumbnails. Answered by a `Picture` for each."""

    kind: Literal["want"]


class Remove(TypedDict):
    """Browser to kernel: remove these images."""

    kind: Literal["remove"]
    ids: list[str]


class RemoveDuplicates(TypedDict):
    """Browser to kernel: of images with the same content, keep only the first."""

    kind: Literal["remove_duplicates"]


class Move(TypedDict):
    """Browser to kernel: move an image before another one, or to the end."""

    kind: Literal["move"]
    id: str
    before: str | None


class Picture(TypedDict):
    """Kernel to browser, with the JPEG as its buffer; without a buffer for an image that cannot be shown."""

    kind: Literal["picture"]
    id: str


class Answered(TypedDict):
    """Kernel to browser: the request was handled, even if nothing changed."""

    kind: Literal["answered"]


class ImageList(ScriptWidget):
    """Tiles in the order in which the images are sent.

    Parameters
    ----------
    on_remove : callable
        Called with the ids of images that the user removes.
    on_move : callable
        Called with an id, and the id that it is moved before; None for the end.
    on_remove_duplicates : callable
        Called without arguments.

    Examples
    --------
    >>> ImageList(print, print, print)
    ImageList()
    """

    _esm = script(_HERE.with_name("image_list.js"))
    _css = stylesheet(_HERE.with_name("image_list.css"))
    items = traitlets.List(traitlets.Dict()).tag(sync=True)
    """A `Tile` for each image."""
    summary = traitlets.Unicode().tag(sync=True)
    """One line about all of them."""
    duplicates = traitlets.Int().tag(sync=True)
    """How many have the same content as an earlier one."""

    def __init__(
        self,
        on_remove: Callable[[Sequence[str]], None],
        on_move: Callable[[str, str | None], None],
        on_remove_duplicates: Callable[[], None],
    ) -> None:
        self._on_remove, self._on_move, self._on_remove_duplicates = on_remove, on_move, on_remove_duplicates
        self._thumbnails: dict[str, bytes | None] = {}
        super().__init__()
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        return "ImageList()"

    def show(self, tiles: Sequence[Tile], summary: str, duplicates: int) -> None:
        """Replace the tiles."""
        ids = {tile["id"] for tile in tiles}
        for removed in self._thumbnails.keys() - ids:
            del self._thumbnails[removed]
        with self.hold_sync():
            self.items, self.summary, self.duplicates = [{**tile} for tile in tiles], summary, duplicates

    def show_thumbnail(self, tile_id: str, jpeg: bytes | None) -> None:
        """Show the thumbnail of one image; None if it cannot be decoded."""
        self._thumbnails[tile_id] = jpeg
        message: Picture = {"kind": "picture", "id": tile_id}
        self.send(message, buffers=[] if jpeg is None else [jpeg])

    def _on_message(self, _: ImageList, message: Any, buffers: Sequence[Any]) -> None:  # noqa: ARG002  ipywidgets' signature
        """Handle a message from the browser; unknown ones are ignored."""
        if message_field(message, "kind", str, "") == "want":
            for tile_id, jpeg in list(self._thumbnails.items()):
                self.show_thumbnail(tile_id, jpeg)
            return
        try:
            self._change(message)
        finally:
            answer: Answered = {"kind": "answered"}
            self.send(answer)

    def _change(self, message: Any) -> None:
        match message_field(message, "kind", str, ""):
            case "remove":
                ids = message_field(message, "ids", list, [])
                self._on_remove([tile_id for tile_id in ids if isinstance(tile_id, str)])
            case "remove_duplicates":
                self._on_remove_duplicates()
            case "move":
                before = message_field(message, "before", str, "") or None
                self._on_move(message_field(message, "id", str, ""), before)
