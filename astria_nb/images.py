"""One image to train with, whatever it came from."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path

from astria_nb.errors import Problem, TuneError

# PNG and JPEG are certain; WebP is not documented, but in wide use. (astria-api, section 12)
# MPO is what many phones save as .jpg: a JPEG with a second picture behind it.
MEDIA_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_FORMATS = ("JPEG", "PNG", "WEBP")  # whose readers are let at the bytes
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True, slots=True)
class Image:
    """An image file that was looked at and found fit to send.

    Attributes
    ----------
    path : Path
        Where it lies, absolute.
    media_type : str
        ``image/jpeg``, ``image/png`` or ``image/webp``: by its bytes, not by its name.
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
                media_type, width, height = _look(path)
                return cls(path, media_type, path.stat().st_size, width, height)
            # Not opened: a pipe would wait for ever.
            folder = stat.S_ISDIR(mode)
            reason = "is a folder" if folder else "is not a regular file"
            hint = "give the files in it" if folder else "save it to one"
        except FileNotFoundError:
            reason, hint = "is not there", "check the path, or take it out"
        except OSError as error:
            reason = f"cannot be read ({error.strerror or error})"
            hint = "mend its permissions, or take it out"
        except _NotAnImageError as error:
            reason, hint = str(error), "convert it to JPEG, or take it out"
        except (RuntimeError, ValueError):  # a home of nobody, or characters that no disk takes
            reason, hint = "is no possible path", "check it, or take it out"
        raise _wrong(path, reason, hint)


class _NotAnImageError(Exception):
    pass


def _wrong(path: Path, reason: str, hint: str) -> TuneError:
    name = path.name if len(path.name) <= 80 else f"{path.name[:79]}…"
    return TuneError(Problem("images", f"{name!r} {reason}", hint))


def _look(path: Path) -> tuple[str, int, int]:
    """Return media type, width and height, reading no more than the header."""
    from PIL import Image as Pillow  # here, so that `import astria_nb` does not pay for it
    from PIL import UnidentifiedImageError

    with warnings.catch_warnings(), path.open("rb") as file:
        # Pillow only warns of an image that unpacks to gigabytes; the service refuses it, so do we.
        warnings.simplefilter("error", Pillow.DecompressionBombWarning)
        try:
            with Pillow.open(file, formats=_FORMATS) as image:
                return MEDIA_TYPES[image.format or ""], image.width, image.height
        except UnidentifiedImageError:
            what = "is empty" if not path.stat().st_size else "is not a JPEG, PNG or WebP image"
        except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError):
            what = "has too many pixels to be a photo"
        except (SyntaxError, ValueError, KeyError, OverflowError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            what = "is a damaged image"
        raise _NotAnImageError(what)


def thumbnail(source: Path | bytes, side: int = 96) -> bytes:
    """Return a JPEG whose long side is at most ``side`` pixels, turned upright.

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
    from PIL import Image as Pillow
    from PIL import ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("error", Pillow.DecompressionBombWarning)
        try:
            file = io.BytesIO(source) if isinstance(source, bytes) else source
            with Pillow.open(file, formats=_FORMATS) as opened:
                image: Pillow.Image = opened
                # Lets the JPEG decoder work at a fraction of the size: 79 ms against 179 ms at 12 megapixels.
                opened.draft("RGB", (side * 2, side * 2))
                if image.mode.startswith("I"):  # 16 bits of grey
                    image = image.convert("I").point(lambda value: value / 256).convert("L")
                image.thumbnail((side, side))
                upright = ImageOps.exif_transpose(image).convert("RGB")
        except (
            Pillow.DecompressionBombWarning,
            Pillow.DecompressionBombError,
            SyntaxError,
            ValueError,
        ) as error:
            raise OSError(f"not an image that can be shown: {error}") from None
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()


def sha256_of(path: Path) -> str | None:
    """Return the hash of a file in hexadecimal; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
