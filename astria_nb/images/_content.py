"""What a photo can be besides a path: bytes, an open file, a PIL image, an array of pixels, an upload."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from astria_nb.images._decoding import InvalidImageError
from astria_nb.utils.redaction import redact_name

if TYPE_CHECKING:
    from PIL import Image as Pillow

BLOCK_BYTES = 2**20
_BYTES = (bytes, bytearray, memoryview)
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
_TO_8_BITS = {
    **dict.fromkeys(("f", "b"), "(array * 255).astype('uint8') if it is 0 to 1"),
    **dict.fromkeys(("i", "u"), "array.astype('uint8') if it is 0 to 255"),
    "uint16": "(array // 256).astype('uint8') if it is 0 to 65535",
}
_MAX_LABEL = 80  # characters
_PLAIN_MODES = ("1", "L", "RGB", "RGBA")
_DEEP_MODES = ("F", "I")  # 32 bits a pixel, of a range that only its owner knows


@dataclass(frozen=True, slots=True, eq=False)
class ImageContent:
    """Content that is to be sent as an image, though it is no file of its own.

    Attributes
    ----------
    value : object
        Of a kind that `is_content` accepts.
    name : str or None
        The file name of an upload.
    position : int or None
        In its list, from 1; for messages.
    """

    value: Any = field(repr=False)
    name: str | None = None
    position: int | None = None

    @property
    def filename(self) -> str | None:
        """The name that the content brings along; None if it has none."""
        if self.name is not None:
            return self.name
        name = next((name for key in ("name", "filename", "path") if (name := _text(self.value, key))), None)
        if name is not None and is_pil(self.value) and not is_untouched(self.value):
            return f"{PurePath(name).stem}.png"
        return name

    @property
    def address(self) -> str | None:
        """Where the content can be read again, if it is that of a path of another file system."""
        if callable(getattr(self.value, "read", None)) or not is_openable(self.value):
            return None
        with suppress(Exception):  # the file system is foreign
            return str(self.value.fs.unstrip_protocol(self.value.path))
        return None

    @property
    def label(self) -> str:
        """What the content is called in a message: its name, or what kind of thing it is, and where."""
        name = self.filename
        if name is not None:
            name = redact_name(name)
            return repr(name if len(name) <= _MAX_LABEL else f"{name[: _MAX_LABEL - 1]}…")
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


def is_pixels(value: Any) -> bool:
    """Return whether a value is an array of numbers, such as numpy's, and no column of a frame."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    is_frame = hasattr(value, "index")
    return kind in ("u", "i", "f", "b") and getattr(value, "ndim", 0) > 0 and not is_frame


def is_pil(value: Any) -> bool:
    """Return whether a value is one of Pillow's images."""
    return any(base.__module__ == "PIL.Image" for base in type(value).__mro__)


def is_volatile(value: Any) -> bool:
    """Return whether content has to be read at once: an open file may move on, or be closed."""
    is_file = not isinstance(value, _BYTES) and callable(getattr(value, "read", None))
    return is_file or (is_pil(value) and is_untouched(value))


def is_openable(value: Any) -> bool:
    """Return whether a value is fsspec's OpenFile, or a path of a file system that is not this machine's."""
    return callable(getattr(getattr(value, "fs", None), "open", None)) and hasattr(value, "path")


def is_untouched(image: Pillow.Image) -> bool:
    """Return whether a PIL image is as it was opened: its pixels were not read, so not changed either."""
    is_open = getattr(image, "fp", None) is not None and bool(getattr(image, "tile", None))
    return is_open and image.tell() == 0 and image.mode != "P"  # whose palette may be another one already


def file_of(content: ImageContent) -> str | None:
    """Return the path of the file that a PIL image was opened from, if it still shows what is in there."""
    value = content.value
    path = getattr(value, "filename", None) if is_pil(value) else None
    if not isinstance(path, str) or not Path(path).is_file():
        return None
    return path if is_untouched(value) or _is_as_in_file(value, path) else None


def _is_as_in_file(image: Pillow.Image, path: str) -> bool:
    """Return whether an image whose pixels were read, as a notebook does that shows it, was not changed."""
    from PIL import Image as Pillow  # slow to import

    with suppress(Exception), Pillow.open(path) as original:  # Pillow raises many kinds for a damaged file
        keys = "transparency", "icc_profile"
        if (image.mode, image.size) != (original.mode, original.size):
            return False
        if image.tobytes() != original.tobytes() or image.getpalette() != original.getpalette():
            return False
        return all(image.info.get(key) == original.info.get(key) for key in keys)
    return False


def blocks_of(content: ImageContent) -> Iterator[bytes]:
    """Yield the content of an image file, block by block.

    An open file is read from where it is to its end, and is put back where it was if it can be. A PIL image
    of which no pixel was read is the file that it is read from; any other one, and an array, becomes a PNG.

    Parameters
    ----------
    content : ImageContent

    Raises
    ------
    InvalidImageError
        It cannot be an image; it says why.
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
            yield from _slices(memoryview(_png(value)))
    elif is_pixels(value):
        is_file = value.ndim == 1 and str(value.dtype) == "uint8"  # what OpenCV's imencode returns
        yield from _slices(memoryview(value.tobytes() if is_file else _png(_from_pixels(value))))
    elif callable(getattr(value, "read", None)):
        yield from _blocks_of_file(value)
    else:
        with value.fs.open(value.path, "rb") as file:
            yield from _blocks_of_file(file)


def content_sha256(content: ImageContent) -> str:
    """Return the hexadecimal hash of content; of a PIL image and an array, that of its pixels.

    Unlike a PNG of them, pixels are the same with every version of the library, and whether or not the image
    was displayed before.

    Raises
    ------
    Exception
        As reading the content does.
    """
    value, digest = content.value, hashlib.sha256()
    if is_pil(value):
        value = value if value.mode in _PLAIN_MODES else value.convert("RGBA")
        digest.update(f"{value.mode} {value.size}".encode())
        digest.update(value.tobytes())
    elif is_pixels(value):
        digest.update(f"{value.dtype} {value.shape}".encode())
        digest.update(value.tobytes())
    else:
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
                close()  # a coroutine, which nobody awaits
            what = "was opened as text" if isinstance(piece, str) else "cannot be read as a file"
            raise InvalidImageError(what, "open it with open(path, 'rb'), or give its bytes")
        block += piece
    return bytes(block)


def _blocks_of_file(file: Any, start: int | None = None) -> Iterator[bytes]:
    if getattr(file, "closed", False) is True:
        raise InvalidImageError("is a file that is closed", "open it again, or give its path")
    position = None
    with suppress(OSError, AttributeError, TypeError, ValueError):  # a pipe, or an answer of a server
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


def _from_pixels(pixels: Any) -> Pillow.Image:
    from PIL import Image as Pillow  # slow to import

    shape, hint = tuple(pixels.shape), ""
    if str(pixels.dtype) != "uint8":
        code = _TO_8_BITS.get(str(pixels.dtype)) or _TO_8_BITS[pixels.dtype.kind]
        hint = f"give uint8 from 0 to 255, such as {code}"
        raise InvalidImageError(f"is an array of {pixels.dtype}", hint)
    if len(shape) == 3 and shape[2] == 1:
        pixels, shape = pixels[:, :, 0], shape[:2]
    is_picture = (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))) and 0 not in shape
    if not is_picture:
        hint = "give height x width, or height x width x 3 or 4"
        if len(shape) == 3 and shape[0] in (1, 3, 4):
            hint = "give array.transpose(1, 2, 0), which has the colours last"
        raise InvalidImageError(f"is an array of {' x '.join(map(str, shape))} numbers", hint)
    import numpy as np

    return Pillow.fromarray(np.ascontiguousarray(pixels))


def _text(value: Any, attribute: str) -> str | None:
    text = getattr(value, attribute, None)
    return PurePath(text).name or None if isinstance(text, str) else None


def _png(image: Pillow.Image) -> bytes:
    """Return the pixels of an image as a PNG: upright, with its colour profile and no other metadata."""
    from PIL import ImageOps

    try:
        profile = image.info.get("icc_profile")
        upright = ImageOps.exif_transpose(image)
        if upright.mode in _DEEP_MODES:
            hint = "make it 8 bits a colour, such as image.convert('RGB')"
            raise InvalidImageError(f"has pixels of the mode {upright.mode!r}", hint)
        if upright.mode not in _PNG_MODES:
            profile = None if upright.mode != "RGBX" else profile
            upright = upright.convert("RGBA" if upright.mode.upper() in ("LA", "RGBA", "PA") else "RGB")
        out = io.BytesIO()
        transparency = {key: upright.info[key] for key in ("transparency",) if key in upright.info}
        upright.info = {}  # comments and times, which Pillow would write
        upright.save(out, "PNG", icc_profile=profile, **transparency)
    except InvalidImageError:
        raise
    except Exception as error:  # Pillow raises many kinds for an image whose file is damaged or closed
        raise InvalidImageError("cannot be read", "open it again, or give the path of its file") from error
    return out.getvalue()
