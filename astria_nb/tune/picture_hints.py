"""What people pass as photos that is no list of files, and the code that makes one of it."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import IOBase
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

from astria_nb.images import Image, is_hidden, pictures_in
from astria_nb.tune.addresses import kind_of
from astria_nb.tune.proposals import as_code
from astria_nb.utils.formatting import short

Fault = tuple[str, str]
"""What is wrong, and how to fix it."""

_PATTERNS = ("*.[jJ]*", "*.[pP]*", "*.[jJpP]*", "*.[hH]*", "*.[hHjJ]*", "*.[hHjJpPwW]*")
_MAGIC = frozenset("*?[")
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz")
_DELETED = (".trashed-", ".pending-")  # Android's names for a photo in the trash, or not yet whole
_MAX_CODE = 200  # characters
_MAX_MATCHES = 1000
_DATA = (bytes, bytearray, memoryview, IOBase)
_SAVE = "save it, and give its path"


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
    if isinstance(item, str | PathLike) and not isinstance(path := os.fspath(item), bytes):
        return _problem_with_file(path)
    if isinstance(item, Mapping) and {"name", "content"} <= set(item):  # of ipywidgets' FileUpload
        hint = "save it: Path(item['name']).write_bytes(item['content']), and give its path"
        return f"{short(item.get('name'))} is an upload in memory, not the path of a file", hint
    if _is_pixels(item):
        hint = "save it: PIL.Image.fromarray(array).save('photo.png'), and give ['photo.png']"
        return "an array of pixels is not the path of a file", hint
    what = f"{short(item)} is {kind_of(item)}, not the path of a file"
    if (path := _file_of(item)) is not None:
        return what, _write([path]) or _SAVE
    if _is_pil(item):
        return what, "save it: image.save('photo.png'), and give ['photo.png']"
    if isinstance(item, list | tuple | set):
        return what, "put all paths in one list"
    return what, _SAVE


def hint_for_no_picture(path: str | PathLike[Any]) -> str | None:
    """Return what to do with a file that cannot be opened as a picture; None if its name does not say."""
    name = Path(os.fsdecode(path)).name
    if name.lower().endswith(_ARCHIVES) and _exists(os.fsdecode(path)):
        return "unpack it, and give the files in it"
    return "leave it out: it is a hidden file" if is_hidden(name) else None


def _problem_with_path(value: str | PathLike[Any]) -> Fault:
    path = os.fspath(value)
    what = f"{short(value if isinstance(value, str) else str(value))} is not a list of paths"
    if isinstance(path, bytes):
        return what, "give text: os.fsdecode(path)"
    if path.lower().lstrip().startswith(("http://", "https://")):
        return what, "give addresses as image_urls=[…]"
    if fault := _problem_with_file(path):
        return fault
    if _exists(path):
        return what, _write([path]) or "put it in a list"
    parts = [part.strip() for part in path.split(",")]
    if len(parts) > 1 and all(map(_exists, parts)) and (hint := _write(parts)):
        return what, hint
    return f"{what}, and there is no such file", "check the path, and put it in a list"


def _problem_with_file(path: str) -> Fault | None:
    """Return why a path is no file to send; None if `Image.open` is to look at it."""
    name = Path(path).name
    if _exists(path):
        if _is_folder(path):
            return f"{short(name or path)} is a folder", _hint_for_folder(path)
        if name.startswith(_DELETED):
            return f"{short(name)} was deleted on a phone", "leave it out, or rename it"
        return None
    if _MAGIC & set(path):
        return f"{short(name)} is a pattern, not a file", _hint_for_pattern(path)
    if path != path.strip() and _exists(path.strip()):
        return f"{short(name)} does not exist", _write(path.strip()) or "remove the blanks around it"
    return None


def _hint_for_folder(folder: str) -> str:
    code = _code_for(folder)
    return f"give the files in it: images={code}" if code else "leave it out: no picture is in it"


def _hint_for_pattern(path: str) -> str:
    """Return the code that finds the files of a pattern, or else those that are there."""
    with suppress(RuntimeError):  # the home of nobody
        path = str(Path(path).expanduser())
    parts = Path(path).parts
    count = next(number for number, part in enumerate(parts) if _MAGIC & set(part))
    folder, pattern = Path(*parts[:count]), "/".join(parts[count:])
    if not _is_folder(str(folder)):
        return f"check the path: there is no folder {short(str(folder))}"
    # Not for a whole tree, which may be a disk.
    is_tree = "**" in pattern
    is_good = is_tree or _are_pictures(list(islice(_glob(folder, pattern), _MAX_MATCHES)))
    if code := _as_glob(folder, pattern) if is_good else _code_for(str(folder)):
        return f"give the files: images={code}"
    return f"check the path: no picture is in {short(str(folder))}"


def _code_for(folder: str) -> str | None:
    """Return code that lists the pictures of a folder and nothing else; None if there are none."""
    path = Path(folder).expanduser()
    try:
        pictures = {picture.name for picture in pictures_in(path)}
        names = [entry.name for entry in path.iterdir()]
    except OSError:
        return None
    endings = [f"*{suffix}" for suffix in sorted({Path(name).suffix for name in pictures})]
    patterns = [*endings, *_PATTERNS, *(f"[!.]{pattern}" for pattern in (*endings, *_PATTERNS))]
    exact = (pattern for pattern in patterns if set(_matching(names, pattern)) == pictures)
    partial = (pattern for pattern in patterns if set(_matching(names, pattern)) < pictures)
    pattern = next(exact, None) or next(partial, None)
    return _as_glob(path, pattern) if pictures and pattern else None


def _matching(names: list[str], pattern: str) -> list[str]:
    return [name for name in names if fnmatch.fnmatchcase(name, pattern)]


def _as_glob(folder: Path, pattern: str) -> str | None:
    parts = as_code(str(folder)), as_code(pattern)
    code = f"sorted(Path({parts[0]}).glob({parts[1]}))"
    return code if None not in parts and len(code) <= _MAX_CODE else None


def _glob(folder: Path, pattern: str) -> Iterator[Path]:
    with suppress(OSError, ValueError, NotImplementedError):
        yield from folder.glob(pattern)


def _are_pictures(paths: list[Path]) -> bool:
    """Return whether there are files, and none but pictures."""
    if not paths:
        return False
    with suppress(OSError):
        pictures = {picture for folder in {path.parent for path in paths} for picture in pictures_in(folder)}
        return set(paths) <= pictures
    return False


def _hint_for_mapping(value: Mapping[Any, Any]) -> str:
    """Return how to give the files of a mapping: Colab's ``files.upload()`` has saved them under its keys."""
    names = list(value)
    if names and all(isinstance(name, str) and _exists(name) for name in names):
        return _write(names) or "give its keys, which are files: list(uploaded)"
    return "save each photo, and give a list of their paths"


def _file_of(item: Any) -> str | None:
    """Return the file that a FileChooser, an open file or a PIL image stands for; None if there is none."""
    for attribute in ("selected", "name", "filename"):
        path = getattr(item, attribute, None)
        if isinstance(path, str) and stat.S_ISREG(_mode(path) or 0):
            return path
    return None


def _is_pixels(value: Any) -> bool:
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    is_frame = hasattr(value, "index")
    return kind in ("u", "i", "f") and getattr(value, "ndim", 0) > 0 and not is_frame


def _is_pil(value: Any) -> bool:
    return any(base.__module__ == "PIL.Image" for base in type(value).__mro__)


def _exists(path: str) -> bool:
    return _mode(path) is not None


def _mode(path: str) -> int | None:
    """Return the type and permissions of a file; None if there is none, or it cannot be asked."""
    try:
        return Path(path).expanduser().stat().st_mode
    except (OSError, ValueError, RuntimeError):  # too long, a NUL in it, or the home of nobody
        return None


def _is_folder(path: str) -> bool:
    return stat.S_ISDIR(_mode(path) or 0)


def _write(value: Any) -> str | None:
    code = as_code(value)
    return None if code is None else f"write {code}"
