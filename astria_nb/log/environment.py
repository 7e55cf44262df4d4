"""The environment of a run: the process, its packages, its notebook and its git commit."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath

from astria_nb.log import _machine as machine
from astria_nb.log._default_path import notebook_path
from astria_nb.utils.versions import installed_version

PACKAGES = ("astria_nb", "requests", "urllib3", "pandas", "pyarrow", "pillow", "sqlalchemy", "ipywidgets")
_GIT_TIMEOUT = 2.0  # seconds; the working tree may be on a slow disk
_GIT = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false")


@dataclass(frozen=True, slots=True)
class Session:
    """A process that writes to logs.

    Attributes
    ----------
    id : str
        A UUID.
    started_at : datetime
        Time of the first write; UTC.
    host : str
        The machine's name.
    place : str
        Identifies the machine, its current boot and the container; see `astria_nb.log._machine.place`.
    pid : int
    process_started : str or None
        Start time of the process; see `astria_nb.log._machine.process_started`.
    python : str
        Python's version.
    packages : mapping of str to str
        Versions of the packages that are relevant for a run.
    git_commit : str or None
        The commit of the working directory.
    git_dirty : bool or None
        Whether tracked files differ from the commit.
    notebook : str or None
        The notebook's file name, if the frontend passes it to the kernel.
    """

    id: str
    started_at: datetime
    host: str
    place: str
    pid: int
    process_started: str | None
    python: str
    packages: Mapping[str, str]
    git_commit: str | None
    git_dirty: bool | None
    notebook: str | None


_sessions: dict[int, Session] = {}  # by process id: a forked child has its own session


def session() -> Session:
    """Return this process's session."""
    pid = os.getpid()
    if (current := _sessions.get(pid)) is None:
        head, status = _Git("rev-parse", "HEAD"), _Git("status", "--porcelain", "--untracked-files=no")
        packages = {name: version for name in PACKAGES if (version := installed_version(name))}
        process_started = machine.process_started(pid)
        commit, changes = head.output(), status.output()
        new = Session(
            id=str(uuid.uuid4()),
            started_at=datetime.now(UTC),
            host=platform.node(),
            place=machine.place(),
            pid=pid,
            process_started=process_started,
            python=platform.python_version(),
            packages=packages,
            git_commit=commit,
            git_dirty=bool(changes) if commit and changes is not None else None,
            notebook=_notebook(),
        )
        current = _sessions.setdefault(pid, new)
    return current


class _Git:
    """A git command about the working directory, which runs in the background."""

    def __init__(self, *command: str) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        with suppress(OSError):
            self._process = subprocess.Popen(  # noqa: S603  fixed words
                [*_GIT, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

    def output(self) -> str | None:
        """Wait for it, and return its output; None if it failed, or takes too long."""
        if self._process is None:
            return None
        with self._process as process:
            try:
                output, _ = process.communicate(timeout=_GIT_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                return None
        return output.decode("utf-8", "replace").strip() if process.returncode == 0 else None


def _notebook() -> str | None:
    path = notebook_path()
    return None if path is None else PurePath(re.split(r"[/\\]", path)[-1]).name
