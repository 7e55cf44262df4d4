"""The names that photos are sent under: their own names reveal dates, places and people."""

from __future__ import annotations

from collections.abc import Sequence

from astria_nb.images._captions import MEDIA_TYPE as CAPTION
from astria_nb.images._captions import stem_of
from astria_nb.images._image import Image

_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", CAPTION: ".txt"}


def sent_names(images: Sequence[Image], media_types: Sequence[str]) -> list[str]:
    """Return ``1.jpg``, ``2.jpg`` for photos in their order, and ``1.txt`` for the caption of the first.

    Parameters
    ----------
    images : sequence of Image
    media_types : sequence of str
        The type of each, as it is sent.

    Examples
    --------
    >>> from pathlib import Path
    >>> sent_names([Image(Path("/a/Anna.png"), "image/png", 1, 1, 1)], ["image/jpeg"])
    ['1.jpg']
    """
    numbers: dict[object, int] = {}
    names = []
    for image, media_type in zip(images, media_types, strict=True):
        stem = stem_of(image.path)
        if media_type != CAPTION or stem not in numbers:
            numbers[stem] = 1 + max(numbers.values(), default=0)
        names.append(f"{numbers[stem]}{_SUFFIXES.get(media_type, image.path.suffix)}")
    return names


def own_names_of(images: Sequence[Image], names: Sequence[str]) -> dict[str, str]:
    """Return the users' own names of photos, by the names that are sent, where they differ.

    Parameters
    ----------
    images : sequence of Image
    names : sequence of str
        From `sent_names`.

    Examples
    --------
    >>> from pathlib import Path
    >>> own_names_of([Image(Path("/a/Anna.png"), "image/png", 1, 1, 1)], ["1.jpg"])
    {'1.jpg': 'Anna.png'}
    """
    return {
        name: image.filename
        for image, name in zip(images, names, strict=True)
        if image.filename != name and not (image.copy is not None and image.copy.is_nameless)
    }
