"""The state of the log's file, and of SQLite's companion files, while it is open."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path

_COMPANIONS = ("-wal", "-shm")
_Identity = tuple[int, int]


class Fate(Enum):
    """What the file's name leads to, compared with the open file."""

    INTACT = "the same files"
    GONE = "nothing: it was deleted or moved"
    REPLACED = "another file"
    EMPTIED = "the same file, but empty"
    COMPANIONS_GONE = "the same file, without a companion"
    COMPANIONS_REPLACED = "the same file, with another companion"


class OpenFiles:
    """The files that a store has open, in their state when it opened them.

    Parameters
    ----------
    path : Path
        Path of the main file, which exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        real = os.path.realpath(path)  # SQLite puts the companions beside the file itself, not beside a link
        self._main = _identity(self._path)
        self._companion_names = [real + name for name in _COMPANIONS]
        self._companions: dict[str, _Identity] = {}
        self._content = _content(self._path)
        self._had_content = self._content is not None and self._content[0] > 0

    @property
    def has_companions(self) -> bool:
        """Whether there is a write-ahead log."""
        return bool(self._companions)

    def note_companions(self) -> None:
        """Remember SQLite's companion files, if there are any: a connection has just opened them."""
        found = {name: _identity(name) for name in self._companion_names}
        self._companions = {name: identity for name, identity in found.items() if identity is not None}
        self.mark()

    def forget_companions(self) -> None:
        """Forget them: no connection is open, so SQLite may delete them."""
        self._companions = {}

    def remove_companions(self) -> None:
        """Delete remaining companion files: they must not be used with another file of the same name."""
        for name, identity in self._companions.items():
            if _identity(name) == identity:
                os.unlink(name)  # noqa: PTH108  a name, as everywhere here

    def fate(self) -> Fate:
        """Return their current state, with a few calls of stat.

        Raises
        ------
        OSError
            The disk cannot be accessed.
        """
        main = _status(self._path)
        if main is None or _identity_of(main) != self._main:
            return Fate.GONE if main is None else Fate.REPLACED
        fate = Fate.EMPTIED if not main.st_size and self._has_lost_all() else Fate.INTACT
        for companion, identity in self._companions.items():
            current = _identity(companion)
            if current is None and fate is Fate.INTACT:
                # Other writers have written to the file without the companion's content.
                fate = Fate.COMPANIONS_REPLACED if self.has_changed() else Fate.COMPANIONS_GONE
            elif current is not None and current != identity:
                return Fate.COMPANIONS_REPLACED
        return fate

    def _has_lost_all(self) -> bool:
        """Return whether the empty main file had content that is not in a write-ahead log, either."""
        logs = (_content(name) for name in self._companions if name.endswith("-wal"))
        return self._had_content and not any(log is not None and log[0] for log in logs)

    def has_changed(self) -> bool:
        """Return whether the main file was written to since `mark`, for example by a copy over it.

        With a write-ahead log, SQLite itself only does so at a checkpoint. The status is always read again: a
        status from before a checkpoint would look like a change.
        """
        return _content(self._path) != self._content

    def mark(self) -> None:
        """Treat the current main file as unchanged, after this process wrote to it."""
        self._content = _content(self._path)


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116  called several times for every write
    except (FileNotFoundError, NotADirectoryError):
        return None


def _identity(path: str) -> _Identity | None:
    status = _status(path)
    return None if status is None else _identity_of(status)


def _identity_of(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino


def _content(path: str) -> tuple[int, int] | None:
    status = _status(path)
    return None if status is None else (status.st_size, status.st_mtime_ns)
