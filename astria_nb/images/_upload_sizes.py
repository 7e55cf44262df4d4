"""How much smaller images become for upload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from astria_nb.images._image import Image
from astria_nb.images._preprocessing import Preprocessing
from astria_nb.images._upload import open_all
from astria_nb.utils.formatting import format_size


@dataclass(frozen=True, slots=True)
class UploadSize:
    """The total size of images on disk and as they are uploaded.

    Parameters
    ----------
    on_disk, uploaded : int
        Bytes.

    Examples
    --------
    >>> print(UploadSize(31_400_000, 6_020_000))
    31 MB → 6.0 MB
    """

    on_disk: int
    uploaded: int

    def __str__(self) -> str:
        return f"{format_size(self.on_disk)} → {format_size(self.uploaded)}"


def upload_size(images: Sequence[Image], preprocessing: Preprocessing) -> UploadSize:
    """Return how large images are before and after preprocessing; resized copies are cached for the upload.

    Takes 0.1 s of CPU time for an image of 12 megapixels, so call it on a background thread.

    Raises
    ------
    TuneError
        As `open_all`.
    """
    opened = open_all(images, preprocessing)
    for image in opened:
        image.close()
    return UploadSize(sum(image.size for image in images), sum(image.size for image in opened))
