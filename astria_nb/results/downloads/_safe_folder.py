"""A folder that only receives complete files, and never through a link inside it."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from astria_nb.results.downloads._folder_errors import folder_errors

if sys.platform != "win32":
    import fcntl

_TEMPORARY = re.compile(r"\.astria-[0-9a-f]{16}\.part")
_LOCK = ".manifest.lock"
_BLOCK = 2**20
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# Names relative to an open folder stay in it, even if its path becomes a link to another one.
_HAS_DIR_FD = os.open in os.supports_dir_fd and os.rename in os.supports_dir_fd


@dataclass(frozen=True, eq=False, slots=True)
class TemporaryFile:
    """A file without its final name. It is locked while its process lives."""

    name: str
    file: IO[bytes]

    def sync(self) -> None:
        """Write everything to the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())


class SafeFolder:
    """An open folder. Several processes may write to it.

    Parameters
    ----------
    path : Path
        Created if it does not exist. The path itself may lead through links.

    Raises
    ------
    AstriaError
        The path is not a folder, or cannot be created. Field ``folder``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._temporaries: set[TemporaryFile] = set()
        self._is_closed = False
        with folder_errors(path):
            path.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY) if _HAS_DIR_FD else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the temporary files; threads that are still running find the folder closed."""
        with self._lock:
            self._is_closed = True
            for temporary in list(self._temporaries):
                with suppress(OSError):
                    self.discard(temporary)
            if self._descriptor is not None:
                os.close(self._descriptor)

    def open(self, name: str) -> BufferedReader | None:
        """Open a file of this folder for reading; None if there is no regular file of that name."""
        try:
            descriptor = self._open(name, os.O_RDONLY)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        return os.fdopen(descriptor, "rb")

    def create_temporary(self) -> TemporaryFile:
        """Create a file that is published or discarded later."""
        while True:
            with self._lock:
                name = f".astria-{secrets.token_hex(8)}.part"
                file = os.fdopen(self._open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR), "w+b")
                temporary = TemporaryFile(name, file)
                self._temporaries.add(temporary)
            # Not by the open file's number of links, which some network drives do not count.
            if _lock_file(file.fileno(), wait=True) and self._mode(name) is not None:
                return temporary
            self.discard(temporary)  # another process removed it before it was locked

    def may_replace(self, name: str, temporary: TemporaryFile) -> bool:
        """Return whether giving a temporary file a name loses nothing.

        This is the case if the name is free, or is that of a link, or of a file with only the beginning of
        the content.
        """
        mode = self._mode(name)
        if mode is None or stat.S_ISLNK(mode):
            return True
        file = self.open(name)
        if file is None:  # a folder, or a file that may not be read
            return False
        with file:
            temporary.file.seek(0)
            while block := file.read(_BLOCK):
                if temporary.file.read(len(block)) != block:
                    return False
        return True

    def has_file(self, name: str) -> bool:
        """Return whether a regular file has a name, even if it may not be read."""
        mode = self._mode(name)
        return mode is not None and stat.S_ISREG(mode)

    def publish(self, temporary: TemporaryFile, name: str) -> None:
        """Give a temporary file its final name, and replace any file with that name."""
        at = self._descriptor
        with self._lock:
            os.replace(self._path(temporary.name), self._path(name), src_dir_fd=at, dst_dir_fd=at)
            self._temporaries.remove(temporary)
            temporary.file.close()

    def discard(self, temporary: TemporaryFile) -> None:
        """Remove a temporary file, unless it is published or removed already."""
        with self._lock:
            if temporary not in self._temporaries:
                return
            self._temporaries.remove(temporary)
            with suppress(FileNotFoundError):
                os.unlink(self._path(temporary.name), dir_fd=self._descriptor)
            with suppress(OSError):  # buffered bytes may not fit on the disk
                temporary.file.close()

    def sync(self) -> None:
        """Write the names of files to the disk."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def sweep(self) -> None:
        """Remove the temporary files of killed processes, which are not locked."""
        if sys.platform == "win32":
            return
        at = self._descriptor
        for name in os.listdir(self.path if at is None else at):  # noqa: PTH208  pathlib takes no descriptor
            if _TEMPORARY.fullmatch(name) and (file := self.open(name)):
                with file, suppress(OSError):
                    if _lock_file(file.fileno(), wait=False):
                        os.unlink(self._path(name), dir_fd=at)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Exclude other processes during a block."""
        descriptor = self._open(_LOCK, os.O_CREAT | os.O_RDWR)
        try:
            _lock_file(descriptor, wait=True)
            yield
        finally:
            os.close(descriptor)

    def _mode(self, name: str) -> int | None:
        """Return the type and permissions of the entry with a name, or None."""
        try:
            return os.stat(self._path(name), dir_fd=self._descriptor, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return None

    def _open(self, name: str, flags: int) -> int:
        with self._lock:
            if self._is_closed:
                raise OSError(errno.EBADF, "the folder is closed")
            return os.open(self._path(name), flags | _FLAGS, 0o666, dir_fd=self._descriptor)

    def _path(self, name: str) -> str | Path:
        return self.path / name if self._descriptor is None else name


def _lock_file(descriptor: int, *, wait: bool) -> bool:
    """Lock a file until it is closed, and return whether no one else can lock it.

    On a disk without locks, as on some clusters, a wait ends at once: two processes that download into one
    folder may then fetch a picture twice.
    """
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # without `wait`, another process has locked it, or that is unknown
        return wait
    return True
