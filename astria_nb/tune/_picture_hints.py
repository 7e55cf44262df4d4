"""What people pass as photos instead of a list of files, and the code that makes a list of it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from numbers import Number
from os import PathLike
from pathlib import Path, PurePath
from typing import Any

from astria_nb.errors import TuneError
from astria_nb.images import Image, is_hidden
from astria_nb.tune._addresses import kind_of
from astria_nb.tune._folder_hints import problem_with_folder
from astria_nb.tune._path_repairs import is_folder, mode_of, repaired
from astria_nb.tune._proposals import as_code
from astria_nb.utils.formatting import short
from astria_nb.utils.remedies import Remedy

Fault = tuple[str, str]
"""What is wrong, and how to fix it."""

_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz")
_DELETED = (".trashed-", ".pending-")  # Android's names for a photo in the trash, or not yet whole
_MAX_CODE = 300  # characters
_SAVE = "save it, and give its path"
_PATHS = "give the path of each photo"
_ADDRESS = re.compile(r"\s*(?:([a-z][a-z0-9+.-]+)://|(data):)", re.IGNORECASE)
_OF_WINDOWS = re.compile(r"\s*[\"']?(?:[a-z]:[\\/]|\\\\)", re.IGNORECASE)


def problem_with_list(value: Any) -> Fault | None:
    """Return what is wrong with the value of ``images`` if it is not a list; None if it may be one."""
    if isinstance(value, str):
        # One text of several paths: a list of them is proposed.
        parts = [part.strip() for part in re.split(r"[,;\n]", value)]
        if len(parts) > 1 and all(map(_is_photo, parts)) and (hint := _write(parts)):
            return f"{short(value)} is not a list of paths", hint
    elif isinstance(value, Mapping):
        return f"{short(value)} is not a list of paths", _hint_for_mapping(value)
    elif not isinstance(value, PathLike) and (file := _file_of(value)) is not None:
        return f"{short(value)} is {kind_of(value)}, not a list of paths", _write([file]) or _SAVE
    return None


def problem_with_item(item: Any) -> Fault | None:
    """Return what is wrong with an item that is not the path of a photo; None if it may be one."""
    if isinstance(item, Image):
        return None
    if isinstance(item, str | PathLike):
        path = fspath(item)
        if isinstance(path, bytes):
            return f"{short(item)} is a path in bytes", "give text: os.fsdecode(path)"
        return _problem_with_file(path)
    what = f"{short(item)} is {kind_of(item)}, not the path of a file"
    if (file := _file_of(item)) is not None:
        return what, _write([file]) or _SAVE
    if callable(getattr(item, "__array__", None)):  # a tensor, which may be on another device
        return what, "give its pixels: numpy.asarray(item), as height x width x 3 of uint8"
    if isinstance(item, list | tuple | set):
        return what, "put all paths in one list"
    return what, _PATHS if isinstance(item, Number) else _SAVE


def hint_for_no_picture(path: str | PathLike[Any]) -> str | None:
    """Return what to do with a file that cannot be opened as a picture; None if its name does not tell."""
    name = Path(os.fsdecode(path)).name
    if name.lower().endswith(_ARCHIVES) and _exists(os.fsdecode(path)):
        return "unpack it, and give the files in it"
    return "leave it out: it is a hidden file" if is_hidden(name) else None


def fspath(path: str | PathLike[Any]) -> str | bytes:
    """Return a path as text; bytes if it is given as bytes."""
    # A path object of another system has that system's separators.
    return str(Path(path)) if isinstance(path, PurePath) else os.fspath(path)


def _problem_with_file(path: str) -> Fault | None:
    """Return why a path cannot be sent as a file; None if `Image.open` should check it."""
    name = Path(path).name
    if _exists(path):
        if is_folder(path):
            return problem_with_folder(path)
        if name.startswith(_DELETED):
            return f"{short(name)} was deleted on a phone", "leave it out, or rename it"
        return None
    if (file := repaired(path)) is not None:
        hint = _write(file)
        return _problem_with_content(file) or (f"{short(name)} does not exist", hint or "check its spelling")
    if address := _ADDRESS.match(path):
        return f"{short(path)} is an address, not the path of a file", _hint_for_address(address)
    if _OF_WINDOWS.match(path) and os.name != "nt":
        what = f"{short(path)} is a path of another computer"
        return what, "upload the file to where this notebook runs, and give its path there"
    return None


def _problem_with_content(path: str) -> Fault | None:
    """Return why a file cannot be sent, so that a hint does not propose it."""
    try:
        Image.open(path)
    except TuneError as error:
        (problem,) = error.problems
        return problem.what, hint_for_no_picture(path) or problem.hint
    return None


def _is_photo(path: str) -> bool:
    return _exists(path) and _problem_with_content(path) is None


def _hint_for_address(address: re.Match[str]) -> str:
    scheme = (address[1] or address[2]).lower()
    if scheme in ("http", "https"):
        return f"give addresses {Remedy.AS_LIST_OF_URLS}"
    if scheme == "file":
        return "give the path of an existing file, without file://"
    return _SAVE if scheme == "data" else "download it, and give the path of the file"


def _hint_for_mapping(value: Mapping[Any, Any]) -> str:
    if all(isinstance(name, str) and _is_photo(name) for name in value):
        return _write(list(value)) or "give its keys, which are files: list(uploaded)"
    return "give the paths of the photos as a list"


def _file_of(item: Any) -> str | None:
    """Return the file that a FileChooser, an open file or a PIL image stands for; None if there is none."""
    for attribute in ("selected", "name", "filename"):
        path = getattr(item, attribute, None)
        if isinstance(path, str) and stat.S_ISREG(mode_of(path) or 0) and _is_photo(path):
            return path
    return None


def _exists(path: str) -> bool:
    return mode_of(path) is not None


def _write(value: Any) -> str | None:
    code = as_code(value, _MAX_CODE)
    return None if code is None else f"write {code}"
