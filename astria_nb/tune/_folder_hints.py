"""The code that lists the pictures of a folder or of a pattern."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from astria_nb.images import pictures_in
from astria_nb.tune._folder_remarks import remarks_on_missing
from astria_nb.tune._path_repairs import expanded, is_folder
from astria_nb.tune._proposals import as_code
from astria_nb.utils.formatting import short

_PATTERNS = ("*.[jJ]*", "*.[pP]*", "*.[jJpP]*", "*.[hH]*", "*.[hHjJ]*", "*.[hHjJpPwW]*")
_MAGIC = frozenset("*?[")
_WEB_ADDRESS = re.compile(r"\s*https?://", re.IGNORECASE)
_MAX_CODE = 300  # characters
_MAX_MATCHES = 1000


def is_pattern(path: str) -> bool:
    """Return whether a path has wildcards; a web address may have the same characters."""
    return bool(_MAGIC & set(path)) and _WEB_ADDRESS.match(path) is None


def problem_with_folder(folder: str) -> tuple[str, str]:
    """Return the problem with a folder that is given as a file, and how to give the files in it."""
    name = Path(folder).name or folder
    try:
        files = _files_in(folder)
    except OSError as error:
        what = f"{short(name)} is a folder that cannot be read ({error.strerror or error})"
        return what, "fix its permissions, or give the files in it"
    if files:
        return f"{short(name)} is a folder", f"give the files in it: {files}"
    for remark in remarks_on_missing([expanded(folder) / "any"]):
        return f"{short(name)} has no picture: {remark.what}", remark.hint
    return f"{short(name)} is a folder", "leave it out: no picture is directly in it"


def hint_for_pattern(path: str) -> str:
    """Return the code that finds the files of a pattern, or a hint to the files that exist."""
    parts = expanded(path).parts
    count = next(number for number, part in enumerate(parts) if _MAGIC & set(part))
    folder, pattern = Path(*parts[:count]), "/".join(parts[count:])
    if not is_folder(str(folder)):
        return f"check the path: there is no folder {short(str(folder))}"
    # Not for a recursive pattern, which may cover a whole disk.
    is_tree = "**" in pattern
    if is_tree or _are_pictures(list(islice(_glob(folder, pattern), _MAX_MATCHES))):
        code = _as_glob(folder, pattern)
        return f"give the files: images={code}" if code else "give the files that it matches"
    try:
        files = _files_in(str(folder))
    except OSError as error:
        return f"check the path: {short(str(folder))} cannot be read ({error.strerror or error})"
    return f"give the files: {files}" if files else f"check the path: no picture is in {short(str(folder))}"


def _files_in(folder: str) -> str | None:
    """Return how to list only the pictures of a folder, as code if possible; None if there are none.

    Raises
    ------
    OSError
        The folder cannot be read.
    """
    path = expanded(folder)
    pictures = {picture.name for picture in pictures_in(path)}
    if not pictures:
        return None
    suffixes = sorted({Path(name).suffix for name in pictures})
    endings = [f"*{suffix}" for suffix in suffixes] + [*_PATTERNS]
    patterns = [*endings, *(f"[!.]{ending}" for ending in endings)]
    names = [entry.name for entry in path.iterdir()]
    exact = (name for name in patterns if set(fnmatch.filter(names, name)) == pictures)
    if (pattern := next(exact, None)) is not None:
        code = _as_glob(path, pattern)
    else:
        code = _as_glob(path, "[!.]*", f"p.suffix in {tuple(suffixes)} and p.is_file() and p.stat().st_size")
    return f"images={code}" if code else f"{len(pictures)} by their endings, as a list of paths"


def _as_glob(folder: Path, pattern: str, condition: str = "") -> str | None:
    parts = as_code(str(folder), _MAX_CODE), as_code(pattern)
    paths = f"Path({parts[0]}).glob({parts[1]})"
    code = f"sorted(p for p in {paths} if {condition})" if condition else f"sorted({paths})"
    return code if None not in parts and len(code) <= _MAX_CODE else None


def _glob(folder: Path, pattern: str) -> Iterator[Path]:
    with suppress(OSError, ValueError, NotImplementedError):
        yield from folder.glob(pattern)


def _are_pictures(paths: list[Path]) -> bool:
    """Return whether there are files, and all of them are pictures."""
    if not paths:
        return False
    with suppress(OSError):
        pictures = {picture for folder in {path.parent for path in paths} for picture in pictures_in(folder)}
        return set(paths) <= pictures
    return False
