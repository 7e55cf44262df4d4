"""The file of a draft: JSON that only its owner can read, and that anybody may have edited."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

from astria_nb.form._replaced_file import replaced_file

FOLDER = ".astria_drafts"


class DraftFile:
    """The file of one draft, beside the log.

    Parameters
    ----------
    folder : Path
        The log's folder.
    name : str
        The draft's name.

    Attributes
    ----------
    folder : Path
        The folder of all drafts.
    name : str
        The file's name.
    set_aside_as : str or None
        The name of what could not be read; None if all could be.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder / FOLDER, f"{name}.json"
        self._path = self.folder / self.name
        self.set_aside_as: str | None = None

    def read(self) -> dict[str, Any] | None:
        """Return the content; None if there is none. A file that is not a draft is set aside.

        Raises
        ------
        OSError
            It cannot be read at present.
        """
        try:
            content = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError):
            content = None
        if isinstance(content, dict):
            return content
        self.set_aside()
        return None

    def set_aside(self) -> None:
        """Rename the file, so that what is in it is not lost; an earlier one that was set aside stays.

        Raises
        ------
        OSError
        """
        names = (f"{self.name}.bad{number}" for number in itertools.chain([""], itertools.count(2)))
        free = next(name for name in names if not os.path.lexists(self.folder / name))
        self._path.rename(self.folder / free)
        self.set_aside_as = free

    @property
    def was_set_aside(self) -> bool:
        """Whether there is a file that was set aside, in this kernel or an earlier one."""
        return (self.folder / f"{self.name}.bad").exists()

    def replace(self, content: str) -> None:
        """Write the file.

        Raises
        ------
        OSError
        """
        self.make_folder()
        with replaced_file(self._path) as file:
            file.write(content.encode())

    def make_folder(self) -> None:
        """Make the folder of all drafts if it is not there.

        Raises
        ------
        OSError
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        ignore = self.folder / ".gitignore"  # drafts hold names, prompts and photos
        if not ignore.exists() or not ignore.stat().st_size:  # the disk was full
            ignore.write_text("*\n", encoding="utf-8")
