"""Photos of a folder that cannot be sent: those that are kept in iCloud only, and raw files of cameras."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from astria_nb.images._folder import SUFFIXES, is_hidden, pictures_in

_RAW = (
    *(".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".raf", ".orf", ".rw2", ".rwl"),
    *(".srw", ".pef", ".x3f", ".3fr", ".iiq", ".erf", ".mrw", ".kdc", ".dcr"),
)
_PLACEHOLDER = re.compile(r"\.(?P<name>.+)\.icloud", re.DOTALL)  # what macOS puts in the place of a file


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Names of photos in a folder that a listing of its pictures does not have.

    Attributes
    ----------
    in_cloud : tuple of str
        As the files were called.
    raw : tuple of str
        Without those that lie beside a picture of the same name, as cameras save them.
    """

    in_cloud: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()


def left_out(paths: Sequence[Path]) -> LeftOut:
    """Return what a tune lacks of the folders of which it has all pictures.

    A list that has only some of the pictures of a folder was chosen by hand: nothing is missed in it.

    Parameters
    ----------
    paths : sequence of Path
        Of the tune's photos.
    """
    in_cloud, raw = list[str](), list[str]()
    for folder in dict.fromkeys(path.parent for path in paths):
        try:
            found = _left_out_of(folder, folder.stat().st_mtime_ns)
            if found != LeftOut() and {*pictures_in(folder)}.issubset(paths):
                in_cloud += found.in_cloud
                raw += found.raw
        except OSError:  # what is wrong with it is told where it is read
            continue
    return LeftOut(tuple(in_cloud), tuple(raw))


@lru_cache(64)  # the rows of a table may share a folder, which changes its time with what is in it
def _left_out_of(folder: Path, _mtime_ns: int) -> LeftOut:
    paths = sorted(folder.iterdir())
    visible = [path for path in paths if not is_hidden(path.name)]
    names = {path.name for path in visible}
    stems = {path.stem.casefold() for path in visible if path.name.lower().endswith(SUFFIXES)}
    matches = (_PLACEHOLDER.fullmatch(path.name) for path in paths)
    in_cloud = [match["name"] for match in matches if match is not None and match["name"] not in names]
    raw = [
        path.name
        for path in visible
        if path.name.lower().endswith(_RAW) and path.stem.casefold() not in stems and path.is_file()
    ]
    return LeftOut(tuple(name for name in in_cloud if name.lower().endswith((*SUFFIXES, *_RAW))), tuple(raw))
