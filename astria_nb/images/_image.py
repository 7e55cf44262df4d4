"""A training image on disk, and thumbnails."""

from __future__ import annotations

import errno
import io
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from astria_nb.errors import Problem, TuneError
from astria_nb.images._decoding import MEDIA_TYPES, InvalidImageError, decode, open_image, turn_upright
from astria_nb.utils.redaction import redact_name

if TYPE_CHECKING:
    from PIL import Image as Pillow

SMALL_BYTES = 30_000
_NEXT_STEPS = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), "fix its permissions"),
    **dict.fromkeys((errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR), "check the path"),
}
_SIDES = (288, 208, 144, 96)  # pixels; 96 by 96 of them are below the limit whatever they show


@dataclass(frozen=True, slots=True)
class Image:
    """An image file that was checked and can be uploaded.

    Attributes
    ----------
    path : Path
        Absolute.
    media_type : str
        ``image/jpeg``, ``image/png``, ``image/webp``, or ``image/heic`` with the extra of that name;
        determined by the content, not by the name.
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
        """The name that is sent to the service."""
        # A name that is not valid text on this disk (surrogates) still has to be sent as UTF-8.
        return self.path.name.encode("utf-8", "replace").decode()

    @classmethod
    def open(cls, source: str | os.PathLike[str]) -> Image:
        """Check a file and return it as an image.

        Parameters
        ----------
        source : str or path
            May begin with ``~``.

        Raises
        ------
        TuneError
            It does not exist, cannot be read, or is not a JPEG, PNG or WebP image. Field ``images``.
        """
        path = Path(source)
        try:
            with suppress(RuntimeError):  # the home of nobody: a name that begins with "~"
                path = path.expanduser()
            path = path.absolute()
            mode = path.stat().st_mode
            if stat.S_ISREG(mode):
                with open_image(path) as image:
                    media_type = MEDIA_TYPES[image.format or ""]
                    return cls(path, media_type, path.stat().st_size, image.width, image.height)
            # Not opened: reading a pipe would block.
            is_folder = stat.S_ISDIR(mode)
            reason = "is a folder" if is_folder else "is not a regular file"
            hint = "pass the files in it" if is_folder else "leave it out, or save its content as a file"
        except InvalidImageError as error:
            reason, hint = str(error), error.hint
        except FileNotFoundError:
            reason, hint = "does not exist", "check the path, or remove it"
        except OSError as error:
            reason = f"cannot be read ({error.strerror or error})"
            hint = f"{_NEXT_STEPS.get(error.errno or 0, 'check its disk')}, or remove it"
        except ValueError:  # characters that no disk allows
            reason, hint = "is not a valid path", "check it, or remove it"
        raise _error(path, reason, hint)


def _error(path: Path, reason: str, hint: str) -> TuneError:
    name = redact_name(path.name)
    name = name if len(name) <= 80 else f"{name[:79]}…"
    return TuneError(Problem("images", f"{name!r} {reason}", hint))


def thumbnail(source: Path | bytes, side: int = 96) -> bytes:
    """Return an upright JPEG without metadata whose long side is at most ``side`` pixels.

    Parameters
    ----------
    source : Path or bytes
        An image file, or its content.
    side : int
        Pixels.

    Raises
    ------
    OSError
        It cannot be decoded.
    """
    with open_image(source) as opened:
        image = decode(opened, side * 2)
        image.thumbnail((side, side))
        return encode_jpeg(turn_upright(image))


def small_thumbnail(source: Path | bytes, side: int = _SIDES[0]) -> bytes:
    """Return a `thumbnail` of at most 30 KB, with fewer than ``side`` pixels if necessary.

    Parameters
    ----------
    source : Path or bytes
        An image file, or its content.
    side : int
        Pixels.

    Raises
    ------
    OSError
        It cannot be decoded.
    """
    for candidate in (side, *(smaller for smaller in _SIDES if smaller < side)):
        data = thumbnail(source, candidate)
        if len(data) <= SMALL_BYTES:
            break
    return data


def encode_jpeg(image: Pillow.Image) -> bytes:
    """Return a decoded image as a small JPEG file."""
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()
