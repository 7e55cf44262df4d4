"""The file of a log: where it is, and opening it at its first use."""

from __future__ import annotations

import os
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from astria_nb.errors import LogError, Problem
from astria_nb.log import _access as access
from astria_nb.log._default_path import default_path
from astria_nb.utils.arguments import to_path
from astria_nb.utils.formatting import short
from astria_nb.utils.interrupts import shielded
from astria_nb.utils.warn import warn

if TYPE_CHECKING:  # imported at the first use: a form, or a script that sends nothing, starts faster
    from astria_nb.log._database import LogDatabase

_open_lock = RLock()
if hasattr(os, "register_at_fork"):  # if another thread held it, it would stay locked in the child
    os.register_at_fork(
        before=_open_lock.acquire, after_in_parent=_open_lock.release, after_in_child=_open_lock.release
    )


class LogFile:
    """A log's path and its database, which opens at its first use and again after `close`.

    Parameters
    ----------
    path : str or path, optional
        Default: the environment variable ``ASTRIA_NB_LOG``, else ``astria_log.sqlite`` beside the notebook;
        see `astria_nb.log._default_path.default_path`.
    timeout : float
        Seconds to wait while another process writes.

    Raises
    ------
    LogError
        The path is not a path of a file.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, timeout: float = 30.0) -> None:
        is_default = path is None or (isinstance(path, str) and not path)
        # Made absolute here: a later change of the working directory must not lead to a second log.
        location, absolute = _located(None if is_default else path)
        if absolute is None or "://" in str(location):
            what = f"{short(location)} is {'not a valid path' if absolute is None else 'an address'}"
            raise LogError(Problem("log", what, "give the path of a file"))
        self._path, self._timeout = absolute, timeout
        self._opened: LogDatabase | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def exists(self) -> bool:
        """Return whether the file exists. It is made at the first use that writes.

        Raises
        ------
        LogError
            Its disk cannot be asked: a mount that is gone, say.
        """
        try:
            return access.exists(self._path)
        except OSError as error:
            problem = access.problem_of(self._path, *access.explain(self._path, error))
        raise LogError(problem)

    def find_problem(self) -> Problem | None:
        """Return what will keep the file from being written, or None; nothing is opened, made or changed."""
        return access.find_problem(self._path)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        shielded(self._close)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self._path, "timeout": self._timeout}

    def __setstate__(self, state: dict[str, Any]) -> None:
        LogFile.__init__(self, state["path"], timeout=state["timeout"])

    @property
    def _database(self) -> LogDatabase:
        database = self._opened
        return database if database is not None and not database.store.is_lost else shielded(self._open)

    def _open(self) -> LogDatabase:
        from astria_nb.log._database import LogDatabase

        with _open_lock:
            if self._opened is not None and self._opened.store.is_lost:
                self._opened.close()
                self._opened = None
            if self._opened is None:
                self._opened = LogDatabase(self._path, self._timeout)
            return self._opened

    def _tell(self, *, is_paid: bool = False) -> None:
        """Warn if the file had to be written again since somebody was told last."""
        if (notice := self._database.store.pop_notice()) is not None:
            warn(notice, is_paid=is_paid)

    def _close(self) -> None:
        with _open_lock:
            database, self._opened = self._opened, None
        if database is not None:
            database.close()


def _located(path: str | os.PathLike[str] | None) -> tuple[str | os.PathLike[str], Path | None]:
    """Return the path of a log as given, and absolute; None for what is no path."""
    try:
        location = default_path() if path is None else path
        return location, to_path(location)
    except OSError as error:
        what = f"has no place: the working directory cannot be used ({error.strerror or error})"
    hint = "change to another one with os.chdir, or set ASTRIA_NB_LOG to the absolute path of a file"
    raise LogError(Problem("log", what, hint))
