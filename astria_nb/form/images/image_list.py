"""The images of a form as tiles: seen, put in order, taken out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

import anywidget
import traitlets

from astria_nb.form.images.drop_zone_messages import field
from astria_nb.utils.script import script
from astria_nb.utils.stylesheet import stylesheet

_HERE = Path(__file__)


class Item(TypedDict):
    """What a tile shows: a name, size and pixels in words, and whatever is to be said of the image."""

    id: str
    name: str
    detail: str
    badges: list[str]


class Want(TypedDict):
    """Browser to kernel: a page was opened, and has no pictures. Answered by a `Picture` for each."""

    kind: Literal["want"]


class Remove(TypedDict):
    """Browser to kernel: these are to go."""

    kind: Literal["remove"]
    ids: list[str]


class RemoveDuplicates(TypedDict):
    """Browser to kernel: of images with the same bytes only the first is to stay."""

    kind: Literal["remove_duplicates"]


class Move(TypedDict):
    """Browser to kernel: one is to stand before another, or last."""

    kind: Literal["move"]
    id: str
    before: str | None


class Picture(TypedDict):
    """Kernel to browser, with the JPEG as its buffer; without one for what cannot be shown."""

    kind: Literal["picture"]
    id: str


class ImageList(anywidget.AnyWidget):
    """Tiles in the order of sending.

    Parameters
    ----------
    remove : callable
        Called with the ids of images that the reader takes out.
    move : callable
        Called with an id, and the id before which it is to stand; None for the end.
    remove_duplicates : callable
        Called without arguments.

    Examples
    --------
    >>> ImageList(print, print, print)
    ImageList()
    """

    _esm = script(_HERE.with_suffix(".js"))
    _css = stylesheet(_HERE.with_suffix(".css"))
    items = traitlets.List(traitlets.Dict()).tag(sync=True)
    """An `Item` for each image."""
    summary = traitlets.Unicode().tag(sync=True)
    """One line about all of them."""
    duplicates = traitlets.Int().tag(sync=True)
    """How many have the same bytes as one before them."""

    def __init__(
        self,
        remove: Callable[[Sequence[str]], None],
        move: Callable[[str, str | None], None],
        remove_duplicates: Callable[[], None],
    ) -> None:
        self._remove, self._move, self._remove_duplicates = remove, move, remove_duplicates
        self._pictures: dict[str, bytes | None] = {}
        super().__init__()
        self.on_msg(self._heard)

    def __repr__(self) -> str:
        return "ImageList()"

    def show(self, items: Sequence[Item], summary: str, duplicates: int) -> None:
        """Show these images in place of the ones before."""
        ids = {each["id"] for each in items}
        for gone in self._pictures.keys() - ids:
            del self._pictures[gone]
        with self.hold_sync():
            self.items, self.summary, self.duplicates = [dict(each) for each in items], summary, duplicates

    def draw(self, item_id: str, jpeg: bytes | None) -> None:
        """Show the picture of one image; None where there is none to be had."""
        self._pictures[item_id] = jpeg
        message: Picture = {"kind": "picture", "id": item_id}
        self.send(message, buffers=[] if jpeg is None else [jpeg])

    def _heard(self, _: ImageList, message: Any, buffers: Sequence[Any]) -> None:  # noqa: ARG002  ipywidgets' own
        """Do what a message asks for; one that is none of ours is passed over."""
        match field(message, "kind", str, ""):
            case "want":
                for item_id, jpeg in list(self._pictures.items()):
                    self.draw(item_id, jpeg)
            case "remove":
                self._remove([each for each in field(message, "ids", list, []) if isinstance(each, str)])
            case "remove_duplicates":
                self._remove_duplicates()
            case "move":
                self._move(field(message, "id", str, ""), field(message, "before", str, "") or None)
