"""Storage on the kernel's disk for files that a browser sends."""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

from astria_nb.utils.remove_tree import remove_tree
from astria_nb.utils.temporary_folder import TemporaryFolder

_MAX_NAME_BYTES = 200  # file systems allow 255
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, format characters, surrogates, line separators
_FORBIDDEN_ON_WINDOWS = re.compile(r'[<>:"|?*]')


class UploadSpool:
    """A private folder for the files that a browser sends.

    It is created for the first file, and removed when the spool is closed or the program ends.

    Parameters
    ----------
    make_folder : callable, optional
        Creates and returns a folder to use instead, which is not removed.

    Examples
    --------
    >>> spool = UploadSpool()
    >>> first, second = spool.create("../1.jpg"), spool.create("1.jpg")
    >>> first.name, second.name, first == second
    ('1.jpg', '1.jpg', False)
    >>> spool.close(); first.parent.exists()
    False
    """

    def __init__(self, make_folder: Callable[[], Path] | None = None) -> None:
        self._make_folder = make_folder
        self._temporary: TemporaryFolder | None = None

    def create(self, name: str) -> Path:
        """Create an empty file that only this user can read, in its own folder, since names may repeat.

        Parameters
        ----------
        name : str
            As the browser sent it.

        Raises
        ------
        OSError
            The disk is full or read-only.
        """
        folder = Path(tempfile.mkdtemp(dir=self._parent()))  # 0700
        path = folder / safe_name(name)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError:
            remove_tree(folder)
            raise
        return path

    def _parent(self) -> Path:
        if self._make_folder is not None:
            return self._make_folder()
        self._temporary = self._temporary or TemporaryFolder()
        return self._temporary.path

    def close(self) -> None:
        """Remove the temporary folder and everything in it."""
        if self._temporary is not None:
            self._temporary.close()
            self._temporary = None


def safe_name(name: str, *, windows: bool = os.name == "nt") -> str:
    r"""Return a valid file name that looks like the one that the browser sent.

    Parameters
    ----------
    name : str
        May be a path, and of any length.
    windows : bool
        Whether characters that Windows forbids are replaced.

    Examples
    --------
    >>> safe_name("C:\\fakepath\\holiday\n.jpg"), safe_name("/etc/.."), safe_name("a<b>.jpg")
    ('holiday.jpg', 'photo', 'a<b>.jpg')
    """
    base = re.split(r"[/\\]", name)[-1]
    text = "".join(char for char in base if unicodedata.category(char) not in _INVISIBLE).strip(" ")
    if windows:
        text = _FORBIDDEN_ON_WINDOWS.sub("_", text).rstrip(". ")
    stem, dot, suffix = text.rpartition(".")
    if len(text.encode()) > _MAX_NAME_BYTES:
        end = f"{dot}{suffix}" if stem and len(suffix.encode()) <= 8 else ""
        text = text.encode()[: _MAX_NAME_BYTES - len(end.encode())].decode(errors="ignore") + end
    return text if text.strip(".") else "photo"
