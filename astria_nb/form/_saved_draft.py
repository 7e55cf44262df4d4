"""A draft as plain data, and the file that keeps it between two kernels."""

from __future__ import annotations

import json
import os
import re
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from astria_nb.errors import AstriaError, Problem, TuneError
from astria_nb.images import PREPROCESSING_NAMES, Image, Preprocessing
from astria_nb.tune import FIELDS
from astria_nb.utils.formatting import quoted
from astria_nb.utils.redaction import redact_long_keys
from astria_nb.utils.remove_tree import remove_tree

LIST = "list"
"""The key of the tunes in a form's list, beside its fields."""
_SAVED_FIELDS = (*FIELDS, *PREPROCESSING_NAMES, LIST)
FOLDER = ".astria_drafts"
_OWNER = "form"  # the form that saves the draft, in its file
_UNUSED_SECONDS = (
    24 * 3600.0
)  # seconds since a draft was opened; until then, a form of another kernel may show the photos
_writing = threading.Lock()  # forms of one kernel write from several threads
# Folders of photos that forms of this process have shown: their lists may still contain them.
_shown: set[Path] = set()
_NAME = re.compile(r"\w[\w .-]{0,63}")


def as_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a draft for JSON, with images as their paths; images in memory are left out."""
    plain = {name: _plain(value) for name, value in values.items()}
    images = [path for path in plain.pop("images", None) or () if path is not None]
    return {**plain, "images": images} if images else plain


class SavedDraft:
    """A draft on disk, in a file beside the log that only its owner can read.

    It belongs to one form at a time: the one that opened it last, which is recorded in the file.

    Parameters
    ----------
    folder : Path
        The log's folder.
    name : str
        The draft's name.

    Raises
    ------
    TuneError
        The name cannot be a file name.
    """

    def __init__(self, folder: Path, name: str) -> None:
        if not _NAME.fullmatch(name):
            hint = "use letters, digits, spaces, dots and dashes, at most 64"
            raise TuneError(Problem("draft", f"{quoted(name)} is not a valid file name", hint))
        self.path = folder / FOLDER / f"{name}.json"
        self._photos_folder = folder / FOLDER / f"{name}.photos"
        self._form = uuid.uuid4().hex
        self._written: str | None = None  # the last content that this form wrote

    def read(self) -> dict[str, Any]:
        """Return the saved fields; an empty dictionary if there is no file or it cannot be read."""
        try:
            saved = self._content()
            for values in (saved, *_listed(saved)):
                Preprocessing.taken_from(dict(values))
            used = _folders_of_photos(saved)
        except (AstriaError, OSError, ValueError, TypeError, RecursionError):
            return {}
        self._keep_photos(used)
        self._delete_unused_photos()
        return {name: value for name, value in saved.items() if name in _SAVED_FIELDS}

    def write(self, values: Mapping[str, Any]) -> bool:
        """Save a draft atomically, without any field that seems to contain an API key.

        Returns
        -------
        bool
            False if another form has opened the draft since: then it belongs to that form, and is not
            changed. Content that this form saved before, and still has, is not refused.

        Raises
        ------
        OSError
        """
        _shown.update(_folders_of_photos(values))
        safe = {name: value for name, value in values.items() if name != LIST and not _holds_key(value)}
        listed = [
            {name: value for name, value in fields.items() if not _holds_key(value)}
            for fields in _listed(values)
        ]
        safe |= {LIST: listed} if listed else {}
        content = json.dumps({**safe, _OWNER: self._form})
        with _writing:
            if content == self._written:
                return True
            if self._written is not None and self._is_of_another_form():
                return False
            self._replace(content)
            self._written = content
        return True

    def _is_of_another_form(self) -> bool:
        try:
            return self._content().get(_OWNER) != self._form  # an earlier release records no form
        except (OSError, ValueError, TypeError, RecursionError):
            return False  # it was deleted or damaged

    def _content(self) -> dict[str, Any]:
        return dict(json.loads(self.path.read_text("utf-8")))

    def _replace(self, content: str) -> None:
        self._make_folder()
        descriptor, name = tempfile.mkstemp(dir=self.path.parent)  # readable by its owner only
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
            Path(name).replace(self.path)
        finally:
            with suppress(FileNotFoundError):
                Path(name).unlink()

    def make_photos_folder(self) -> Path:
        """Return a folder where photos from the user's computer are kept; only its owner can read it.

        Raises
        ------
        OSError
        """
        self._make_folder()
        self._photos_folder.mkdir(mode=0o700, exist_ok=True)
        return self._photos_folder

    def _make_folder(self) -> None:
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        ignore = self.path.with_name(".gitignore")  # drafts contain names, prompts and photos
        if not ignore.exists() or not ignore.stat().st_size:  # the disk was full
            ignore.write_text("*\n", encoding="utf-8")

    def _keep_photos(self, folders: Iterable[Path]) -> None:
        """Record that photos are in use from now on."""
        _shown.update(folders)
        for folder in folders:
            if folder.parent == self._photos_folder:
                with suppress(OSError):  # it was deleted
                    os.utime(folder)

    def _delete_unused_photos(self) -> None:
        """Delete photos that are not in the draft and that no open form can show."""
        with suppress(OSError):  # there are no photos, or they cannot be listed
            for folder in self._photos_folder.iterdir():
                if folder not in _shown and folder.stat().st_mtime < time.time() - _UNUSED_SECONDS:
                    remove_tree(folder)


def _folders_of_photos(saved: Mapping[str, Any]) -> set[Path]:
    images = (image for fields in (saved, *_listed(saved)) for image in fields.get("images") or ())
    return {Path(str(image)).parent for image in images}


def _plain(value: Any) -> Any:
    if isinstance(value, Image):
        return value.origin
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _listed(saved: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(fields) for fields in saved.get(LIST) or ()]


def _holds_key(value: Any) -> bool:
    text = json.dumps(value)
    return redact_long_keys(text) != text
