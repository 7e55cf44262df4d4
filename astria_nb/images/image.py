"""One image to train with, whatever it came from."""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from astria_nb.errors import Problem, TuneError
from astria_nb.images.decoding import MEDIA_TYPES, NotAPictureError, decoded, opened, upright
from astria_nb.utils.redaction import redact_name

if TYPE_CHECKING:
    from PIL import Image as Pillow

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif")
SMALL_BYTES = 30_000
_SIDES = (288, 208, 144, 96)  # pixels; 96 by 96 of them are below the limit whatever they show


@dataclass(frozen=True, slots=True)
class Image:
    """An image file that was looked at and found fit to send.

    Attributes
    ----------
    path : Path
        Where it lies, absolute.
    media_type : str
        ``image/jpeg``, ``image/png``, ``image/webp``, or ``image/heic`` with the extra of that name: by its
        bytes, not by its name.
    size : int
        Bytes.
    width, height : int
        Pixels, as stored (before any EXIF rotation).

    Examples
    --------
    >>> import tempfile; from PIL import Image as Pillow
    >>> folder = tempfile.TemporaryDirectory(); path = Path(folder.name) / "a.png"
    >>> Pillow.new("RGB", (640, 480)).save(path)
    >>> image = Image.open(path); image.media_type, image.width, image.height
    ('image/png', 640, 480)
    >>> folder.cleanup()
    """

    path: Path
    media_type: str
    size: int
    width: int
    height: int

    @property
    def filename(self) -> str:
        """The name that the service is told."""
        # A name that is not text on this disk (surrogates) still has to travel as UTF-8.
        return self.path.name.encode("utf-8", "replace").decode()

    @classmethod
    def open(cls, source: str | os.PathLike[str]) -> Image:
        """Look at a file and return it as an image.

        Raises
        ------
        TuneError
            When it is not there, cannot be read, or is not a JPEG, PNG or WebP image. Field ``images``.
        """
        path = Path(source)
        try:
            path = path.expanduser().absolute()
            mode = path.stat().st_mode
            if stat.S_ISREG(mode):
                with opened(path) as image:
                    media_type = MEDIA_TYPES[image.format or ""]
                    return cls(path, media_type, path.stat().st_size, image.width, image.height)
            # Not opened: a pipe would wait for ever.
            folder = stat.S_ISDIR(mode)
            reason = "is a folder" if folder else "is not a regular file"
            hint = "give the files in it" if folder else "save it to one"
        except NotAPictureError as error:
            reason, hint = str(error), error.hint
        except FileNotFoundError:
            reason, hint = "is not there", "check the path, or take it out"
        except OSError as error:
            reason = f"cannot be read ({error.strerror or error})"
            hint = "mend its permissions, or take it out"
        except (RuntimeError, ValueError):  # a home of nobody, or characters that no disk takes
            reason, hint = "is no possible path", "check it, or take it out"
        raise _wrong(path, reason, hint)


def _wrong(path: Path, reason: str, hint: str) -> TuneError:
    name = redact_name(path.name)
    name = name if len(name) <= 80 else f"{name[:79]}…"
    return TuneError(Problem("images", f"{name!r} {reason}", hint))


def thumbnail(source: Path | bytes, side: int = 96) -> bytes:
    """Return a JPEG whose long side is at most ``side`` pixels, turned upright, and nothing but the picture.

    Parameters
    ----------
    source : Path or bytes
        An image file, or the bytes of one.
    side : int
        Pixels.

    Raises
    ------
    OSError
        When it cannot be decoded.
    """
    with opened(source) as opening:
        image = decoded(opening, side * 2)
        image.thumbnail((side, side))
        return jpeg(upright(image))


def small(source: Path | bytes, side: int = _SIDES[0]) -> bytes:
    """Return a `thumbnail` of at most 30 KB, smaller than ``side`` pixels where that takes it.

    Raises
    ------
    OSError
        When it cannot be decoded.
    """
    for each in (side, *(fewer for fewer in _SIDES if fewer < side)):
        data = thumbnail(source, each)
        if len(data) <= SMALL_BYTES:
            break
    return data


def jpeg(image: Pillow.Image) -> bytes:
    """Return a picture that is in memory as a small JPEG."""
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()
