"""A training image, and thumbnails."""

from __future__ import annotations

import errno
import io
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astria_nb.errors import Problem, TuneError
from astria_nb.images import _addresses as addresses
from astria_nb.images._captions import MEDIA_TYPE as CAPTION
from astria_nb.images._captions import check_caption, is_caption_name
from astria_nb.images._content import ImageContent, blocks_of, file_of, is_content
from astria_nb.images._decoding import MEDIA_TYPES, InvalidImageError, decode, open_image
from astria_nb.images._file_memory import FileMemory, Identity, identity_in
from astria_nb.images._right_way_up import orientation_of, turn_upright
from astria_nb.images._temporary_copy import StorageError, TemporaryCopy
from astria_nb.utils.formatting import quoted, short
from astria_nb.utils.redaction import redact_name

if TYPE_CHECKING:
    from PIL import Image as Pillow

SMALL_BYTES = 30_000
_usable = FileMemory[tuple[str, int, int, int]]()
_NEXT_STEPS = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), "fix its permissions"),
    **dict.fromkeys((errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR), "check the path"),
}
_SIDES = (288, 208, 144, 96)  # pixels; 96 by 96 are below the limit whatever they show


@dataclass(frozen=True, slots=True)
class Image:
    """An image that was checked and can be uploaded.

    Attributes
    ----------
    path : Path
        Absolute. For content in memory or at an address, a private temporary copy, which exists as long as
        the image.
    media_type : str
        ``image/jpeg``, ``image/png``, ``image/webp``, ``image/avif`` if Pillow reads it, or ``image/heic``
        with the extra of that name; determined by the content, not by the name. ``text/plain`` for a photo's
        caption, a file ``.txt``.
    size : int
        Bytes.
    width, height : int
        Pixels, as stored (before any EXIF rotation); 0 for a caption.
    copy : TemporaryCopy or None
        The copy that `path` leads to; None for a file.

    Examples
    --------
    >>> import tempfile; from PIL import Image as Pillow
    >>> folder = tempfile.TemporaryDirectory(); path = Path(folder.name) / "a.png"
    >>> Pillow.new("RGB", (640, 480)).save(path)
    >>> image = Image.open(path); image.media_type, image.width, image.height
    ('image/png', 640, 480)
    >>> Image.open(path.read_bytes()).origin is None
    True
    >>> folder.cleanup()
    """

    path: Path
    media_type: str
    size: int
    width: int
    height: int
    copy: TemporaryCopy | None = field(default=None, repr=False, compare=False)

    @property
    def filename(self) -> str:
        """The name that is sent to the service."""
        # A name that is not valid text on this disk (surrogates) still has to be sent as UTF-8.
        return self.path.name.encode("utf-8", "replace").decode()

    @property
    def origin(self) -> str | None:
        """The path or address at which the image can be opened again; None if it was in memory."""
        return str(self.path) if self.copy is None else self.copy.address

    @property
    def is_caption(self) -> bool:
        """Whether it is the text that describes another image."""
        return self.media_type == CAPTION

    def opened(self) -> Image:
        """Return the checked image; opens an image that was to be opened later."""
        return self

    @classmethod
    def open(cls, source: Any) -> Image:
        """Check a file, or content in memory, and return it as an image.

        Parameters
        ----------
        source : str, path or image in memory
            A path may begin with ``~``; an address such as ``s3://bucket/1.jpg`` needs the extra ``fsspec``.
            In memory: bytes, a file open for reading, a PIL image, or an array of 8-bit pixels.

        Raises
        ------
        TuneError
            The source does not exist, cannot be read, or is neither a JPEG, PNG or WebP image nor a caption.
            Field ``images``.
        """
        if isinstance(source, ImageContent) or is_content(source):
            content = source if isinstance(source, ImageContent) else ImageContent(source)
            file = file_of(content)
            return cls._open_file(Path(file)) if file is not None else cls._open_content(content)
        if isinstance(source, str) and addresses.is_address(source):
            return cls._open_address(source)
        try:
            path = Path(source)
        except TypeError:
            what = f"{short(source)} is neither a path nor an image in memory"
        else:
            return cls._open_file(path)
        raise TuneError(Problem("images", what, "give the path of a file, or its content"))

    @classmethod
    def _open_content(cls, content: ImageContent) -> Image:
        try:
            copy = TemporaryCopy.store(blocks_of(content), content.filename, content.address)
            return cls._of_copy(copy)
        except InvalidImageError as error:
            problem = Problem("images", f"{content.label} {error}", error.hint)
        except StorageError as error:
            problem = _not_stored(content.label, error)
        except Exception as error:  # noqa: BLE001  the caller's object may raise anything
            reason = getattr(error, "strerror", None) or type(error).__name__
            problem = Problem(
                "images", f"{content.label} cannot be read ({reason})", "give its path or bytes"
            )
        raise TuneError(problem)

    @classmethod
    def _open_address(cls, address: str) -> Image:
        label = quoted(redact_name(addresses.name_of(address)))
        try:
            copy = TemporaryCopy.store(addresses.blocks_at(address), addresses.name_of(address), address)
            return cls._of_copy(copy)
        except InvalidImageError as error:
            problem = Problem("images", f"{label} {error}", error.hint)
        except StorageError as error:
            problem = _not_stored(label, error)
        raise TuneError(problem)

    @classmethod
    def _of_copy(cls, copy: TemporaryCopy) -> Image:
        with open_image(copy.path) as image:
            media_type, size = MEDIA_TYPES[image.format or ""], copy.path.stat().st_size
            return cls(copy.path, media_type, size, image.width, image.height, copy)

    @classmethod
    def _open_file(cls, path: Path) -> Image:
        try:
            with suppress(RuntimeError):  # not a home folder: a name that begins with "~"
                path = path.expanduser()
            path = path.absolute()
            info = path.stat()
            mode = info.st_mode
            if stat.S_ISREG(mode) and is_caption_name(path):
                return cls(path, CAPTION, check_caption(path), 0, 0)
            if stat.S_ISREG(mode):
                return cls(path, *_checked(path, identity_in(info)))
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

    def __repr__(self) -> str:
        if self.copy is not None:  # a path of this process means nothing in a saved notebook
            source = self.copy.address and redact_name(self.copy.address)
            where = f"from {source}" if source else "from memory"
            return f"<Image {self.filename!r}, {self.width} x {self.height}, {where}>"
        names = ("path", "media_type", "size", "width", "height")
        return f"Image({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    def __reduce__(self) -> tuple[Any, ...]:
        # A temporary copy does not exist in another process.
        if self.copy is None:
            return Image, (self.path, self.media_type, self.size, self.width, self.height)
        return Image.open, (ImageContent(self.path.read_bytes(), self.path.name),)


def _checked(path: Path, identity: Identity) -> tuple[str, int, int, int]:
    """Return media type, bytes, width and height of a file; cached, since a batch checks all files first."""
    if (remembered := _usable.get(identity)) is not None:
        return remembered
    with open_image(path) as image:
        info = path.stat()
        found = MEDIA_TYPES[image.format or ""], info.st_size, image.width, image.height
    if identity_in(info) == identity:  # otherwise it was replaced during the check
        _usable.put(identity, found)
    return found


def _not_stored(label: str, error: OSError) -> Problem:
    hint = "free some space, or set TMPDIR to another folder and restart the kernel"
    return Problem("images", f"{label} cannot be copied to the folder for temporary files ({error})", hint)


def _error(path: Path, reason: str, hint: str) -> TuneError:
    name = redact_name(path.name)
    name = name if len(name) <= 80 else f"{name[:79]}…"
    return TuneError(Problem("images", f"{quoted(name)} {reason}", hint))


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
        orientation = orientation_of(opened)
        image.thumbnail((side, side))
        return encode_jpeg(turn_upright(image, orientation))


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
