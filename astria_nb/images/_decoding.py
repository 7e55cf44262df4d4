"""Opening and decoding image files with Pillow: supported types only, and at reduced size."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

from astria_nb.images._file_kinds import RE_ENCODED, is_readable, refusal, refusal_of_frame
from astria_nb.images.media_type import HEAD_BYTES, media_type
from astria_nb.images.metadata import MAX_PROFILE, read_frame, without_texts

if TYPE_CHECKING:  # imported where it is used, so that `import astria_nb` stays fast
    from PIL import Image as Pillow

# PNG and JPEG are documented; WebP is not, but it is widely used. (astria-api, section 12)
# MPO is what many phones save as .jpg: a JPEG followed by a second image.
MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}
"""The media types that can be uploaded, by Pillow's name of the format."""
_FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 2**30 // 12
"""Pillow's limit; the service refuses images that unpack to gigabytes."""
# Phones take photos of 200 megapixels. A JPEG is decoded at a fraction of its size, to be made smaller.
_MAX_PIXELS_MADE_SMALLER = 220_000_000
_MADE_SMALLER = ("JPEG", "MPO", "HEIF", "AVIF")
_HEAD_OF_TEXT = 256  # bytes
# Errors that decoders raise for a damaged file; pillow_heif raises the last three.
_OF_DECODERS = (
    SyntaxError, ValueError, KeyError, IndexError, TypeError, OverflowError, OSError, struct.error,
    EOFError, RuntimeError, MemoryError,
)  # fmt: skip
_open_lock = threading.Lock()
_LARGE = 40_000_000  # pixels
_large_lock = threading.Lock()


class InvalidImageError(OSError):
    """A file that is not a usable image.

    Parameters
    ----------
    what : str
        A predicate without a subject, such as ``is empty``.
    hint : str
        What to do about it.
    """

    def __init__(self, what: str, hint: str = "convert it to JPEG, or remove it") -> None:
        super().__init__(what)
        self.hint = hint


@contextmanager
def open_image(source: Path | bytes) -> Iterator[Pillow.Image]:
    """Open an image and read its header; errors while it is decoded in the `with` block are translated too.

    Parameters
    ----------
    source : Path or bytes
        An image file, or its content.

    Raises
    ------
    InvalidImageError
        It does not have a supported type, is damaged, or has too many pixels.
    OSError
        It cannot be read.
    """
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    with ExitStack() as stack:
        file: IO[bytes] = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        stack.enter_context(file)
        try:
            image = stack.enter_context(_opened(file))
            if image.width * image.height > (most := _max_pixels(image.format)):
                what = f"has {image.width * image.height / 1e6:.0f} megapixels, more than {most / 1e6:.0f}"
                raise InvalidImageError(what, "save it smaller, or remove it")
            yield image
            return
        except UnidentifiedImageError:
            file.seek(0)
            raise InvalidImageError(*refusal(file.read(_HEAD_OF_TEXT))) from None
        except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError):
            what, hint = "has too many pixels to be a photo", "save it smaller, or remove it"
        except _OF_DECODERS as error:
            if isinstance(error, InvalidImageError) or (
                isinstance(error, OSError) and error.errno is not None
            ):
                raise
            what, hint = "is a damaged image", "convert it to JPEG, or remove it"
    raise InvalidImageError(what, hint)


def _opened(file: IO[bytes]) -> Pillow.Image:
    """Return an image whose header has been read."""
    from PIL import Image as Pillow

    # The filters of warnings and Pillow's limit are shared by all threads, so only one may change them.
    with _open_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about unusual files
        limit, Pillow.MAX_IMAGE_PIXELS = Pillow.MAX_IMAGE_PIXELS, None  # the caller counts them
        try:
            try:
                return Pillow.open(file, formats=_allowed_formats(file))
            except ValueError:  # Pillow does not read texts or profiles of more than a megabyte
                file.seek(0)
                return _opened_with_long_chunks(file.read())
        finally:
            Pillow.MAX_IMAGE_PIXELS = limit


def _opened_with_long_chunks(content: bytes) -> Pillow.Image:
    """Return a PNG without its texts, and with its profile, whatever its length."""
    from PIL import Image as Pillow
    from PIL import PngImagePlugin

    limit, PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_CHUNK, MAX_PROFILE
    try:
        return Pillow.open(io.BytesIO(without_texts(content) or content), formats=("PNG",))
    finally:
        PngImagePlugin.MAX_TEXT_CHUNK = limit


def _max_pixels(file_format: str | None) -> int:
    return _MAX_PIXELS_MADE_SMALLER if file_format in _MADE_SMALLER else MAX_PIXELS


def one_at_a_time(image: Pillow.Image) -> AbstractContextManager[object]:
    """Return a context in which an opened image is decoded; large ones are decoded one at a time.

    A HEIC of 108 megapixels takes 0.8 GB meanwhile. A JPEG is decoded at a fraction of its size.
    """
    is_large = image.format not in ("JPEG", "MPO") and image.width * image.height > _LARGE
    return _large_lock if is_large else nullcontext()


def decode(image: Pillow.Image, min_side: int) -> Pillow.Image:
    """Decode an opened image to 8 bits a channel and at least ``min_side`` pixels a side, if it has them.

    A JPEG is decoded at a fraction of its size if that is enough: 12 megapixels take 40 ms instead of 90.
    """
    image.draft("RGB", (min_side, min_side))
    try:
        image.load()
    except ValueError:
        if getattr(image, "tile", None):  # otherwise the pixels were read, but not a long text after them
            raise
    return _of_8_bits(image) if image.mode.startswith("I") else image


def _of_8_bits(image: Pillow.Image) -> Pillow.Image:
    """Return an image in 16-bit grey with 8 bits; one of its greys may be transparent."""
    import numpy as np
    from PIL import Image as Pillow

    values = np.asarray(image)
    grey = Pillow.fromarray((values.clip(0, 65535) >> 8).astype(np.uint8))
    grey.info = {**image.info}
    transparent = grey.info.pop("transparency", None)
    if isinstance(transparent, int):  # only that grey, not all that are the same in 8 bits
        grey.putalpha(Pillow.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    return grey


def exif_of(image: Pillow.Image) -> Pillow.Exif:
    """Return the EXIF data of an image; empty if it is unreadable."""
    from PIL import Image as Pillow

    with _open_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return image.getexif()
        except Exception:  # noqa: BLE001  Pillow raises many kinds
            return Pillow.Exif()


def _allowed_formats(file: IO[bytes]) -> tuple[str, ...]:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    file_type = media_type(head)
    if file_type == "image/jpeg":
        frame = read_frame(file)
        file.seek(0)
        if frame is not None and (problem := refusal_of_frame(frame)) is not None:
            raise InvalidImageError(*problem)
    if file_type not in RE_ENCODED:
        return _FORMATS
    if not is_readable(file_type):
        raise InvalidImageError(*refusal(head))
    if file_type == "image/avif":
        return ("AVIF",)
    from pillow_heif import register_heif_opener  # an extra

    register_heif_opener()
    return ("HEIF",)
