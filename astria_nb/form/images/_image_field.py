"""The training images: one list of files, from the user's computer or the kernel's disk, and URLs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import traitlets

from astria_nb.form.fields import WIDE, Field, UrlsField, controls
from astria_nb.form.images._control_names import FROM_COMPUTER, FROM_SERVER, URLS
from astria_nb.form.images._drop_zone import DropZone
from astria_nb.form.images._image_entry import ImageEntry, open_source, source_path, summarize
from astria_nb.form.images._image_list import ImageList
from astria_nb.form.images._sample_photos import SamplePhotos
from astria_nb.form.images._server_files import ServerFiles
from astria_nb.images import Image, compare, measure
from astria_nb.utils import background

_THUMBNAIL_SIDE = 240  # pixels


class ImageField(Field):
    """A list of image files, in the order in which they are sent.

    Its value holds an `Image` for each usable image, and the path of every other file, so that validation can
    report it.

    Parameters
    ----------
    urls : UrlsField
        Shown as the third way to add images, and counted in the summary.
    make_folder : callable, optional
        Creates and returns the folder where photos from the user's computer are stored permanently. By
        default they are deleted when the kernel ends.
    on_samples : callable, optional
        Called with the class of sample photos after they were added.
    """

    damaged = traitlets.Tuple()
    """Names of incomplete photos, once they were measured."""

    def __init__(
        self,
        urls: UrlsField,
        make_folder: Callable[[], Path] | None = None,
        on_samples: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._urls = urls
        self._entries: list[ImageEntry] = []
        self._ids = itertools.count(1)
        self._unmeasured = 0
        self._may_measure = True
        self._unstarted: list[tuple[ImageEntry, Image]] = []
        self._zone = DropZone(lambda path: self._add([path]), make_folder)
        self._list = ImageList(self._remove, self._move, self._remove_duplicates)
        self._samples = SamplePhotos(self._add, on_samples)
        upload = controls.VBox([self._zone, self._samples], layout=WIDE)
        self._server_files = ServerFiles(self._add)
        self.sources = controls.Tab([upload, self._server_files, urls], layout=WIDE)
        super().__init__(self.sources, self._list)
        self.observe(self._on_value, "value")
        urls.observe(lambda _: self._refresh(), "value")
        self._zone.observe(self._on_transfers, "transfers")
        self.sources.observe(lambda _: self._on_source(), "selected_index")
        self._refresh()

    @property
    def summary(self) -> str:
        """How many images there are, their size, and how many have warnings."""
        return summarize(self._entries, len(self._urls.value or ()))

    def reveal(self, field: Field) -> None:
        """Switch to the tab of a field, if it is one of the ways to add images."""
        if field in self.sources.children:
            self.sources.selected_index = self.sources.children.index(field)

    def offer_samples(self, names: Iterable[str]) -> None:
        """Offer sample photos of the first of these classes that has some, while there are no photos."""
        with self.lock:
            self._samples.offer(names)

    def show_warnings(self, warnings: Mapping[Path, Sequence[str]]) -> None:
        """Show what the service reported about images, by path."""
        with self.lock:
            for entry in self._entries:
                entry.warnings = warnings.get(entry.path, ())
            self._refresh()

    def close(self) -> None:
        """Remove the field, and the files that came from the user's computer."""
        if self.comm is not None:  # this happens when Python deletes a widget whose constructor failed
            self._zone.close()
        super().close()

    def _on_source(self) -> None:
        index = self.sources.selected_index
        if index is not None and self.sources.children[index] is self._server_files:
            self._server_files.begin()

    def _on_transfers(self, change: Mapping[str, Any]) -> None:
        # A photo may be dropped anywhere on the form; its progress is shown in the first tab.
        if len(change["new"]) > len(change["old"]):
            self.sources.selected_index = 0

    def _add(self, paths: Iterable[Path]) -> None:
        sources = [open_source(path) for path in paths]  # not while locked: a disk may be slow
        with self.lock:
            present = [entry.path for entry in self._entries]
            added = [source for source in sources if source_path(source) not in present]
            self.value = [*(self.value or []), *added] or None

    def _remove(self, ids: Sequence[str]) -> None:
        with self.lock:
            self.value = [entry.source for entry in self._entries if entry.id not in ids] or None

    def _remove_duplicates(self) -> None:
        self._remove([entry.id for entry in self._entries if entry.is_duplicate])

    def _move(self, entry_id: str, before: str | None) -> None:
        with self.lock:
            ids = [entry.id for entry in self._entries]
            if entry_id in ids and (before is None or before in ids) and before != entry_id:
                entry = self._entries.pop(ids.index(entry_id))
                ids.remove(entry_id)
                self._entries.insert(len(ids) if before is None else ids.index(before), entry)
                self.value = [entry.source for entry in self._entries]

    def _on_value(self, change: Mapping[str, Any]) -> None:
        """Update the list; images that were in it before keep their entries."""
        with self.lock:
            sources = [open_source(source) for source in change["new"] or []]
            if sources != (change["new"] or []):
                self.value = sources
                return
            removed, entries, added = [*self._entries], [], []
            for source in sources:
                entry = next((entry for entry in removed if entry.source == source), None)
                if entry is None:
                    entry = ImageEntry(str(next(self._ids)), source)
                    added.append(entry)
                else:
                    removed.remove(entry)
                entries.append(entry)
            self._entries = entries
            for entry in removed:
                if isinstance(entry.source, Image):
                    self._zone.release(entry.source.path)
            self._refresh()
            self._measure_all(added)

    def _measure_all(self, entries: Sequence[ImageEntry]) -> None:
        images = [(entry, entry.source) for entry in entries if isinstance(entry.source, Image)]
        self._unmeasured += len(images)
        self._unstarted += images
        if self._may_measure:
            self.start_measuring()

    def hold_measuring(self) -> None:
        """Do not measure photos until `start_measuring`: measuring uses all remaining processor time."""
        self._may_measure = False

    def start_measuring(self) -> None:
        """Measure the photos that have not been measured."""
        self._may_measure = True
        with self.lock:
            images, self._unstarted = self._unstarted, []
        for entry, image in images:
            background.start_cpu_bound(self._measure, entry, image)
        self._compare_once_measured()

    def _measure(self, entry: ImageEntry, image: Image) -> None:
        """Measure an image and show its thumbnail, unless it was removed meanwhile."""
        try:
            metrics = measure(image, _THUMBNAIL_SIDE) if entry in self._entries else None
        finally:
            with self.lock:
                self._unmeasured -= 1
        with self.lock:
            entry.metrics = metrics
            if metrics is not None and entry in self._entries:
                self._list.show_thumbnail(entry.id, metrics.thumbnail)
        self._compare_once_measured()

    def _compare_once_measured(self) -> None:
        # After all thumbnails, which the user is waiting for.
        if not self._unmeasured:
            background.start_cpu_bound(self._compare_images)

    def _compare_images(self) -> None:
        measured = [(entry, entry.metrics) for entry in self._entries if entry.metrics is not None]
        compared = compare([metrics for _, metrics in measured])
        with self.lock:
            for (entry, _), metrics in zip(measured, compared, strict=True):
                entry.metrics = metrics
            self._refresh()

    def _refresh(self) -> None:
        with self.lock:
            duplicates = sum(entry.is_duplicate for entry in self._entries)
            self._list.show([entry.tile for entry in self._entries], self.summary, duplicates)
            url_count = len(self._urls.value or ())
            self._samples.show(not self._entries and not url_count)
            self.damaged = tuple(entry.name for entry in self._entries if entry.is_damaged)
            urls_title = f"{URLS} · {url_count}" if url_count else URLS
            self.sources.titles = (FROM_COMPUTER, FROM_SERVER, urls_title)
