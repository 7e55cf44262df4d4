"""What people pass as photos that is no list of files, and the code that makes one of it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from io import IOBase
from numbers import Number
from os import PathLike
from pathlib import Path, PurePath
from typing import Any

from astria_nb.errors import TuneError
from astria_nb.images import Image, is_hidden
from astria_nb.tune._folder_hints import hint_for_pattern, is_pattern, problem_with_folder
from astria_nb.tune._path_repairs import is_folder, mode_of, repaired
from astria_nb.tune.addresses import kind_of
from astria_nb.tune.proposals import as_code
from astria_nb.utils.formatting import short

Fault = tuple[str, str]
"""What is wrong, and how to fix it."""

_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz")
_DELETED = (".trashed-", ".pending-")  # Android's names for a photo in the trash, or not yet whole
_MAX_CODE = 300  # characters
_DATA = (bytes, bytearray, memoryview, IOBase)
_SAVE = "save it, and give its path"
_PATHS = "give the path of each photo"
_ADDRESS = re.compile(r"\s*(?:([a-z][a-z0-9+.-]+)://|(data):)", re.IGNORECASE)
_OF_WINDOWS = re.compile(r"\s*[\"']?(?:[a-z]:[\\/]|\\\\)", re.IGNORECASE)


def problem_with_list(value: Any) -> Fault | None:
    """Return what is wrong with the value of ``images`` if it is no list; None if it may be one."""
    if isinstance(value, str | PathLike):
        return _problem_with_path(value)
    if isinstance(value, Image):
        return f"{short(value)} is not a list of paths", "put it in a list"
    if isinstance(value, Mapping):
        return f"{short(value)} is not a list of paths", _hint_for_mapping(value)
    if isinstance(value, _DATA) or _is_pixels(value) or _is_pil(value) or _file_of(value) is not None:
        fault = problem_with_item(value)
        assert fault is not None
        what, hint = fault
        return what.replace("the path of a file", "a list of paths"), hint
    return None


def problem_with_item(item: Any) -> Fault | None:
    """Return what is wrong with an item that is no path, or the path of no photo; None if it may be one."""
    if isinstance(item, Image):
        return None
    if isinstance(item, str | PathLike) and not isinstance(path := _fspath(item), bytes):
        return _problem_with_file(path)
    if isinstance(item, Mapping) and {"name", "content"} <= set(item):  # of ipywidgets' FileUpload
        hint = "save it: Path(item['name']).write_bytes(item['content']), and give its path"
        return f"{short(item.get('name'))} is an upload in memory, not the path of a file", hint
    if _is_pixels(item):
        hint = "save it: PIL.Image.fromarray(array).save('photo.png'), and give ['photo.png']"
        return "an array of pixels is not the path of a file", hint
    what = f"{short(item)} is {kind_of(item)}, not the path of a file"
    if (file := _file_of(item)) is not None:
        return what, _write([file]) or _SAVE
    if _is_pil(item):
        return what, "save it: image.save('photo.png'), and give ['photo.png']"
    if isinstance(item, list | tuple | set):
        return what, "put all paths in one list"
    return what, _PATHS if isinstance(item, Number) else _SAVE


def hint_for_no_picture(path: str | PathLike[Any]) -> str | None:
    """Return what to do with a file that cannot be opened as a picture; None if its name does not say."""
    name = Path(os.fsdecode(path)).name
    if name.lower().endswith(_ARCHIVES) and _exists(os.fsdecode(path)):
        return "unpack it, and give the files in it"
    return "leave it out: it is a hidden file" if is_hidden(name) else None


def _problem_with_path(value: str | PathLike[Any]) -> Fault:
    path = _fspath(value)
    what = f"{short(value if isinstance(value, str) else str(value))} is not a list of paths"
    if isinstance(path, bytes):
        return what, "give text: os.fsdecode(path)"
    if fault := _problem_with_file(path, is_list=True):
        return fault
    if _exists(path):
        return _problem_with_content(path) or (what, _write([path]) or "put it in a list")
    parts = [part.strip() for part in re.split(r"[,;\n]", path)]
    if len(parts) > 1 and all(map(_is_photo, parts)) and (hint := _write(parts)):
        return what, hint
    reason, _ = _problem_with_content(path) or ("it does not exist", "")
    return f"{what}, and {reason}", "check the path, and put it in a list"


def _problem_with_file(path: str, *, is_list: bool = False) -> Fault | None:
    """Return why a path is no file to send; None if `Image.open` is to look at it.

    With `is_list` a hint proposes a list, since the path was passed instead of one.
    """
    name = Path(path).name
    if _exists(path):
        if is_folder(path):
            return problem_with_folder(path)
        if name.startswith(_DELETED):
            return f"{short(name)} was deleted on a phone", "leave it out, or rename it"
        return None
    if (file := repaired(path)) is not None:
        hint = _write([file] if is_list else file)
        return _problem_with_content(file) or (f"{short(name)} does not exist", hint or "check its spelling")
    if address := _ADDRESS.match(path):
        return f"{short(path)} is an address, not the path of a file", _hint_for_address(address)
    if _OF_WINDOWS.match(path) and os.name != "nt":
        what = f"{short(path)} is a path of another computer"
        return what, "upload the file to where this notebook runs, and give its path there"
    if is_pattern(path):
        return f"{short(name)} is a pattern, not a file", hint_for_pattern(path)
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
        return "give addresses as image_urls=[…]"
    if scheme == "file":
        return "give the path of a file that is there, without file://"
    return _SAVE if scheme == "data" else "download it, and give the path of the file"


def _hint_for_mapping(value: Mapping[Any, Any]) -> str:
    """Return how to give the files of a mapping: Colab's ``files.upload()`` has saved them under its keys."""
    photos = [name for name in value if isinstance(name, str) and _is_photo(name)]
    if photos:
        return _write(photos) or "give its keys, which are files: list(uploaded)"
    return "save each photo, and give a list of their paths"


def _fspath(path: str | PathLike[Any]) -> str | bytes:
    # One of another system's paths has that system's separators.
    return str(Path(path)) if isinstance(path, PurePath) else os.fspath(path)


def _file_of(item: Any) -> str | None:
    """Return the file that a FileChooser, an open file or a PIL image stands for; None if there is none."""
    for attribute in ("selected", "name", "filename"):
        path = getattr(item, attribute, None)
        if isinstance(path, str) and stat.S_ISREG(mode_of(path) or 0) and _is_photo(path):
            return path
    return None


def _is_pixels(value: Any) -> bool:
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    is_frame = hasattr(value, "index")
    return kind in ("u", "i", "f") and getattr(value, "ndim", 0) > 0 and not is_frame


def _is_pil(value: Any) -> bool:
    return any(base.__module__ == "PIL.Image" for base in type(value).__mro__)


def _exists(path: str) -> bool:
    return mode_of(path) is not None


def _write(value: Any) -> str | None:
    code = as_code(value, _MAX_CODE)
    return None if code is None else f"write {code}"
