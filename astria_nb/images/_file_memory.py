"""What was found out about files, for as long as they do not change."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from io import FileIO
from typing import Generic, TypeVar

_MOST_FILES = 4096
MOST_BYTES = 4096
"""What is worth remembering of the content of a file, such as a colour profile."""
_SETTLED_NS = 2 * 10**9  # a change this soon after another one might not show in a file's times
Identity = tuple[int, ...]
T = TypeVar("T")


def identity_of(file: FileIO) -> Identity:
    """Return what differs once a file was changed or replaced; the last two are times in ns.

    A change by `mmap` may show in none of it: in memory file systems always, on a disk until it is written.
    """
    return identity_in(os.fstat(file.fileno()))


def identity_in(info: os.stat_result) -> Identity:
    """Return the `identity_of` a file of which the system says this."""
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


class FileMemory(Generic[T]):
    """Values by the identities of files; the least recently used are forgotten. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: OrderedDict[Identity, T] = OrderedDict()

    def get(self, identity: Identity) -> T | None:
        """Return what is remembered of a file, or None."""
        with self._lock:
            if identity not in self._values:
                return None
            self._values.move_to_end(identity)
            return self._values[identity]

    def put(self, identity: Identity, value: T) -> None:
        """Remember a value that was found after the identity, unless the file was changed just before."""
        if time.time_ns() - max(identity[-2:]) <= _SETTLED_NS:
            return
        with self._lock:
            self._values[identity] = value
            while len(self._values) > _MOST_FILES:
                self._values.popitem(last=False)
