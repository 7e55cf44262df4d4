"""File operations that fail: the n-th that a call makes below a folder, or every one from there on."""

import builtins
import errno
import hashlib
import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

fcntl = pytest.importorskip("fcntl", reason="Windows has locks of another kind")

ERRORS = ("ENOENT", "EACCES", "ENOTCONN", "ENOSYS", "EIO", "EROFS", "ENOSPC")
_OPERATIONS: tuple[tuple[Any, str], ...] = (
    *((os, name) for name in ("open", "stat", "lstat", "mkdir", "rename", "replace", "unlink", "rmdir")),
    *((os, name) for name in ("link", "chmod")),
    *((os, name) for name in ("scandir", "listdir", "fsync", "fstat", "getcwd")),
    *((hashlib, "file_digest"), (fcntl, "flock"), (builtins, "open"), (io, "open"), (sqlite3, "connect")),
)


class FailingFiles:
    """Counts the operations of a call, and fails one.

    Parameters
    ----------
    folder : Path
        Only operations on files below it count, and those that name no file.
    fails_at : int, optional
        Which one, from 0. Default: none.
    code : int
        The error.
    stays : bool
        Whether all later ones fail as well, as on a drive that was unmounted.

    Attributes
    ----------
    made : list of str
        The operations, in order.
    """

    def __init__(
        self, folder: Path, fails_at: int = -1, code: int = errno.EIO, *, stays: bool = False
    ) -> None:
        self._folder, self._fails_at, self._code, self._stays = str(folder), fails_at, code, stays
        self.made: list[str] = []

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the operations in place of the real ones."""
        with pytest.MonkeyPatch.context() as patch:
            for module, name in _OPERATIONS:
                patch.setattr(module, name, self._wrapped(name, getattr(module, name)))
            yield

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*arguments: Any, **named: Any) -> Any:
            if self._is_below(name, arguments, named):
                number = len(self.made)
                self.made.append(name)
                if number == self._fails_at or (self._stays and 0 <= self._fails_at < number):
                    if name == "connect":
                        raise sqlite3.OperationalError("unable to open database file")
                    raise OSError(self._code, os.strerror(self._code), *map(str, arguments[:1]))
            return real(*arguments, **named)

        return operation

    def _is_below(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> bool:
        if name == "getcwd":
            return True
        subject = arguments[0] if arguments else ""
        open_folder = named.get("dir_fd", named.get("src_dir_fd"))
        if open_folder is not None:
            subject = open_folder
        elif hasattr(subject, "fileno"):
            subject = subject.fileno()
        with suppress(OSError, TypeError):
            if isinstance(subject, int):
                subject = str(Path(f"/proc/self/fd/{subject}").readlink())
            return self._folder in os.fsdecode(subject)
        return False
