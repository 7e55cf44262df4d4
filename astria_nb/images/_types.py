"""The types of values that can be given as photos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from astria_nb.images._image import Image

if TYPE_CHECKING:  # neither is needed for a tune of paths, and both are slow to import
    import numpy as np
    from PIL import Image as Pillow

ImageSource: TypeAlias = (
    "str | PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Pillow.Image | np.ndarray[Any, Any]"
    " | Image"
)
"""One photo: a path or an address, its content, an open file, or pixels."""

Images: TypeAlias = "ImageSource | Iterable[ImageSource | Mapping[str, Any]] | Mapping[str, Any]"
"""Values for ``images``: photos, a folder or a pattern, or the results of upload widgets."""
