"""A folder that is written to, and never out of: by whole files only, and through no link that lies in it."""

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
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from astria_nb.errors import AstriaError, Problem
from astria_nb.utils.redaction import redact_name

if sys.platform != "win32":
    import fcntl

_TEMPORARY = re.compile(r"\.astria-[0-9a-f]{16}\.part")
_LOCK = ".manifest.lock"
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# Names that are looked up in an open folder stay in it, whatever becomes of its path meanwhile.
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.rename in os.supports_dir_fd
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """Raise what the disk refuses as an error that says what to do."""
    try:
        yield
        return
    except OSError as error:
        full, reason = error.errno in _FULL, error.strerror or str(error)
    hint = "choose another one, or mend its permissions"
    if full:
        hint = "free some space and call it again; what is there is kept"
    elif path.is_file():
        reason, hint = "it is a file", "give a folder"
    raise AstriaError(Problem("folder", f"{redact_name(str(path))!r} cannot be used ({reason})", hint))


class Temporary:
    """A file in the making, under a name that nobody else has. Its lock tells that its process lives."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self.name, self.file = name, file

    def finish(self) -> None:
        """See to it that what was written is on the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())


class SafeFolder:
    """An open folder.

    Parameters
    ----------
    path : Path
        It is made where there is none, and may itself be reached by a link.

    Raises
    ------
    AstriaError
        It is none, or cannot be made. Field ``folder``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = threading.RLock()
        self._open: dict[str, Temporary] = {}
        self._is_closed = False
        with plainly(path):
            path.mkdir(parents=True, exist_ok=True)
            self._at = os.open(path, os.O_RDONLY | os.O_DIRECTORY) if _BY_DESCRIPTOR else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what is in the making; a thread that is late finds the folder closed."""
        with self._turn:
            self._is_closed = True
            for each in list(self._open.values()):
                with suppress(OSError):
                    self.discard(each)
            if self._at is not None:
                os.close(self._at)

    def open(self, name: str) -> BufferedReader | None:
        """Open a file of this folder to be read; None where there is none, or something else."""
        with self._turn:
            try:
                self._check_open()
                number = os.open(self._name(name), os.O_RDONLY | _NO_LINK, dir_fd=self._at)
            except OSError:
                return None
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            return None
        return os.fdopen(number, "rb")

    def temporary(self) -> Temporary:
        """Begin a file."""
        while True:
            name = f".astria-{secrets.token_hex(8)}.part"
            with self._turn:
                self._check_open()
                flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | _NO_LINK
                file = os.fdopen(os.open(self._name(name), flags, 0o666, dir_fd=self._at), "w+b")
                made = self._open[name] = Temporary(name, file)
            if _lock(file.fileno(), wait=True) and os.fstat(file.fileno()).st_nlink:
                return made
            self.discard(made)  # swept away before it was locked

    def publish(self, made: Temporary, name: str) -> None:
        """Give a finished file its name, in place of whatever has it.

        Raises
        ------
        IsADirectoryError
            A folder has that name.
        """
        with self._turn:
            os.replace(self._name(made.name), self._name(name), src_dir_fd=self._at, dst_dir_fd=self._at)
            del self._open[made.name]
            made.file.close()

    def discard(self, made: Temporary) -> None:
        """Remove a file in the making."""
        with self._turn:
            if self._open.pop(made.name, None) is None:
                return
            with suppress(FileNotFoundError):
                os.unlink(self._name(made.name), dir_fd=self._at)
            with suppress(OSError):  # what is not on the disk yet may still not fit
                made.file.close()

    def sync(self) -> None:
        """See to it that names are on the disk as well."""
        if self._at is not None:
            os.fsync(self._at)

    def sweep(self) -> None:
        """Remove what killed processes left in the making."""
        if sys.platform == "win32":
            return
        for name in os.listdir(self._at if self._at is not None else self.path):  # noqa: PTH208  by number
            if _TEMPORARY.fullmatch(name) and (file := self.open(name)):
                with file, suppress(OSError):
                    if _lock(file.fileno(), wait=False):
                        os.unlink(self._name(name), dir_fd=self._at)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from this block."""
        flags = os.O_CREAT | os.O_RDWR | _NO_LINK
        number = os.open(self._name(_LOCK), flags, 0o666, dir_fd=self._at)
        try:
            _lock(number, wait=True)
            yield
        finally:
            os.close(number)

    def _name(self, name: str) -> str | Path:
        return name if self._at is not None else self.path / name

    def _check_open(self) -> None:
        if self._is_closed:
            raise OSError(errno.EBADF, "the folder is closed")


def _lock(number: int, *, wait: bool) -> bool:
    """Lock an open file for as long as it is open; tell whether that worked."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
