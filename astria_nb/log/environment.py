"""Where a run was made: the process, its packages, its notebook, its git commit; the kind of its disk."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path, PurePath

PACKAGES = ("astria_nb", "requests", "urllib3", "pandas", "pyarrow", "pillow", "sqlalchemy", "ipywidgets")
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PATIENCE = 2.0  # seconds for git, which may lie on a slow disk
_GIT = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false")

# How the names of such file systems begin.
_NETWORK = (
    *("nfs", "cifs", "smb", "9p", "afs", "ncp", "davfs"),
    *("ceph", "lustre", "gpfs", "beegfs", "gluster", "ocfs", "gfs"),
    *("vboxsf", "virtiofs", "drvfs"),  # of a virtual machine's host
)
_LOCAL_FUSE = ("fuseblk", "fuse.fuse-overlayfs")


@dataclass(frozen=True, slots=True)
class Session:
    """One process that writes to logs.

    Attributes
    ----------
    id : str
        A UUID.
    started_at : datetime
        When it first wrote; UTC.
    host : str
        The machine's name.
    place : str
        The machine since its last start, and the container: process ids mean something only within one.
    pid : int
    process_started : str or None
        When the process was started, in the system's own words; None where it does not tell.
    python : str
    packages : mapping of str to str
        Versions of those that matter to a run.
    git_commit : str or None
        Of the working directory.
    git_dirty : bool or None
        Whether tracked files were changed since.
    notebook : str or None
        Its file name, where the frontend told it.
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


_sessions: dict[int, Session] = {}  # by process: a forked one is another


def session() -> Session:
    """Return this process's session."""
    pid = os.getpid()
    if (found := _sessions.get(pid)) is None:
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no") if commit else None
        made = Session(
            id=str(uuid.uuid4()),
            started_at=datetime.now(UTC),
            host=platform.node(),
            place=place(),
            pid=pid,
            process_started=process_started(pid),
            python=platform.python_version(),
            packages={name: version for name in PACKAGES if (version := _version(name))},
            git_commit=commit,
            git_dirty=None if changed is None else bool(changed),
            notebook=_notebook(),
        )
        found = _sessions.setdefault(pid, made)
    return found


def place() -> str:
    """Return what tells this machine, since its last start, and this container from others."""
    boot = _read(_BOOT)
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{platform.node()} {boot} {namespace}".strip()


def uptime() -> float | None:
    """Return the seconds since this machine's last start, its sleep included; None if unknown.

    Of two such numbers of one `place`, the difference is the time between them, whatever became of the clock.
    """
    if not _BOOT.exists():
        return None
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def is_running(pid: int, started: str | None) -> bool | None:
    """Tell whether a process of this place still runs; None where that cannot be known.

    Parameters
    ----------
    pid : int
    started : str or None
        What `process_started` said of it: an id is given to another process some time later.
    """
    if started is None or os.name != "posix":  # on Windows, signal 0 would end it
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    except (OSError, OverflowError):
        return None
    seen = process_started(pid)
    # One that ended and was not yet waited for has an id, and does nothing.
    return None if seen is None else seen == started


def process_started(pid: int) -> str | None:
    """Return when a process was started, in clock ticks or as a date; None if unknown."""
    stat = _read(Path(f"/proc/{pid}/stat"))
    if stat:
        # The name, in parentheses, may hold anything; state and times come behind the last one.
        fields = stat.rpartition(")")[2].split()
        return "ended" if fields[0] in ("Z", "X") else fields[19]
    if Path("/proc/self/stat").exists() or os.name != "posix":
        return None
    return _run("ps", "-o", "lstart=", "-p", str(pid))


def on_network(path: Path, mounts: str | None = None) -> bool:
    """Tell whether a file lies on another machine's disk.

    Parameters
    ----------
    path : Path
    mounts : str, optional
        Default: what Linux tells in ``/proc/self/mounts``; elsewhere only a Windows share is known as one.
    """
    real = os.path.realpath(path)
    if real.startswith("\\\\"):
        return True
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text("utf-8", "surrogateescape")
        except OSError:
            return False
    kind, depth = "", -1
    for line in mounts.splitlines():
        _, where, found, *_ = [*line.split(" "), "", "", ""]
        where = where.replace("\\040", " ").replace("\\011", "\t").rstrip("/")
        # Of two on one place, the later one lies on top.
        if (real == where or real.startswith(f"{where}/")) and len(where) >= depth:
            kind, depth = found, len(where)
    return kind.startswith(_NETWORK) or (kind.startswith("fuse") and kind not in _LOCAL_FUSE)


def _git(*command: str) -> str | None:
    return _run(*_GIT, *command)


def _run(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL)  # noqa: S603  fixed words, and a number
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _notebook() -> str | None:
    found = os.environ.get("JPY_SESSION_NAME")
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if not found and shell is not None:
        found = shell.user_ns.get("__vsc_ipynb_file__")  # set by VS Code
    return PurePath(re.split(r"[/\\]", found)[-1]).name if isinstance(found, str) and found else None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
