"""The value of ``images`` in any form: a list, a folder, a pattern, uploads, or one image."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from os import PathLike
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote

from astria_nb.errors import TuneError
from astria_nb.images import (
    SUFFIXES,
    DeferredImage,
    Image,
    ImageContent,
    InvalidImageError,
    captions_beside,
    images_at,
    is_address,
    is_content,
    is_hidden,
    is_many,
    natural_order,
    pictures_in,
    stem_of,
)
from astria_nb.tune import _picture_hints as picture_hints
from astria_nb.tune._folder_hints import hint_for_pattern, is_pattern, problem_with_folder
from astria_nb.tune._path_repairs import expanded, is_folder, mode_of
from astria_nb.tune._proposals import Report
from astria_nb.utils.formatting import short

_MAX_PATH = 1000  # bytes; about the size of the smallest photo
_OF_FILE = re.compile(r"\s*file:(?://(?:localhost)?(?=/))?", re.IGNORECASE)

Opener = Callable[[Any], Image]
"""Returns a path, an address or content as an image, or raises a `TuneError`."""


def images_in(
    value: Any, items_of: Callable[[Any], Iterable[Any]], report: Report, opener: Opener
) -> tuple[Image, ...]:
    """Return the images for a value of ``images``, and report what is wrong with the others.

    Parameters
    ----------
    value : object
        A list of paths, addresses and images in memory, or one of them; a folder; a pattern; what upload
        widgets return.
    items_of : callable
        Returns the items of a list, and reports a value that is not a list.
    report : callable
    opener : callable
        Makes an image of each.
    """
    if type(value).__name__ == "FileUpload":  # the widget itself
        value = value.value
    if type(value) is tuple and all(isinstance(item, Image) for item in value):
        return value
    opened: list[Image] = []
    sources = _in_whole(value, report)
    for number, item in enumerate(items_of(value) if sources is None else sources, 1):
        if isinstance(item, Image):
            opened.append(item)
            continue
        for source in _in_item(item, number, report):
            try:
                opened.append(opener(source))
            except TuneError as error:
                for problem in error.problems:
                    is_path = isinstance(source, str | PathLike)
                    hint = picture_hints.hint_for_no_picture(source) if is_path else None
                    report(problem.what, hint or problem.hint)
    return tuple(_without_stray_captions(opened, report))


def is_folder_or_pattern(value: Any) -> bool:
    """Return whether a value of ``images`` means the photos of a folder, whatever files are in it."""
    path = _path(value)
    if not isinstance(path, str) or is_address(path):
        return False
    return is_folder(path) or (is_pattern(path) and mode_of(path) is None)


def with_captions(images: tuple[Image, ...], report: Report) -> tuple[Image, ...]:
    """Return images with the captions beside them, each after its photo."""
    paths = [image.path for image in images]
    captions: dict[Any, Image] = {}
    for path in captions_beside(paths):
        try:
            captions[stem_of(path)] = Image.open(path)
        except TuneError as error:
            report(error.problems[0].what, error.problems[0].hint)
    with_own = (pair for image in images for pair in (image, captions.pop(stem_of(image.path), None)))
    return tuple(image for image in with_own if image is not None)


def _without_stray_captions(images: list[Image], report: Report) -> Iterator[Image]:
    """Yield images, and captions of images in the list; report other captions."""
    captions = [image for image in images if _is_caption(image)]
    stems = {stem_of(image.path) for image in images if not _is_caption(image)} if captions else set()
    stray = [image for image in captions if stem_of(image.path) not in stems]
    for image in stray:
        what = f"{short(image.filename)} is a caption with no matching photo in the list"
        report(what, "leave it out, or add its photo")
    yield from (image for image in images if image not in stray)


def _is_caption(image: Image) -> bool:
    # A deferred image is not opened for this: it is never a caption.
    return not isinstance(image, DeferredImage) and image.is_caption


def uploads_in(value: Mapping[Any, Any]) -> list[ImageContent] | None:
    """Return the files of an upload by their names; None if the mapping is not an upload.

    Colab's ``files.upload()`` returns their content, and ipywidgets' ``FileUpload.value`` a mapping for each.

    Examples
    --------
    >>> [content.name for content in uploads_in({"a.jpg": b"", "b.jpg": {"content": b""}})]
    ['a.jpg', 'b.jpg']
    >>> uploads_in({"name": "a.jpg", "content": b""})[0].name
    'a.jpg'
    """
    if is_content(value.get("content")):
        return [ImageContent(value["content"], _name(value.get("name")))]
    uploads = []
    for name, item in value.items():
        content = item.get("content") if isinstance(item, Mapping) else item
        if not isinstance(name, str) or not is_content(content):
            return None
        uploads.append(ImageContent(content, _name(name)))
    return uploads


def files_of(pattern: str) -> list[str]:
    """Return the images that a pattern matches, in natural order: as in a folder, by their names."""
    matches = glob.glob(str(expanded(pattern)), recursive=True)  # noqa: PTH207  takes absolute patterns
    names = (path for path in matches if path.lower().endswith(SUFFIXES))
    files = (path for path in names if not is_hidden(os.path.basename(path)))  # noqa: PTH119
    return sorted((path for path in files if _has_content(path)), key=natural_order)


def _in_whole(value: Any, report: Report) -> list[Any] | None:
    """Return the images for a value other than a list; None for a list."""
    if isinstance(value, Image):
        return [value]
    if isinstance(path := _path(value), str):
        if is_folder(path):
            return _in_folder(path, report)
    elif isinstance(value, Mapping):
        if (uploads := uploads_in(value)) is not None:
            return list(uploads)
    elif getattr(value, "ndim", 0) == 4 and is_content(value):
        return list(value)
    elif is_content(value) or is_content(getattr(value, "contents", None)):
        return [value]
    if problem := picture_hints.problem_with_list(value):
        report(*problem)
        return []
    return None if path is None else [value]


def _in_folder(path: str, report: Report) -> list[Any]:
    with suppress(OSError):  # what is wrong with it is reported below
        if files := pictures_in(expanded(path)):
            return list(files)
    report(*problem_with_folder(path))
    return []


def _in_item(item: Any, number: int, report: Report) -> Iterator[Any]:
    """Yield the paths, addresses and contents to open for an item of a list."""
    if isinstance(item, Mapping) and (uploads := uploads_in(item)):
        yield from uploads
    elif isinstance(item, ImageContent):
        yield item
    elif is_content(content := getattr(item, "contents", None)):  # an upload of marimo
        yield ImageContent(content, _name(getattr(item, "name", None)))
    elif isinstance(item, bytes) and _is_path_in_bytes(item):
        report(f"{short(item)} is a path in bytes", "give text: os.fsdecode(path)")
    elif not isinstance(item, str | PathLike) and is_content(item):
        yield ImageContent(item, position=number)
    elif isinstance(path := _path(item), str) and mode_of(path) is None and is_address(path):
        yield from _in_address(path, report)
    elif isinstance(path, str) and mode_of(path) is None and is_pattern(path):
        files = files_of(path)
        if not files:
            report(f"{short(PurePath(path).name)} is a pattern that matches no image", hint_for_pattern(path))
        yield from files
    elif problem := picture_hints.problem_with_item(path if isinstance(path, str) else item):
        report(*problem)
    else:
        yield path if isinstance(path, str) else item


def _in_address(address: str, report: Report) -> Iterator[str]:
    try:
        files = images_at(address) if is_many(address) else None
    except InvalidImageError as error:
        report(f"{short(address)} {error}", error.hint)
    else:
        yield from [address] if files is None else files


def _path(item: Any) -> Any:
    path = picture_hints.fspath(item) if isinstance(item, str | PathLike) else None
    return _without_scheme(path) if isinstance(path, str) else path


def _without_scheme(path: str) -> str:
    """Return the path in the address of a file on this machine, if the file exists."""
    if not _OF_FILE.match(path) or mode_of(path) is not None:
        return path.strip() if is_address(path.strip()) else path
    bare = _OF_FILE.sub("", path.strip(), count=1)
    return next((local for local in (bare, unquote(bare)) if mode_of(local) is not None), path)


def _is_path_in_bytes(content: bytes) -> bool:
    return 0 < len(content) < _MAX_PATH and b"\0" not in content and mode_of(os.fsdecode(content)) is not None


def _name(name: Any) -> str | None:
    return Path(name).name if isinstance(name, str) else None


def _has_content(path: str) -> bool:
    try:
        return os.path.isfile(path) and os.path.getsize(path) > 0  # noqa: PTH113, PTH202  text, many times
    except OSError:
        return False
