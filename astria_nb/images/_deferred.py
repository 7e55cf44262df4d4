"""An image that is opened when it is sent: for tables with so many that opening them takes minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from astria_nb.images._addresses import is_address
from astria_nb.images._content import ImageContent
from astria_nb.images._image import Image
from astria_nb.images._temporary_copy import TemporaryCopy
from astria_nb.utils.redaction import redact_name


class DeferredImage(Image):
    """An image that is checked at its first use, not before.

    Parameters
    ----------
    source : str or ImageContent
        An absolute path, an address, or content in memory.

    Notes
    -----
    Its attributes raise the errors of `Image.open`. `opened` returns a separate image, so that the temporary
    copy of content in memory is removed once that image was sent.
    """

    __slots__ = ("_image", "source")

    source: str | ImageContent
    _image: Image | None

    def __init__(self, source: str | ImageContent) -> None:
        object.__setattr__(self, "source", source)  # the class is frozen
        object.__setattr__(self, "_image", None)

    def opened(self) -> Image:
        """Open the image."""
        return Image.open(self.source)

    def _checked(self) -> Image:
        image = self._image
        if image is None:
            image = self.opened()
            object.__setattr__(self, "_image", image)
        return image

    @property
    def path(self) -> Path:
        """See `Image.path`."""
        is_file = isinstance(self.source, str) and not is_address(self.source)
        return Path(self.source) if is_file else self._checked().path  # type: ignore[arg-type]

    @property
    def media_type(self) -> str:
        """See `Image.media_type`."""
        return self._checked().media_type

    @property
    def size(self) -> int:
        """See `Image.size`."""
        return self._checked().size

    @property
    def width(self) -> int:
        """See `Image.width`."""
        return self._checked().width

    @property
    def height(self) -> int:
        """See `Image.height`."""
        return self._checked().height

    @property
    def copy(self) -> TemporaryCopy | None:
        """See `Image.copy`."""
        return self._checked().copy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeferredImage) and self.source == other.source

    def __hash__(self) -> int:
        return hash(self.source) if isinstance(self.source, str) else id(self.source.value)

    def __repr__(self) -> str:
        if isinstance(self.source, str):
            return f"DeferredImage({redact_name(self.source)!r})"
        return f"<DeferredImage, {self.source.label}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return DeferredImage, (self.source,)
