"""A private folder for files that nobody is to find later: it goes with its process, however that ends."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import weakref
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_PREFIX, _LOCK = "astria-nb-", ".lock"


class PrivateFolder:
    """A temporary folder that only this user can look into.

    It is gone when it is closed, when nothing refers to it, or when the program ends. What a killed program
    left is removed by the next one that makes such a folder; on Windows, which has no such locks, it stays.

    Examples
    --------
    >>> folder = PrivateFolder(); path = folder.path; path.is_dir()
    True
    >>> folder.close(); path.exists()
    False
    """

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))  # 0700
        self.close = weakref.finalize(self, _remove, self.path, _hold(self.path), os.getpid())


def _hold(folder: Path) -> int:
    """Lock a folder for as long as this process lives."""
    held = os.open(folder / "new", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    if sys.platform != "win32":
        fcntl.flock(held, fcntl.LOCK_EX)
        (folder / "new").rename(folder / _LOCK)  # is seen only when it is locked
    return held


def _remove(folder: Path, held: int, owner: int) -> None:
    if os.getpid() == owner:  # a forked child ends without its parent's folder
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _sweep(parent: Path) -> None:
    """Remove folders whose process is gone."""
    if sys.platform == "win32":
        return
    for lock in parent.glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            found = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue  # somebody else's
        try:
            if os.fstat(found).st_uid == os.geteuid():
                fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            pass  # its process lives
        finally:
            os.close(found)
