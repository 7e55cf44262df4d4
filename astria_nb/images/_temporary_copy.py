"""Content that is not a file: copied into a private file, which exists as long as an image refers to it."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
import weakref
from collections.abc import Iterable
from pathlib import Path

from astria_nb.images.media_type import media_type
from astria_nb.utils.remove_tree import remove_tree
from astria_nb.utils.temporary_folder import TemporaryFolder

_SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "image/avif": ".avif",
}
_DIGITS = 12  # characters of the hash, in the name of content that has no name
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")
_MAX_NAME = 120  # characters; up to 255 bytes are allowed on every disk


class StorageError(OSError):
    """A copy of an image cannot be stored in the folder for temporary files."""


class TemporaryCopy:
    """A private file with content from elsewhere; removed with the last image that refers to it.

    Equal content with the same name is stored once. Thread-safe.

    Attributes
    ----------
    path : Path
        Absolute; ends with the name that is sent to the service.
    sha256 : str
        Hash of the content, in hexadecimal.
    address : str or None
        Where the content can be read again, such as ``s3://bucket/1.jpg``; None if it was in memory.
    """

    def __init__(self, path: Path, sha256: str, address: str | None) -> None:
        self.path, self.sha256, self.address = path, sha256, address
        weakref.finalize(self, _remove, path.parent, os.getpid())

    @property
    def is_nameless(self) -> bool:
        """Whether its name was made from the content."""
        return self.path.stem == self.sha256[:_DIGITS]

    @classmethod
    def store(cls, blocks: Iterable[bytes], name: str | None, address: str | None = None) -> TemporaryCopy:
        """Copy content block by block, so that it is never in memory as a whole.

        If the beginning is not that of an image, the rest is not read: the content cannot be sent anyway.

        Parameters
        ----------
        blocks : iterable of bytes
        name : str, optional
            A file name. Default: from the content's hash.
        address : str, optional
            As the attribute.

        Raises
        ------
        StorageError
            The disk for temporary files is full or read-only.
        Exception
            Whatever the blocks raise.
        """
        return _store.add(blocks, name, address)


class _Store:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._copies: weakref.WeakValueDictionary[tuple[str, str, str | None], TemporaryCopy]
        self._copies = weakref.WeakValueDictionary()
        self._folder: TemporaryFolder | None = None
        self._owner = 0

    def add(self, blocks: Iterable[bytes], name: str | None, address: str | None) -> TemporaryCopy:
        folder = self._new_folder()
        try:
            sha256, suffix = _write(blocks, folder / "content")
            name = _safe_name(name) or f"{sha256[:_DIGITS]}{suffix}"
            with self._lock:
                copy = self._copies.get((sha256, name, address))
                if copy is not None and copy.path.is_file():
                    remove_tree(folder)
                    return copy
                (folder / "content").rename(folder / name)
                copy = TemporaryCopy(folder / name, sha256, address)
                self._copies[sha256, name, address] = copy
                return copy
        except BaseException:
            remove_tree(folder)
            raise

    def _new_folder(self) -> Path:
        try:
            with self._lock:
                # A forked process gets its own folder, because its parent removes the first one when it ends.
                is_usable = self._owner == os.getpid() and self._folder and self._folder.path.is_dir()
                if not is_usable:
                    self._copies.clear()
                    self._folder, self._owner = TemporaryFolder(), os.getpid()
                assert self._folder is not None
                return Path(tempfile.mkdtemp(dir=self._folder.path))
        except OSError as error:
            raise StorageError(error.strerror or str(error)) from None


def _write(blocks: Iterable[bytes], path: Path) -> tuple[str, str]:
    """Write content to a file; return its hash and the usual ending of its format."""
    digest, suffix = hashlib.sha256(), None
    try:
        file = path.open("xb")
    except OSError as error:
        raise StorageError(error.strerror or str(error)) from None
    with file:
        for block in blocks:
            if not block:
                continue
            if suffix is None:
                suffix = _SUFFIXES.get(media_type(bytes(block[:32])) or "", "")
            digest.update(block)
            try:
                file.write(block)
            except OSError as error:
                raise StorageError(error.strerror or str(error)) from None
            if not suffix:
                break
    return digest.hexdigest(), suffix or ""


def _safe_name(name: str | None) -> str:
    """Return the last part of a name in a form that every file system allows; empty if there is none."""
    if name is None:
        return ""
    last = re.split(r"[/\\]", name)[-1]
    cleaned = _NOT_IN_NAMES.sub("_", last.encode("utf-8", "replace").decode()).strip(" .")
    stem, dot, ending = cleaned.rpartition(".")
    shortened = f"{stem[: _MAX_NAME - 10]}{dot}{ending[:9]}" if len(cleaned) > _MAX_NAME else cleaned
    return shortened[-_MAX_NAME:] if len(shortened.encode()) <= 240 else ""


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        remove_tree(folder)


_store = _Store()
