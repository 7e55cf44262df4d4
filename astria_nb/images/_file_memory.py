"""Results about files, kept until the files change."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from io import FileIO
from typing import Generic, TypeVar

_MOST_FILES = 4096
MOST_BYTES = 4096
"""The largest result that is kept, such as a colour profile."""
_SETTLED_NS = 2 * 10**9  # a change this soon after another may not show in a file's times
Identity = tuple[int, ...]
T = TypeVar("T")


def identity_of(file: FileIO) -> Identity:
    """Return values that differ once a file is changed or replaced; the last two are times in ns.

    A change by `mmap` may not show in them: never in memory file systems, and on a disk only once it is
    written.
    """
    return identity_in(os.fstat(file.fileno()))


def identity_in(info: os.stat_result) -> Identity:
    """Return the `identity_of` a file from its status."""
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


class FileMemory(Generic[T]):
    """Values by the identities of files; the least recently used are forgotten. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: OrderedDict[Identity, T] = OrderedDict()

    def get(self, identity: Identity) -> T | None:
        """Return the value kept for a file, or None."""
        with self._lock:
            if identity not in self._values:
                return None
            self._values.move_to_end(identity)
            return self._values[identity]

    def put(self, identity: Identity, value: T) -> None:
        """Keep a value that was found after the identity, unless the file was changed just before."""
        if time.time_ns() - max(identity[-2:]) <= _SETTLED_NS:
            return
        with self._lock:
            self._values[identity] = value
            while len(self._values) > _MOST_FILES:
                self._values.popitem(last=False)
