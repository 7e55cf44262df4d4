"""Smaller copies of images, cached in temporary files until the process ends."""

from __future__ import annotations

import io
import os
import tempfile
import threading
from collections import OrderedDict
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from astria_nb.images._colours import settled
from astria_nb.images._damage import decoded_jpeg
from astria_nb.images._decoding import decode, one_at_a_time, open_image
from astria_nb.images._file_kinds import RE_ENCODED
from astria_nb.images._image import Image
from astria_nb.images._right_way_up import orientation_of, turn_upright
from astria_nb.images._temporary_copy import StorageError
from astria_nb.images.metadata import DamagedImageError, coding_points
from astria_nb.utils.temporary_folder import TemporaryFolder

if TYPE_CHECKING:
    from PIL import Image as Pillow


_QUALITY = 92
_BEFORE_PICTURE = 65536  # bytes
_RESIZABLE = ("L", "LA", "RGB", "RGBA", "CMYK")
_MAX_FILES = 128  # about as many MB
_Key = tuple[Path, int, int, int, bool]


def needs_resizing(image: Image, max_side: int | None) -> bool:
    """Return whether an image is re-encoded: it is too large, or HEIC or AVIF."""
    return max_side is not None and (
        max(image.width, image.height) > max_side or image.media_type in RE_ENCODED
    )


def open_resized(image: Image, max_side: int, *, keep_damaged: bool = False) -> tuple[FileIO, str]:
    """Return an open file with a copy whose long side is at most ``max_side`` pixels, and its media type.

    The copy is upright and keeps the colour profile but no other metadata. It is reused as long as the
    image's file does not change. Thread-safe.

    Raises
    ------
    StorageError
        The disk for temporary files is full or read-only.
    DamagedImageError
        It can only be decoded with errors, and damaged images are not to be sent.
    OSError
        The image cannot be read or decoded.
    """
    info = image.path.stat()
    key = (image.path, info.st_mtime_ns, info.st_size, max_side, keep_damaged)
    if (copy := _cache.find(key)) is not None:
        return copy
    content, media_type = _resize(image.path, max_side, keep_damaged=keep_damaged)
    try:
        return _cache.store(key, content, media_type)
    except OSError as error:
        raise StorageError(error.strerror or str(error)) from None


class _Cache:
    """Temporary files, the least recently used first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: OrderedDict[_Key, tuple[Path, str]] = OrderedDict()
        self._folder: TemporaryFolder | None = None
        self._owner = 0

    def find(self, key: _Key) -> tuple[FileIO, str] | None:
        with self._lock:
            path, media_type = self._files.get(key, (None, ""))
            if path is None:
                return None
            try:
                self._files.move_to_end(key)
                return path.open("rb", buffering=0), media_type
            except OSError:  # the temporary folder was cleaned up, or its disk is gone
                del self._files[key]
                return None

    def store(self, key: _Key, content: bytes, media_type: str) -> tuple[FileIO, str]:
        with self._lock:
            descriptor, name = tempfile.mkstemp(dir=self._writable_folder())
            path = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
            except OSError:
                _remove(path)
                raise
            replaced = self._files.pop(key, None)
            self._files[key] = path, media_type
            if replaced is not None:
                _remove(replaced[0])
            while len(self._files) > _MAX_FILES:
                _remove(self._files.popitem(last=False)[1][0])
            return path.open("rb", buffering=0), media_type

    def _writable_folder(self) -> Path:
        # A forked process gets its own folder, because its parent removes the first one when it ends.
        if self._folder is None or self._owner != os.getpid() or not os.path.isdir(self._folder.path):  # noqa: PTH112  pathlib raises if the disk is gone
            self._files.clear()
            self._folder, self._owner = TemporaryFolder(), os.getpid()
        return self._folder.path


def _remove(path: Path) -> None:
    with suppress(OSError):  # Windows does not remove a file that is still being sent
        path.unlink()


def _resize(path: Path, max_side: int, *, keep_damaged: bool) -> tuple[bytes, str]:
    from PIL import Image as Pillow

    with open_image(path) as opened, one_at_a_time(opened):
        coding = _coding(opened, path)
        image = _decoded(opened, path, max_side, keep_damaged=keep_damaged)
        if image.mode in _RESIZABLE:  # with a palette, or in black and white, colours are converted first
            image.thumbnail((max_side, max_side), Pillow.Resampling.LANCZOS)
        image, profile = settled(image, coding)
        if max(image.size) > max_side:
            image.thumbnail((max_side, max_side), Pillow.Resampling.LANCZOS)
        image = turn_upright(image, orientation_of(opened))
        file_format = "PNG" if image.mode == "RGBA" else "JPEG"
        out = io.BytesIO()
        image.save(out, file_format, quality=_QUALITY, icc_profile=profile)
    return out.getvalue(), f"image/{file_format.lower()}"


def _decoded(opened: Pillow.Image, path: Path, max_side: int, *, keep_damaged: bool) -> Pillow.Image:
    """Return an image of at least that many pixels, if it has them."""
    pixels, damage = None, None
    if opened.format in ("JPEG", "MPO"):
        pixels, damage = decoded_jpeg(path, max_side)
    if damage is not None and not keep_damaged:
        raise DamagedImageError(damage)
    if pixels is None or opened.mode == "CMYK":  # CMYK was taken for RGB
        return decode(opened, max_side)
    if opened.mode != pixels.mode:
        pixels = pixels.convert(opened.mode)
    pixels.info = opened.info
    return pixels


def _coding(image: Pillow.Image, path: Path) -> tuple[int, int] | None:
    """Return the code points for the colours of a file, if they apply."""
    if image.format == "PNG":
        with path.open("rb", buffering=0) as file:
            return coding_points(file)
    if image.format == "AVIF":
        return None if image.info.get("icc_profile") else _coding_in_box(path)
    nclx = image.info.get("nclx_profile")
    if not isinstance(nclx, dict) or image.info.get("icc_profile"):
        return None
    return int(nclx["color_primaries"]), int(nclx["transfer_characteristics"])


def _coding_in_box(path: Path) -> tuple[int, int] | None:
    """Return the code points of an AVIF, which Pillow does not expose; they are in its first kilobytes."""
    with path.open("rb", buffering=0) as file:
        _, _, points = file.read(_BEFORE_PICTURE).partition(b"colrnclx")
    return (int.from_bytes(points[:2]), int.from_bytes(points[2:4])) if len(points) >= 4 else None


_cache = _Cache()
