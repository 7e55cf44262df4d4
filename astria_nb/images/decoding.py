"""Pictures in memory: only of types that are sent, no larger than asked for, and the right way up."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:  # else where it is used, so that `import astria_nb` does not pay for it
    from PIL import Image as Pillow

# PNG and JPEG are certain; WebP is not documented, but in wide use. (astria-api, section 12)
# MPO is what many phones save as .jpg: a JPEG with a second picture behind it.
MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "HEIF": "image/heic",
}
_FORMATS = ("JPEG", "PNG", "WEBP")  # whose readers are let at the bytes
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_MOST_PIXELS = 2**30 // 12  # Pillow's own: what unpacks to gigabytes the service refuses, so do we
_opening = threading.Lock()


class NotAPictureError(OSError):
    """Says what is wrong with it (``is empty``), and what to do."""

    def __init__(self, what: str, hint: str = "convert it to JPEG, or take it out") -> None:
        super().__init__(what)
        self.hint = hint


@contextmanager
def opened(source: Path | bytes) -> Iterator[Pillow.Image]:
    """Open a picture, reading no more than its header; what it cannot be decoded for is raised as below.

    Raises
    ------
    NotAPictureError
        It is of no type that is sent, damaged, or too large to unpack.
    OSError
        It cannot be read.
    """
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    with ExitStack() as stack:
        file: IO[bytes] = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        stack.enter_context(file)
        try:
            # What Python shows of warnings is one setting for all threads: one at a time may change it.
            with _opening, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of many pixels, which are counted below, and odd files
                image = stack.enter_context(Pillow.open(file, formats=_formats(file)))
            if image.width * image.height > _MOST_PIXELS:
                raise Pillow.DecompressionBombError
            yield image
            return
        except UnidentifiedImageError:
            empty = not file.seek(0, io.SEEK_END)
            what = "is empty" if empty else "is not a JPEG, PNG or WebP image"
        except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError):
            what = "has too many pixels to be a photo"
        except (SyntaxError, ValueError, KeyError, OverflowError, OSError) as error:
            if isinstance(error, NotAPictureError) or (
                isinstance(error, OSError) and error.errno is not None
            ):
                raise
            what = "is a damaged image"
    raise NotAPictureError(what)


def decoded(image: Pillow.Image, least: int) -> Pillow.Image:
    """Decode a picture that was opened, to at least so many pixels a side where it has them, in 8 bits.

    A JPEG is decoded at a fraction of its size where that is enough: 12 megapixels take 40 ms instead of 90.
    """
    image.draft("RGB", (least, least))
    image.load()
    if image.mode.startswith("I"):  # 16 bits of grey
        return image.convert("I").point(lambda value: value / 256).convert("L")
    return image


def upright(image: Pillow.Image) -> Pillow.Image:
    """Return a picture turned as its Exif data says, and without all that its file told beside it."""
    from PIL import ImageOps

    turned = ImageOps.exif_transpose(image)
    turned.info = {}  # Pillow would write a comment into the next file
    return turned


def _formats(file: IO[bytes]) -> tuple[str, ...]:
    head = file.read(12)
    file.seek(0)
    if head[4:8] != b"ftyp" or head[8:] not in _HEIC_BRANDS:
        return _FORMATS
    try:
        from pillow_heif import register_heif_opener  # an extra
    except ImportError:
        hint = "pip install 'astria-nb[heic]', or convert it to JPEG"
        raise NotAPictureError("is HEIC, which cannot be read here", hint) from None
    register_heif_opener()
    return ("HEIF",)
