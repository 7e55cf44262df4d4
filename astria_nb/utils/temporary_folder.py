"""Temporary folders that are removed with their process, even if it was killed."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from astria_nb.utils.remove_tree import remove_tree

if TYPE_CHECKING:
    from filelock import BaseFileLock

_PREFIX, _LOCK, _PID, _FILES = "astria-nb-", ".lock", ".pid", "files"


class TemporaryFolder:
    """A temporary folder that no other user can read.

    It is removed when it is closed, when it is garbage collected, or when the program exits. A folder that a
    killed program left behind is removed the next time any program creates one. A forked child neither
    removes its parent's folder nor releases its lock. On a disk without file locks, a file with the process
    id takes the lock's place.

    Attributes
    ----------
    path : Path
        Absolute.

    Raises
    ------
    OSError
        The disk for temporary files is full or read-only; the environment variable ``TMPDIR`` names another.

    Examples
    --------
    >>> folder = TemporaryFolder(); path = folder.path; path.is_dir()
    True
    >>> folder.close(); path.exists()
    False
    """

    def __init__(self) -> None:
        _remove_abandoned(Path(tempfile.gettempdir()))
        root = Path(tempfile.mkdtemp(prefix=_PREFIX))  # 0700
        try:
            lock = _lock(root, may_lack_locks=True)
            # Created after locking: every folder that `_remove_abandoned` can see is locked while its process
            # lives.
            self.path = root / _FILES
            self.path.mkdir(mode=0o700)
        except OSError:
            remove_tree(root)
            raise
        self.close = weakref.finalize(self, _remove, root, lock, os.getpid())


def _lock(root: Path, *, may_lack_locks: bool) -> BaseFileLock:
    """Lock a folder; if file locks fail, by a process id if that is allowed or was done before.

    Raises
    ------
    TimeoutError
        Another process has locked it.
    OSError
        File locks fail, so its owner may be alive.
    """
    from filelock import FileLock, SoftFileLock, Timeout  # takes 50 ms to import

    # Not thread-local, because the garbage collector may run `_remove` on any thread.
    if not (root / _PID).exists():
        lock = FileLock(root / _LOCK, timeout=0, mode=0o600, thread_local=False, fallback_to_soft=False)
        try:
            lock.acquire()
            return lock
        except Timeout:
            raise
        except OSError:  # no locks on this disk, as on some clusters: ENOSYS, ENOLCK, EOPNOTSUPP
            if not may_lack_locks:
                raise
    by_pid = SoftFileLock(root / _PID, timeout=0, mode=0o600, thread_local=False)
    by_pid.acquire()
    return by_pid


def _remove(root: Path, lock: BaseFileLock, owner: int) -> None:
    if os.getpid() != owner:
        return
    remove_tree(root / _FILES)
    with contextlib.suppress(OSError):  # its disk is gone
        lock.release()
    remove_tree(root)  # only now: Windows cannot remove an open file


def _remove_abandoned(parent: Path) -> None:
    for files in parent.glob(f"{_PREFIX}*/{_FILES}"):
        root = files.parent
        with contextlib.suppress(OSError):  # includes filelock's Timeout: the process is alive
            if _is_private(root):
                _remove(root, _lock(root, may_lack_locks=False), os.getpid())


def _is_private(root: Path) -> bool:
    """Return whether a path is a folder, not a link, that only this user can open."""
    info = root.lstat()
    if not stat.S_ISDIR(info.st_mode):
        return False
    return sys.platform == "win32" or (info.st_uid == os.geteuid() and not info.st_mode & 0o077)
