"""Images that are opened when they are sent, for tables of thousands of tunes."""

from __future__ import annotations

import os
import stat
from os import PathLike
from typing import Any

from astria_nb.images import DeferredImage, Image, ImageContent, file_of, is_address, is_content, is_volatile

# Android's names for deleted photos, and captions, need a closer look.
_ODD = (".trashed-", ".pending-", ".txt", ".TXT")


def plain_files(value: Any) -> tuple[Image, ...] | None:
    """Return the images of a list of paths if all of them are existing files; else None."""
    if type(value) not in (list, tuple):
        return None
    folder = os.getcwd()  # noqa: PTH109
    images = []
    for item in value:
        image = _plain_file(item, folder)
        if image is None:
            return None
        images.append(image)
    return tuple(images)


def open_later(source: Any) -> Image:
    """Return an image that is opened when it is sent; content that may change until then is copied at once.

    Raises
    ------
    TuneError
        There is no such file, or an open file cannot be read.
    """
    if isinstance(source, Image):
        return source
    if isinstance(source, ImageContent):
        if (file := file_of(source)) is not None:
            return DeferredImage(file)
        return Image.open(source) if is_volatile(source.value) else DeferredImage(source)
    if is_content(source):
        return open_later(ImageContent(source))
    if isinstance(source, str) and is_address(source):
        return DeferredImage(source)
    # Anything but an ordinary file is opened, to find out what is wrong with it.
    return _plain_file(source, os.getcwd()) or Image.open(source)  # noqa: PTH109


def _plain_file(item: Any, folder: str) -> DeferredImage | None:
    """Return an image for the path of an existing file; None for anything that needs a closer look."""
    if isinstance(item, PathLike):
        item = os.fspath(item)
    if type(item) is not str or item.startswith("~") or any(mark in item for mark in _ODD):
        return None
    path = os.path.join(folder, item)  # noqa: PTH118  here and below: a hundred thousand times
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return DeferredImage(path) if stat.S_ISREG(status.st_mode) and status.st_size else None
