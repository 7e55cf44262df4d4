"""The photos of a draft that have no other place on this disk: uploads, and what was in memory."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from astria_nb.form._replaced_file import replaced_file
from astria_nb.images import Image
from astria_nb.utils.remove_tree import remove_tree

_ENDING = ".photos"
_DIGITS = 32  # of the hash of a photo's content
# Since a draft was opened: until then, a form of another kernel may show the photos.
_UNUSED_SECONDS = 24 * 3600.0
# Folders of photos that forms of this process have shown: their list may still have them.
_shown: set[str] = set()


class DraftPhotos:
    """The photos of one draft.

    Each is in a folder of its own, whose name is random, or made of the photo's content. That name says
    whether a photo is in use: its path differs once the project was renamed, or is reached by a link.

    Parameters
    ----------
    folder : Path
        The folder of all drafts.
    name : str
        The draft's name.
    make_parent : callable
        Makes the folder of all drafts if it is not there.
    """

    def __init__(self, folder: Path, name: str, make_parent: Callable[[], None]) -> None:
        self._folder, self._make_parent = folder / f"{name}{_ENDING}", make_parent

    def make_folder(self) -> Path:
        """Return the folder, which only its owner can read.

        Raises
        ------
        OSError
        """
        self._make_parent()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        return self._folder

    def path_of(self, photo: Any) -> str:
        """Return the path by which a draft names a photo: in its folder, even if the draft was moved."""
        path = self._path_of(photo)
        own = self._own(Path(path))
        return path if own is None else str(own)

    def store(self, photos: Iterable[Any]) -> None:
        """Copy photos that are in memory, each once, to where `path_of` says.

        Raises
        ------
        OSError
        """
        for photo in photos:
            path = Path(self._path_of(photo))
            if _is_in_memory(photo) and not path.is_file():
                self.make_folder()
                path.parent.mkdir(mode=0o700, exist_ok=True)
                with photo.path.open("rb") as content, replaced_file(path) as file:
                    shutil.copyfileobj(content, file)

    def _path_of(self, photo: Any) -> str:
        if _is_in_memory(photo):
            return str(self._folder / photo.copy.sha256[:_DIGITS] / photo.path.name)
        return str(photo.origin if isinstance(photo, Image) else photo)

    def _own(self, path: Path) -> Path | None:
        """Return the file in the folder that a path leads, or led, to; None if there is none."""
        place = path.parts[-2:]  # the photo's own folder, and its name
        if len(place) < 2 or place[0] in (path.anchor, ".."):
            return None
        own = self._folder.joinpath(*place)
        if own == path:
            return own  # also if it was deleted
        may_be_own = "".join(path.parts[-3:-2]).endswith(_ENDING)
        with suppress(OSError, ValueError):  # no file can have this name
            return own if may_be_own and own.is_file() else None
        return None

    def note(self, paths: Iterable[str]) -> None:
        """Note that a form of this process has shown photos."""
        _shown.update(_folder_names(paths))

    def keep(self, paths: Iterable[str], *, may_delete: bool) -> None:
        """Keep the photos that the draft names, which was opened.

        Parameters
        ----------
        paths : iterable of str
        may_delete : bool
            Whether to delete the photos that the draft does not name and no open form can show.
        """
        names = _folder_names(paths)
        _shown.update(names)
        with suppress(OSError):  # there are none, or they cannot be listed
            for folder in self._folder.iterdir():
                if folder.name in names:
                    with suppress(OSError):  # it was deleted
                        os.utime(folder)
                elif may_delete and folder.name not in _shown and _is_old(folder):
                    remove_tree(folder)


def _is_in_memory(photo: Any) -> bool:
    return isinstance(photo, Image) and photo.origin is None


def _folder_names(paths: Iterable[str]) -> set[str]:
    return {part for path in paths for part in Path(path).parts[:-1]}


def _is_old(folder: Path) -> bool:
    return folder.stat().st_mtime < time.time() - _UNUSED_SECONDS
