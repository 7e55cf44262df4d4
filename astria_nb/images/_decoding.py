"""Opening and decoding image files with Pillow: supported types only, at reduced size, and upright."""

from __future__ import annotations

import io
import re
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from astria_nb.images.media_type import HEAD_BYTES, media_type
from astria_nb.images.metadata import without_texts

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
}
"""The media types that can be uploaded, by Pillow's name of the format."""
_FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 2**30 // 12
"""Pillow's limit; the service refuses images that unpack to gigabytes."""
# Phones take photos of 200 megapixels. A JPEG is decoded at a fraction of its size, to be made smaller.
_MAX_PIXELS_MADE_SMALLER = 220_000_000
_MADE_SMALLER = ("JPEG", "MPO", "HEIF")
_HEAD_OF_TEXT = 256  # bytes
_ORIENTATION = 0x0112
_WEB_PAGE = re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE)
# What decoders raise for a damaged file; pillow_heif raises the last three.
_OF_DECODERS = (
    SyntaxError, ValueError, KeyError, IndexError, TypeError, OverflowError, OSError, struct.error,
    EOFError, RuntimeError, MemoryError,
)  # fmt: skip
_open_lock = threading.Lock()


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
        It is not of a supported type, is damaged, or has too many pixels.
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
            if image.width * image.height > _max_pixels(image.format):
                raise Pillow.DecompressionBombError
            yield image
            return
        except UnidentifiedImageError:
            file.seek(0)
            raise _not_an_image(file.read(_HEAD_OF_TEXT)) from None
        except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError):
            what = "has too many pixels to be a photo"
            hint = "save it smaller, or remove it"
        except _OF_DECODERS as error:
            if isinstance(error, InvalidImageError) or (
                isinstance(error, OSError) and error.errno is not None
            ):
                raise
            what, hint = "is a damaged image", "convert it to JPEG, or remove it"
    raise InvalidImageError(what, hint)


def _opened(file: IO[bytes]) -> Pillow.Image:
    """Return an image of which the header was read."""
    from PIL import Image as Pillow

    # The filters of warnings and Pillow's limit are shared by all threads, so only one may change them.
    with _open_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd files
        limit, Pillow.MAX_IMAGE_PIXELS = Pillow.MAX_IMAGE_PIXELS, None  # they are counted by the caller
        try:
            try:
                return Pillow.open(file, formats=_allowed_formats(file))
            except ValueError:  # Pillow reads no text of more than a megabyte
                file.seek(0)
                content = without_texts(file.read())
                if content is None:
                    raise
                return Pillow.open(io.BytesIO(content), formats=("PNG",))
        finally:
            Pillow.MAX_IMAGE_PIXELS = limit


def _max_pixels(file_format: str | None) -> int:
    return _MAX_PIXELS_MADE_SMALLER if file_format in _MADE_SMALLER else MAX_PIXELS


def _not_an_image(head: bytes) -> InvalidImageError:
    """Return what is wrong with a file that Pillow does not know, by its beginning."""
    if not head:
        return InvalidImageError("is empty", "copy it again, or remove it")
    if _WEB_PAGE.match(head):
        return InvalidImageError("is a web page, not an image", "download the image itself, or remove it")
    if head.startswith(b"version https://git-lfs"):
        return InvalidImageError("only stands for an image in Git LFS", "run git lfs pull, or remove it")
    if (media_type(head) or "").startswith("video/"):
        return InvalidImageError("is a video, not an image", "save a frame of it as JPEG, or remove it")
    return InvalidImageError("is not a JPEG, PNG or WebP image")


def decode(image: Pillow.Image, min_side: int) -> Pillow.Image:
    """Decode an opened image to 8 bits a channel and at least ``min_side`` pixels a side, if it has them.

    A JPEG is decoded at a fraction of its size if that is enough: 12 megapixels take 40 ms instead of 90.
    """
    image.draft("RGB", (min_side, min_side))
    try:
        image.load()
    except ValueError:
        if getattr(image, "tile", None):  # else the pixels were read, and a long text after them was not
            raise
    if image.mode.startswith("I"):  # 16-bit grey
        return image.convert("I").point(lambda value: value / 256).convert("L")
    return image


def turn_upright(image: Pillow.Image) -> Pillow.Image:
    """Return an image rotated by its EXIF orientation, without metadata; upright if that is unreadable."""
    return turn_upright_by(image, exif_of(image))


def turn_upright_by(image: Pillow.Image, exif: Pillow.Exif) -> Pillow.Image:
    """Return an image rotated by the orientation in some EXIF data, without metadata."""
    from PIL import Image as Pillow

    steps = {
        2: Pillow.Transpose.FLIP_LEFT_RIGHT,
        3: Pillow.Transpose.ROTATE_180,
        4: Pillow.Transpose.FLIP_TOP_BOTTOM,
        5: Pillow.Transpose.TRANSPOSE,
        6: Pillow.Transpose.ROTATE_270,
        7: Pillow.Transpose.TRANSVERSE,
        8: Pillow.Transpose.ROTATE_90,
    }
    step = steps.get(exif.get(_ORIENTATION, 1))
    upright = image.copy() if step is None else image.transpose(step)
    upright.info = {}  # Pillow would write a comment into the next file
    return upright


def exif_of(image: Pillow.Image) -> Pillow.Exif:
    """Return the EXIF data of an image; none if it is unreadable."""
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
    if media_type(head) != "image/heic":
        return _FORMATS
    try:
        from pillow_heif import register_heif_opener  # an extra
    except ImportError:
        hint = "pip install 'astria-nb[heic]', or convert it to JPEG"
        raise InvalidImageError("is HEIC, which cannot be read here", hint) from None
    register_heif_opener()
    return ("HEIF",)
