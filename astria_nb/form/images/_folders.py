"""Photos without the folders that they are in: what a form shows is saved with the notebook."""

from __future__ import annotations

import re
from pathlib import PureWindowsPath
from typing import Any

from astria_nb.form.fields import displayable
from astria_nb.images import Image

# A complete path in quotes; a message may have truncated it, perhaps in the middle of a folder's name.
_PATH = re.compile(
    r"(?P<quote>['\"])(?P<path>(?:file:|[/~\\]|[A-Za-z]:[/\\])(?:\\.|(?!(?P=quote)|…(?:\s|$)).)*)"
    r"(?P<cut>…?)",
    re.DOTALL,
)


def file_name(source: Any) -> str:
    r"""Return what a form calls a photo: the name of its file, whether it could be opened or not.

    Parameters
    ----------
    source : Image or path
        The path may be one of another system.

    Examples
    --------
    >>> file_name("/home/ann/1.jpg"), file_name(r"C:\Users\Ann\1.jpg")
    ('1.jpg', '1.jpg')
    """
    if isinstance(source, Image):
        return source.filename
    return displayable(PureWindowsPath(str(source)).name or str(source))


def without_folders(text: str) -> str:
    """Return a message with only the last part of each path that is complete.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> without_folders("give the files in it: images=sorted(Path('/home/ann/cats').glob('*.jpg'))")
    "give the files in it: images=sorted(Path('…/cats').glob('*.jpg'))"
    """
    return _PATH.sub(_without_folders, text)


def _without_folders(path: re.Match[str]) -> str:
    return f"{path['quote']}…" if path["cut"] else f"{path['quote']}…/{PureWindowsPath(path['path']).name}"
