"""Pictures made smaller, kept in temporary files until the process ends."""

from __future__ import annotations

import atexit
import io
import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from astria_nb.images.decoding import decoded, opened, upright
from astria_nb.images.image import Image

if TYPE_CHECKING:
    from PIL import Image as Pillow

_QUALITY = 92
_MOST_FILES = 128  # about as many MB
_Key = tuple[Path, int, int, int]


def is_needed(image: Image, max_side: int | None) -> bool:
    """Tell whether a picture is sent anew: it is too large, or HEIC, which is sent as a JPEG then."""
    return max_side is not None and (
        max(image.width, image.height) > max_side or image.media_type == "image/heic"
    )


def open_small(image: Image, max_side: int) -> tuple[FileIO, str]:
    """Return a picture whose long side is at most so many pixels, as an open file, and its media type.

    It stands upright, keeps its colour profile, and tells nothing else. It is made once, as long as the
    picture's file does not change. Safe to call from several threads.

    Raises
    ------
    OSError
        The picture cannot be read or decoded, or the disk for temporary files is full.
    """
    about = image.path.stat()
    key = (image.path, about.st_mtime_ns, about.st_size, max_side)
    return _cache.find(key) or _cache.keep(key, *_small(image.path, max_side))


class _Cache:
    """The files, the ones asked for last at the end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: OrderedDict[_Key, tuple[Path, str]] = OrderedDict()
        self._folder = Path()
        self._owner = 0

    def find(self, key: _Key) -> tuple[FileIO, str] | None:
        with self._lock:
            path, media_type = self._files.get(key, (None, ""))
            if path is None:
                return None
            try:
                self._files.move_to_end(key)
                return path.open("rb", buffering=0), media_type
            except FileNotFoundError:  # somebody tidied up
                del self._files[key]
                return None

    def keep(self, key: _Key, content: bytes, media_type: str) -> tuple[FileIO, str]:
        with self._lock:
            self._make_folder()
            number, name = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(number, "wb") as file:
                file.write(content)
            replaced = self._files.pop(key, None)
            self._files[key] = Path(name), media_type
            if replaced is not None:
                _remove(replaced[0])
            while len(self._files) > _MOST_FILES:
                _remove(self._files.popitem(last=False)[1][0])
            return Path(name).open("rb", buffering=0), media_type

    def _make_folder(self) -> None:
        # A forked process has a folder of its own: it ends, and tidies up, at another time.
        if self._owner != os.getpid() or not self._folder.is_dir():
            self._files.clear()
            self._folder, self._owner = Path(tempfile.mkdtemp(prefix="astria-nb-")), os.getpid()
            atexit.register(_tidy, self._folder, self._owner)


def _tidy(folder: Path, owner: int) -> None:
    if owner == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)


def _remove(path: Path) -> None:
    with suppress(OSError):  # a system may not let go of what is being sent
        path.unlink()


def _small(path: Path, max_side: int) -> tuple[bytes, str]:
    with opened(path) as opening:
        image = decoded(opening, max_side)
        profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "L") else None
        image = upright(_in_plain_colours(image))
        image.thumbnail((max_side, max_side), _lanczos())
        kind = "PNG" if image.mode == "RGBA" else "JPEG"
        out = io.BytesIO()
        image.save(out, kind, quality=_QUALITY, icc_profile=profile)
    return out.getvalue(), f"image/{kind.lower()}"


def _lanczos() -> Pillow.Resampling:
    from PIL import Image as Pillow

    return Pillow.Resampling.LANCZOS


def _in_plain_colours(image: Pillow.Image) -> Pillow.Image:
    """Return a picture in grey or RGB, or in RGBA where something of it is transparent."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return image if any(image.getchannel("A").histogram()[:255]) else image.convert("RGB")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


_cache = _Cache()
