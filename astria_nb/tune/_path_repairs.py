"""The file that was probably meant by a path that does not exist."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from urllib.parse import unquote

from astria_nb.tune.plain import INVISIBLE

_ENDS = re.compile(rf"^[\s{INVISIBLE}\"'`]+|[\s{INVISIBLE}\"'`,;]+$")
_FILE_ADDRESS = re.compile(r"file:(?://(?:localhost)?(?=/))?", re.IGNORECASE)
_UNSEEN = re.compile(rf"[\s{INVISIBLE}]+")
_MAX_NAMES = 2000  # entries of a folder that is searched for a similar name


def mode_of(path: str) -> int | None:
    """Return the type and permissions of a file; None if it does not exist, or cannot be checked."""
    try:
        return expanded(path).stat().st_mode
    except (OSError, ValueError):  # too long, or a NUL in it
        return None


def is_folder(path: str) -> bool:
    """Return whether a path leads to a folder."""
    return stat.S_ISDIR(mode_of(path) or 0)


def expanded(path: str) -> Path:
    """Return a path with ``~`` replaced by the home folder, if there is such a user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def repaired(path: str) -> str | None:
    """Return the file that a path was probably meant to name, or None.

    The path may have been copied with blanks or quotes, as an address, or from another system; or the name
    differs in case, blanks or the encoding of its accents.
    """
    return next((candidate for candidate in _candidates(path) if _is_file(candidate)), None)


def _candidates(path: str) -> Iterator[str]:
    bare = _ENDS.sub("", path)
    without_scheme = _FILE_ADDRESS.sub("", bare, count=1)
    yield bare
    if without_scheme != bare:
        yield unquote(without_scheme)
        yield without_scheme
    yield os.path.expandvars(bare)
    yield bare.replace("\\", "/")
    yield from _lookalikes(bare)


def _lookalikes(path: str) -> Iterator[str]:
    folder, name = Path(path).parent, Path(path).name
    with suppress(OSError, ValueError), os.scandir(expanded(str(folder))) as entries:
        for entry in islice(entries, _MAX_NAMES):
            if _look(entry.name) == _look(name):
                yield str(folder / entry.name)


def _look(name: str) -> str:
    return _UNSEEN.sub(" ", unicodedata.normalize("NFKC", name)).strip().casefold()


def _is_file(path: str) -> bool:
    return bool(path) and stat.S_ISREG(mode_of(path) or 0)
