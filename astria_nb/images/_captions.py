"""Captions: text files beside photos, such as ``IMG_1.txt`` beside ``IMG_1.jpg`` (astria-api, section 12)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from astria_nb.images._decoding import InvalidImageError

MEDIA_TYPE = "text/plain"
SUFFIX = ".txt"
_MAX_BYTES = 2**16


def is_caption_name(path: str | PurePath) -> bool:
    """Return whether a file is a caption by its name.

    Examples
    --------
    >>> is_caption_name("IMG_1.TXT"), is_caption_name("IMG_1.jpg")
    (True, False)
    """
    return str(path).lower().endswith(SUFFIX)


def check_caption(path: Path) -> int:
    """Return the size of a caption in bytes.

    Raises
    ------
    InvalidImageError
        The caption is not a short text in UTF-8.
    OSError
        It cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    hint = "write a caption as text in UTF-8, or leave it out"
    if len(content) > _MAX_BYTES:
        raise InvalidImageError("is too long for a caption", hint)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidImageError("is not text", hint) from None
    if "\0" in text:
        raise InvalidImageError("is not text", hint)
    if not text.strip():
        raise InvalidImageError("is empty", hint)
    return len(content)


def captions_beside(paths: Iterable[Path]) -> list[Path]:
    """Return the captions beside photos that are not empty, in the order of the photos.

    Parameters
    ----------
    paths : iterable of Path
        The caption of ``IMG_1.jpg`` is ``IMG_1.txt``; a caption that several photos share is returned once.
    """
    captions: dict[Path, None] = {}
    for path in paths:
        for caption in (path.with_suffix(SUFFIX), path.with_suffix(SUFFIX.upper())):
            try:
                if caption.stat().st_size:
                    captions[caption] = None
                    break
            except OSError:
                continue
    return list(captions)


def stem_of(path: PurePath) -> tuple[PurePath, str]:
    """Return what a photo and its caption share: the folder, and the name without its suffix."""
    return path.parent, path.stem.casefold()
