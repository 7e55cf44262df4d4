"""One entry in the list of images: a file, and the information shown about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from astria_nb.errors import TuneError
from astria_nb.form.images._folders import file_name
from astria_nb.form.images._image_list import Tile
from astria_nb.images import Image, ImageMetrics, Kind
from astria_nb.utils.formatting import format_size

_NOT_AN_IMAGE = "not an image"
_LABELS: dict[Kind, str] = {
    "unusable": _NOT_AN_IMAGE,
    "damaged": "damaged",
    "small": "small",
    "large": "large file",
    "blurry": "blurry",
    "sideways": "sideways",
    "heic": "HEIC or AVIF",
    "duplicate": "duplicate",
    "similar": "similar",
}


@dataclass(eq=False, slots=True)
class ImageEntry:
    """A file in the list of images.

    Attributes
    ----------
    id : str
        Unique within the list, and unchanged when the file is moved.
    source : Image or path
        A path if the file is not a usable image.
    metrics : ImageMetrics or None
        None until the image was measured.
    warnings : sequence of str
        The service's warnings.
    """

    id: str
    source: Any
    metrics: ImageMetrics | None = None
    warnings: Sequence[str] = ()

    @property
    def path(self) -> Any:
        """The path of the file, whether or not it is an image."""
        return source_path(self.source)

    @property
    def name(self) -> str:
        """The file's name as text."""
        return file_name(self.source)

    @property
    def size(self) -> int:
        """Bytes; 0 if it is not an image."""
        return self.source.size if isinstance(self.source, Image) else 0

    @property
    def is_caption(self) -> bool:
        """Whether it is the text that describes another image."""
        return isinstance(self.source, Image) and self.source.is_caption

    @property
    def is_duplicate(self) -> bool:
        """Whether it has the same content as an earlier entry."""
        return self.metrics is not None and any(advice.kind == "duplicate" for advice in self.metrics.advice)

    @property
    def is_damaged(self) -> bool:
        """Whether it cannot be fully decoded."""
        return self.metrics is not None and any(advice.kind == "damaged" for advice in self.metrics.advice)

    @property
    def badges(self) -> list[str]:
        """All warnings, in full."""
        advice = self.metrics.advice if self.metrics is not None else ()
        return [
            *([] if isinstance(self.source, Image) else [_NOT_AN_IMAGE.capitalize()]),
            *(entry.text for entry in advice),
            *self.warnings,
        ]

    @property
    def labels(self) -> set[str]:
        """All warnings, in a word or two each."""
        advice = self.metrics.advice if self.metrics is not None else ()
        return {
            *(() if isinstance(self.source, Image) else (_NOT_AN_IMAGE,)),
            *(_LABELS[entry.kind] for entry in advice),
            *(warning.partition(": ")[0] for warning in self.warnings),
        }

    @property
    def tile(self) -> Tile:
        """The entry as the browser shows it."""
        detail = ""
        if isinstance(self.source, Image):
            pixels = f"{self.source.width} x {self.source.height}"
            kind = "caption" if self.is_caption else pixels
            detail = f"{kind} · {format_size(self.source.size)}"
        return {"id": self.id, "name": self.name, "detail": detail, "badges": self.badges}


def open_source(source: Any) -> Any:
    """Return a path as an `Image`, or unchanged if it is not a usable image."""
    if isinstance(source, Image):
        return source
    try:
        return Image.open(source)
    except (TuneError, TypeError, ValueError):
        return source


def source_path(source: Any) -> Any:
    """Return the path of an `Image`; anything else is returned unchanged."""
    return source.path if isinstance(source, Image) else source


def summarize(entries: Sequence[ImageEntry], url_count: int) -> str:
    """Return a line such as ``8 images · 31 MB · 3 with warnings (large file)``.

    Parameters
    ----------
    entries : sequence of ImageEntry
    url_count : int
        How many images are given by URL.

    Examples
    --------
    >>> summarize([], 0), summarize([ImageEntry("1", "notes.txt")], 2)
    ('No images yet', '1 image · 2 images by URL · 1 with a warning (not an image)')
    """
    parts = []
    if entries:
        size = sum(entry.size for entry in entries)
        captions = sum(entry.is_caption for entry in entries)
        parts.append(_count(len(entries) - captions, "image"))
        parts += [_count(captions, "caption")] if captions else []
        parts += [format_size(size)] if size else []
    if url_count:
        parts.append(f"{_count(url_count, 'image')} by URL")
    labels = [entry.labels for entry in entries if entry.labels]
    if labels:
        distinct = set[str]().union(*labels)
        reason = f" ({distinct.pop()})" if len(distinct) == 1 else ""
        parts.append(f"{len(labels)} with {'a warning' if len(labels) == 1 else 'warnings'}{reason}")
    return " · ".join(parts) or "No images yet"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
