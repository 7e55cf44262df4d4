"""Tunes whose images are opened when they are sent, for tables of thousands of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from os import PathLike
from typing import Any

from astria_nb.errors import Problem, TuneError
from astria_nb.images import DeferredImage, Image, ImageContent, file_of, is_address, is_content, is_volatile
from astria_nb.tune import validators
from astria_nb.tune._tune import FIELDS, Tune, from_checked

_DELETED = (".trashed-", ".pending-")  # Android's names, of which a closer look tells more


def deferred_images(value: Any) -> tuple[tuple[Image, ...], list[Problem]]:
    """Return the images of a value of ``images``, not opened, and what is wrong with it.

    Files are looked at only to see that they are there; addresses are not asked, unless they are patterns or
    end with ``/``. Open files are copied at once, because they may be closed by the time they are sent.

    Parameters
    ----------
    value : object
        Anything that ``Tune(images=…)`` takes.
    """
    problems: list[Problem] = []

    def report(what: str, hint: str, key: str = "") -> None:  # noqa: ARG001  images have no keys
        problems.append(Problem("images", what, hint))

    if type(value) in (list, tuple):
        folder = os.getcwd()  # noqa: PTH109
        images = [_plain_file(item, folder) for item in value]
        if None not in images:
            return tuple(image for image in images if image is not None), problems
    return validators.images_later(value, report, _later), problems


def opened(tune: Tune) -> Tune:
    """Return a tune with all its images opened; the same one if they are.

    Raises
    ------
    TuneError
        With the problems of all images.
    """
    images, problems = [], list[Problem]()
    for image in tune.images:
        try:
            images.append(image.opened())
        except TuneError as error:
            problems += error.problems
    if problems:
        raise TuneError(*problems)
    if all(image is deferred for image, deferred in zip(images, tune.images, strict=True)):
        return tune
    values: Mapping[str, Any] = {name: getattr(tune, name) for name in FIELDS}
    return from_checked({**values, "images": tuple(images)})


def _later(source: Any) -> Image:
    if isinstance(source, Image):
        return source
    if isinstance(source, ImageContent):
        if (file := file_of(source)) is not None:
            return DeferredImage(file)
        return Image.open(source) if is_volatile(source.value) else DeferredImage(source)
    if is_content(source):
        return _later(ImageContent(source))
    if isinstance(source, str) and is_address(source):
        return DeferredImage(source)
    # What is not plainly a file is opened, for what is wrong with it.
    return _plain_file(source, os.getcwd()) or Image.open(source)  # noqa: PTH109


def _plain_file(item: Any, folder: str) -> DeferredImage | None:
    """Return an image for the path of a file that is there; None for anything that needs a closer look."""
    if isinstance(item, PathLike):
        item = os.fspath(item)
    if type(item) is not str or item.startswith("~") or any(mark in item for mark in _DELETED):
        return None
    path = os.path.join(folder, item)  # noqa: PTH118  here and below: a hundred thousand times
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return DeferredImage(path) if stat.S_ISREG(status.st_mode) and status.st_size else None
