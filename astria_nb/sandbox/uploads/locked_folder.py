"""Private folders that are held by a living process, and what a killed one left behind."""

import contextlib
import errno
import os
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_PREFIX = "astria-sandbox-"
_LOCK = ".lock"


@dataclass(frozen=True)
class HeldFolder:
    """A folder whose lock file this process has locked; the lock goes with the process, however it ends."""

    path: Path
    _descriptor: int
    _process: int = field(default_factory=os.getpid)

    def release(self) -> None:
        """Let others have the folder."""
        if os.getpid() == self._process:  # a forked child has a copy of this object, and no claim
            os.close(self._descriptor)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        if os.getpid() != self._process:
            return
        lock = self.path / _LOCK
        with contextlib.suppress(OSError):
            # The lock goes last, so that a removal that is broken off is taken up by the next process; and
            # while it is held, so that nobody locks what is about to go.
            self._empty()
            if sys.platform != "win32":
                lock.unlink()
        self.release()
        with contextlib.suppress(OSError):
            if sys.platform == "win32" and list(self.path.iterdir()) == [lock]:
                lock.unlink()  # only here: it removes no file that is open, be it by whoever locked it since
            self.path.rmdir()

    def _empty(self) -> None:
        for entry in self.path.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != _LOCK:
                entry.unlink()


def make_temporary() -> HeldFolder:
    """Make a folder in the temp directory that nobody else may look into, and hold it."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        # Between these two lines another process may take the folder for a killed one's, and remove it.
        with contextlib.suppress(FileNotFoundError):
            if held := _hold(path, os.O_CREAT):
                return held


def hold(path: Path) -> HeldFolder:
    """Hold a folder that is to be kept; make it, private, where there is none.

    Raises
    ------
    OSError
        When it cannot be made, or another process holds it.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = _hold(path, os.O_CREAT)
    if held is None:
        reason = "this folder is in use by another sandbox; stop that or choose another"
        raise OSError(errno.EBUSY, reason, str(path))
    return held


def sweep() -> None:
    """Remove the temporary folders of processes that were killed; those that cannot be removed stay."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if _is_own(path) and (held := _hold(path)):
                held.remove()


def _is_own(path: Path) -> bool:
    """Tell whether a folder is one that `make_temporary` made for this user: no link, open to nobody else."""
    info = path.lstat()
    if not stat.S_ISDIR(info.st_mode):
        return False
    return sys.platform == "win32" or (info.st_uid == os.getuid() and not info.st_mode & 0o077)


def _hold(path: Path, create: int = 0) -> HeldFolder | None:
    """Lock a folder, unless somebody else has; FileNotFoundError when it has no lock file."""
    lock = path / _LOCK
    descriptor = os.open(lock, os.O_RDWR | create | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        if _lock(descriptor) and os.path.samestat(os.fstat(descriptor), lock.lstat()):
            return HeldFolder(path, descriptor)
    except FileNotFoundError:  # removed between opening and locking
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
