"""Private folders, each locked by a living process, and the removal of those that killed processes left."""

import contextlib
import errno
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

_PREFIX = "astria-sandbox-"
_LOCK = ".lock"
_PID = ".pid"  # in its place on a disk without file locks


class LockedFolder:
    """A folder that this process has locked; the lock ends with the process, however that ends.

    Parameters
    ----------
    path : Path
        An existing folder.
    may_lack_locks : bool
        Whether a process id may take the place of a lock where file locks fail. Not for a folder whose owner
        may be alive, and hold a lock that this process cannot see.

    Raises
    ------
    TimeoutError
        If another process has locked it.
    OSError
        If it was removed, its lock file is a link, or file locks fail.
    """

    def __init__(self, path: Path, *, may_lack_locks: bool = True) -> None:
        self.path = path
        self._process = os.getpid()
        self._lock = _acquire(path, may_lack_locks)

    def release(self) -> None:
        """Unlock the folder."""
        if os.getpid() == self._process:  # a forked child has a copy of this object, but not the lock
            with contextlib.suppress(OSError):  # its disk is gone
                self._lock.release()

    def remove(self) -> None:
        """Remove the folder with everything in it."""
        if os.getpid() != self._process:
            return
        lock_file = Path(self._lock.lock_file)
        with contextlib.suppress(OSError):
            # The lock file goes last, so that the next process completes a removal that is broken off; and
            # before the lock is released, so that no process locks a folder that is about to be deleted.
            for entry in self.path.iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                elif entry != lock_file:
                    entry.unlink()
            if sys.platform != "win32":
                lock_file.unlink()
        self.release()
        with contextlib.suppress(OSError):
            # Windows removes no open file; another process may have locked it since, which keeps it too.
            if sys.platform == "win32" and all(entry == lock_file for entry in self.path.iterdir()):
                lock_file.unlink(missing_ok=True)
            self.path.rmdir()


def _acquire(path: Path, may_lack_locks: bool) -> "BaseFileLock":
    from filelock import FileLock, SoftFileLock, Timeout  # takes up to 50 ms to import

    if not (path / _PID).exists():
        lock = FileLock(path / _LOCK, timeout=0, mode=0o600, thread_local=False, fallback_to_soft=False)
        try:
            lock.acquire()
            return lock
        except Timeout:
            raise
        except OSError:
            if not may_lack_locks or (path / _LOCK).is_symlink():
                raise
    by_pid = SoftFileLock(path / _PID, timeout=0, mode=0o600, thread_local=False)
    by_pid.acquire()
    return by_pid


def make_temporary() -> LockedFolder:
    """Make a folder in the temporary directory that only this user can read, and lock it."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        try:
            return LockedFolder(path)
        except (FileNotFoundError, TimeoutError):
            # Before it is locked, another process may take it for the folder of a killed one, and remove it.
            continue
        except OSError:
            with contextlib.suppress(OSError):  # until Python 3.12, ignore_errors does not cover fstat
                shutil.rmtree(path, ignore_errors=True)
            raise


def lock(path: Path) -> LockedFolder:
    """Lock a folder that is to be kept; make it, private, if it does not exist.

    Raises
    ------
    OSError
        If it cannot be made, or another process has locked it.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return LockedFolder(path)
    except TimeoutError:
        reason = "this folder is in use by another sandbox; stop that or choose another"
        raise OSError(errno.EBUSY, reason, str(path)) from None


def sweep() -> None:
    """Remove the temporary folders of processes that were killed, as far as possible."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # TimeoutError included: the folder of a living process
            if _is_own(path) and (path / _LOCK).is_file():
                LockedFolder(path, may_lack_locks=False).remove()


def _is_own(path: Path) -> bool:
    """Return whether `make_temporary` may have made a folder for this user: private, and not a link."""
    info = path.lstat()
    if not stat.S_ISDIR(info.st_mode):
        return False
    return sys.platform == "win32" or (info.st_uid == os.getuid() and not info.st_mode & 0o077)
