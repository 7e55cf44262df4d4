"""The place of a log, a file or a server's database, and opening it at its first use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astria_nb.errors import LogError, Problem
from astria_nb.log import _access as access
from astria_nb.log._default_path import default_folder, default_path
from astria_nb.log._open_lock import OPEN_LOCK
from astria_nb.log._server_address import LogPath, ServerAddress, is_server_address
from astria_nb.utils.arguments import to_path
from astria_nb.utils.formatting import short
from astria_nb.utils.interrupts import shielded
from astria_nb.utils.warn import warn

if TYPE_CHECKING:  # imported at the first use: a form, or a script that sends nothing, starts faster
    from astria_nb.log._database import LogDatabase


class LogFile:
    """A log's place and its database, which opens at its first use and again after `close`.

    Parameters
    ----------
    path : str or path, optional
        A file, or the address of a database: see `astria_nb.log._server_address.ServerAddress`.
        Default: the environment variable ``ASTRIA_NB_LOG``, else ``astria_log.sqlite`` beside the notebook;
        see `astria_nb.log._default_path.default_path`.
    timeout : float
        Seconds to wait while another process writes.

    Raises
    ------
    LogError
        The value is neither the path of a file nor the address of a database.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, timeout: float = 30.0) -> None:
        self._timeout = timeout
        self._opened: LogDatabase | None = None
        place = _place(None if isinstance(path, str) and not path else path)
        path = None  # an address may contain a password, which tracebacks must not show
        self._path: LogPath = Path() if isinstance(place, Problem) else place
        if isinstance(place, Problem):
            raise LogError(place)

    @property
    def path(self) -> LogPath:
        """The file, or the address of a log on a server, without a password."""
        return self._path

    @property
    def identity(self) -> object:
        """The identity of the log's file, the same for its path, another spelling and a link."""
        return self._path if isinstance(self._path, ServerAddress) else os.path.realpath(self._path)

    @property
    def folder(self) -> Path:
        """The folder of the log's file, or of the default log for a server. Drafts are beside the log."""
        return default_folder() if isinstance(self._path, ServerAddress) else self._path.parent

    def exists(self) -> bool:
        """Return whether the file, or the server's database, contains a log: it is created at the first use.

        Raises
        ------
        LogError
            Its disk cannot be accessed, for example because a mount is gone; or the server cannot be reached.
        """
        if isinstance(self._path, ServerAddress):
            from astria_nb.log import postgres  # of an extra

            return self._opened is not None or shielded(postgres.exists, self._path)
        try:
            return access.exists(self._path)
        except OSError as error:
            problem = access.problem_of(self._path, *access.explain(self._path, error))
        raise LogError(problem)

    def find_problem(self) -> Problem | None:
        """Return what prevents writing to the file, or None; nothing is opened, created or changed.

        A server is checked at the first use.
        """
        return None if isinstance(self._path, ServerAddress) else access.find_problem(self._path)

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

        with OPEN_LOCK:
            if self._opened is not None and self._opened.store.is_lost:
                self._opened.close()
                self._opened = None
            if self._opened is None:
                self._opened = LogDatabase(self._path, self._timeout)
            return self._opened

    def _warn_of_rewritten_file(self, *, is_paid: bool = False) -> None:
        """Warn if the file had to be written again since the last warning."""
        if (notice := self._database.store.pop_notice()) is not None:
            warn(notice, is_paid=is_paid)

    def _close(self) -> None:
        with OPEN_LOCK:
            database, self._opened = self._opened, None
        if database is not None:
            database.close()


def _place(path: str | os.PathLike[str] | None) -> LogPath | Problem:
    """Return the place of a log, or the problem with it: None means the default, which may be an address."""
    try:
        location = default_path() if path is None else path
        if is_server_address(location):
            return ServerAddress(str(location))
        # Absolute: a later change of the working directory must not lead to a second log.
        absolute = to_path(location)
    except LogError as error:
        return error.problems[0]
    except OSError as error:
        what = f"has no place: the working directory cannot be used ({error.strerror or error})"
        hint = "change to another one with os.chdir, or set ASTRIA_NB_LOG to the absolute path of a file"
        return Problem("log", what, hint)
    if absolute is not None and "://" not in str(location):
        return absolute
    what = f"{short(location)} is {'not a valid path' if absolute is None else 'an address'}"
    return Problem("log", what, "give the path of a file, or 'postgresql://user@host/database'")
