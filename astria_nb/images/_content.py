"""Photos that are not given as a path: bytes, an open file, a PIL image, an array of pixels, an upload."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from astria_nb.images._decoding import InvalidImageError
from astria_nb.images._pixels import (
    as_bytes,
    as_png,
    is_as_in_file,
    is_pil,
    is_pixels,
    is_untouched,
    picture_of,
)
from astria_nb.utils.formatting import quoted, shortened
from astria_nb.utils.redaction import redact_name

BLOCK_BYTES = 2**20
_BYTES = (bytes, bytearray, memoryview)
_MAX_LABEL = 80  # characters


@dataclass(frozen=True, slots=True, eq=False)
class ImageContent:
    """Content to send as an image that is not a file.

    Attributes
    ----------
    value : object
        A value that `is_content` accepts.
    name : str or None
        The file name of an upload.
    position : int or None
        Position in its list, from 1; for messages.
    """

    value: Any = field(repr=False)
    name: str | None = None
    position: int | None = None

    @property
    def filename(self) -> str | None:
        """The content's own file name; None if it has none."""
        if self.name is not None:
            return self.name
        name = next((name for key in ("name", "filename", "path") if (name := _text(self.value, key))), None)
        if name is not None and is_pil(self.value) and not is_untouched(self.value):
            return f"{PurePath(name).stem}.png"
        return name

    @property
    def address(self) -> str | None:
        """The address at which the content can be read again, if it comes from another file system."""
        if callable(getattr(self.value, "read", None)) or not is_openable(self.value):
            return None
        with suppress(Exception):  # the file system may raise anything
            return str(self.value.fs.unstrip_protocol(self.value.path))
        return None

    @property
    def label(self) -> str:
        """The content's name in a message, or else its kind and position."""
        name = self.filename
        if name is not None:
            return quoted(shortened(redact_name(name), _MAX_LABEL))
        kind = (
            "content in bytes"
            if isinstance(self.value, _BYTES)
            else "a PIL image"
            if is_pil(self.value)
            else "an array"
            if is_pixels(self.value)
            else "an open file"
        )
        return kind if self.position is None else f"{kind} (item {self.position})"


def is_content(value: Any) -> bool:
    """Return whether a value holds the content of one image, in memory or in an open file."""
    return (
        isinstance(value, (*_BYTES, ImageContent))
        or callable(getattr(value, "read", None))
        or is_pixels(value)
        or is_pil(value)
        or is_openable(value)
    )


def is_volatile(value: Any) -> bool:
    """Return whether content has to be read at once: an open file may change its position, or be closed."""
    is_file = not isinstance(value, _BYTES) and callable(getattr(value, "read", None))
    return is_file or (is_pil(value) and is_untouched(value))


def is_openable(value: Any) -> bool:
    """Return whether a value is fsspec's OpenFile, or a path on a file system other than this machine's."""
    return callable(getattr(getattr(value, "fs", None), "open", None)) and hasattr(value, "path")


def file_of(content: ImageContent) -> str | None:
    """Return the path of the file that a PIL image was opened from, if the image still shows its content."""
    value = content.value
    path = getattr(value, "filename", None) if is_pil(value) else None
    if not isinstance(path, str) or not Path(path).is_file():
        return None
    return path if is_untouched(value) or is_as_in_file(value, path) else None


def blocks_of(content: ImageContent) -> Iterator[bytes]:
    """Yield the content of an image file, block by block.

    An open file is read from its position to its end; the position is restored if possible. For a PIL image
    whose pixels were not read, its file is used; any other image, and an array, becomes a PNG.

    Parameters
    ----------
    content : ImageContent

    Raises
    ------
    InvalidImageError
        The content cannot be an image; the error says why.
    OSError
        It cannot be read.
    """
    value = content.value
    if isinstance(value, _BYTES):
        yield from _slices(memoryview(value))
    elif is_pil(value):
        if is_untouched(value):
            yield from _blocks_of_file(value.fp, start=0)
        else:
            yield from _slices(memoryview(as_png(value)))
    elif is_pixels(value):
        is_file = value.ndim == 1 and str(value.dtype) == "uint8"  # the result of OpenCV's imencode
        yield from _slices(memoryview(value.tobytes() if is_file else as_png(picture_of(value))))
    elif callable(getattr(value, "read", None)):
        yield from _blocks_of_file(value)
    else:
        with value.fs.open(value.path, "rb") as file:
            yield from _blocks_of_file(file)


def content_sha256(content: ImageContent) -> str:
    """Return the hexadecimal hash of content; for a PIL image or an array, that of its pixels.

    Unlike a PNG made from them, pixels do not depend on the version of the library, or on whether the image
    was displayed before.

    Raises
    ------
    Exception
        Whatever reading the content raises.
    """
    value = content.value
    if is_pil(value) or is_pixels(value):
        return hashlib.sha256(as_bytes(value)).hexdigest()
    digest = hashlib.sha256()
    for block in blocks_of(content):
        digest.update(block)
    return digest.hexdigest()


def read_block(file: Any) -> bytes:
    """Return the next block of an open file, shorter only at its end.

    Raises
    ------
    InvalidImageError
        It was opened as text.
    """
    block = bytearray()
    while len(block) < BLOCK_BYTES and (piece := file.read(BLOCK_BYTES - len(block))):
        if not isinstance(piece, _BYTES):
            if callable(close := getattr(piece, "close", None)):
                close()  # a coroutine, which is not awaited
            what = "was opened as text" if isinstance(piece, str) else "cannot be read as a file"
            raise InvalidImageError(what, "open it with open(path, 'rb'), or give its bytes")
        block += piece
    return bytes(block)


def _blocks_of_file(file: Any, start: int | None = None) -> Iterator[bytes]:
    if getattr(file, "closed", False) is True:
        raise InvalidImageError("is a closed file", "open it again, or give its path")
    position = None
    with suppress(OSError, AttributeError, TypeError, ValueError):  # a pipe, or a server's answer
        position = file.tell()
        file.seek(position if start is None else start)
    try:
        block = read_block(file)
        if not block and position and start is None:
            raise InvalidImageError("is an open file at its end", "rewind it: file.seek(0)")
        while block:
            yield block
            block = read_block(file)
    finally:
        if isinstance(position, int):
            with suppress(OSError, AttributeError, ValueError):
                file.seek(position)


def _slices(content: memoryview) -> Iterable[bytes]:
    if not content.contiguous:
        content = memoryview(content.tobytes())
    content = content.cast("B")
    for start in range(0, len(content), BLOCK_BYTES):
        yield bytes(content[start : start + BLOCK_BYTES])


def _text(value: Any, attribute: str) -> str | None:
    text = getattr(value, attribute, None)
    return PurePath(text).name or None if isinstance(text, str) else None
