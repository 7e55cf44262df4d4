"""The images to train with: one list, from the reader's computer or the kernel's disk; beside it, URLs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import ipywidgets as widgets

from astria_nb.errors import TuneError
from astria_nb.form.fields.base import WIDE, Field, displayable
from astria_nb.form.fields.text import UrlsField
from astria_nb.form.images.drop_zone import DropZone
from astria_nb.form.images.image_list import ImageList, Item
from astria_nb.form.images.server_files import ServerFiles
from astria_nb.images.advice import Look, compare, look
from astria_nb.images.image import Image
from astria_nb.utils import background
from astria_nb.utils.formatting import format_size

_SIDE = 240  # pixels of a thumbnail


@dataclass(eq=False, slots=True)
class _Entry:
    """One place of the list: what it holds, and what was found out about it in the background."""

    id: str
    source: Any
    look: Look | None = None
    warnings: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The file's name as text."""
        if isinstance(self.source, Image):
            return self.source.filename
        return displayable(PurePath(str(self.source)).name or str(self.source))


class ImageField(Field):
    """A list of image files, in the order of sending.

    Its value holds an `Image` for each file that was found fit, and the bare path of one that was not: so
    that nothing is lost, and the rules can say what is wrong with it.

    Parameters
    ----------
    urls : UrlsField
        Shown as the third way to give images, and counted in the summary.
    kept : Path, optional
        Where photos from the reader's computer stay when the kernel ends; by default they go with it.
    """

    def __init__(self, urls: UrlsField, kept: Path | None = None) -> None:
        self._urls = urls
        self._entries: list[_Entry] = []
        self._numbers = itertools.count(1)
        self._looking = 0
        self._zone = DropZone(lambda path: self._add([path]), kept)
        self._list = ImageList(self._remove, self._move, self._remove_duplicates)
        self.sources = widgets.Tab([self._zone, ServerFiles(self._add), urls], layout=WIDE)
        super().__init__(self.sources, self._list)
        self.observe(self._set, "value")
        urls.observe(lambda _: self._show(), "value")
        self._zone.observe(self._turn_to_zone, "transfers")
        self._show()

    @property
    def summary(self) -> str:
        """How many there are, how large, and how many want a look: ``8 images · 31 MB · 1 to look at``."""
        size = sum(each.source.size for each in self._entries if isinstance(each.source, Image))
        parts = [_count(len(self._entries), "image"), *([format_size(size)] if size else [])]
        urls = self._urls.value or ()
        badges = [found for found in self._badges().values() if found]
        reasons = {text.partition(": ")[0] for found in badges for text in found}
        why = f" ({reasons.pop()})" if len(reasons) == 1 else ""
        return " · ".join(
            [
                *(parts if self._entries else ()),
                *([f"{_count(len(urls), 'image')} by URL"] if urls else ()),
                *([f"{len(badges)} to look at{why}"] if badges else ()),
            ]
        ) or "No images yet"  # fmt: skip

    def turn_to(self, field: Field) -> None:
        """Bring one of the ways to give images into sight."""
        if field in self.sources.children:
            self.sources.selected_index = self.sources.children.index(field)

    def close(self) -> None:
        """Remove the field, and the files that came from the reader's computer."""
        self._zone.close()
        super().close()

    def _turn_to_zone(self, change: Mapping[str, Any]) -> None:
        # A photo may be dropped on any part of the form; how far it is stands in the first tab.
        if len(change["new"]) > len(change["old"]):
            self.sources.selected_index = 0

    def _add(self, paths: Iterable[Path]) -> None:
        opened = [_opened(path) for path in paths]  # before the lock: a disk may be slow
        with self.lock:
            have = [_plain(each.source) for each in self._entries]
            self.value = [*(self.value or []), *(each for each in opened if _plain(each) not in have)] or None

    def _remove(self, ids: Sequence[str]) -> None:
        with self.lock:
            self.value = [each.source for each in self._entries if each.id not in ids] or None

    def _remove_duplicates(self) -> None:
        self._remove(self._copies())

    def _move(self, entry_id: str, before: str | None) -> None:
        with self.lock:
            ids = [each.id for each in self._entries]
            if entry_id in ids and (before is None or before in ids) and before != entry_id:
                moved = self._entries.pop(ids.index(entry_id))
                ids.remove(entry_id)
                self._entries.insert(len(ids) if before is None else ids.index(before), moved)
                self.value = [each.source for each in self._entries]

    def _set(self, change: Mapping[str, Any]) -> None:
        """Make the list hold what the field does; what is known of an image stays with it."""
        with self.lock:
            sources = [_opened(each) for each in change["new"] or []]
            if sources != (change["new"] or []):
                self.value = sources
                return
            before, entries = [*self._entries], []
            for source in sources:
                known = next((each for each in before if each.source == source), None)
                if known is not None:
                    before.remove(known)
                entries.append(known or _Entry(str(next(self._numbers)), source))
            fresh = [each for each in entries if each not in self._entries]
            self._entries = entries
            for gone in before:
                if isinstance(gone.source, Image):
                    self._zone.release(gone.source.path)
            self._show()
            self._examine(fresh)

    def _examine(self, fresh: Sequence[_Entry]) -> None:
        images = [(each, each.source) for each in fresh if isinstance(each.source, Image)]
        self._looking += len(images)
        for entry, image in images:
            background.start_cpu_bound(self._look, entry, image)
        self._advise_soon()

    def _look(self, entry: _Entry, image: Image) -> None:
        """Look at an image and draw it, unless it is gone again."""
        try:
            found = look(image, _SIDE) if entry in self._entries else None
        finally:
            with self.lock:
                self._looking -= 1
        with self.lock:
            entry.look = found
            if found is not None and entry in self._entries:
                self._list.draw(entry.id, found.thumbnail)
        self._advise_soon()

    def _advise_soon(self) -> None:
        # After the pictures: those are what the reader waits for.
        if not self._looking:
            background.start_cpu_bound(self._advise)

    def _advise(self) -> None:
        """Compare the images with each other: only together can it be said which are alike."""
        seen = [(each, each.look) for each in self._entries if each.look is not None]
        found = compare([known for _, known in seen])
        with self.lock:
            for (entry, _), compared in zip(seen, found, strict=True):
                entry.look = compared
            self._show()

    def warn(self, warnings: Mapping[Path, Sequence[str]]) -> None:
        """Show what the service has said against images, each by its path."""
        with self.lock:
            for each in self._entries:
                each.warnings = warnings.get(_plain(each.source), ())
            self._show()

    def _copies(self) -> list[str]:
        """Return the ids of entries that have the bytes of one before them."""
        return [
            each.id
            for each in self._entries
            if each.look is not None and any(advice.kind == "duplicate" for advice in each.look.advice)
        ]

    def _badges(self) -> dict[str, list[str]]:
        return {
            each.id: [
                *([] if isinstance(each.source, Image) else ["not an image"]),
                *(str(advice) for advice in (each.look.advice if each.look is not None else ())),
                *each.warnings,
            ]
            for each in self._entries
        }

    def _show(self) -> None:
        with self.lock:
            badges = self._badges()
            items: list[Item] = [
                {"id": each.id, "name": each.name, "detail": _detail(each.source), "badges": badges[each.id]}
                for each in self._entries
            ]
            self._list.show(items, self.summary, len(self._copies()))
            urls = len(self._urls.value or ())
            by_url = f"URLs · {urls}" if urls else "URLs"
            self.sources.titles = ("From this computer", "From the server", by_url)


def _opened(source: Any) -> Any:
    """Return a path as an image, or as it is where it is none."""
    if isinstance(source, Image):
        return source
    try:
        return Image.open(source)
    except (TuneError, TypeError, ValueError):
        return source


def _plain(source: Any) -> Any:
    return source.path if isinstance(source, Image) else source


def _detail(source: Any) -> str:
    if not isinstance(source, Image):
        return ""
    return f"{source.width} x {source.height} · {format_size(source.size)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
