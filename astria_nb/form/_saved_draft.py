"""A draft as plain data, and its file between two kernels."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from astria_nb.errors import Problem, TuneError
from astria_nb.form._draft_photos import DraftPhotos
from astria_nb.form._replaced_file import replaced_file
from astria_nb.images import Image, Preprocessing
from astria_nb.tune import FIELDS
from astria_nb.utils.redaction import redact_long_keys

_EMPTY: dict[str, Any] = {**dict.fromkeys(FIELDS), **asdict(Preprocessing())}
"""What a draft can have beside its list, each as it is when it is emptied or turned off."""
LIST = "list"
"""What the tunes of a form's list are saved as, beside its fields."""
FOLDER = ".astria_drafts"
_OWNER = "form"  # the form that saves the draft, in its file
_writing = threading.Lock()  # forms of one kernel write from several threads
_NAME = re.compile(r"\w[\w .-]{0,63}")


def as_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a draft as JSON can hold it, with images as their paths; those in memory are left out."""
    plain = {name: _plain(value) for name, value in values.items()}
    images = [path for path in plain.pop("images", None) or () if path is not None]
    return {**plain, "images": images} if images else plain


class SavedDraft:
    """A draft on disk, in a file beside the log that only its owner can read.

    It belongs to one form at a time, which the file names: the one that opened it last.

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
            raise TuneError(Problem("draft", f"{name!r} is not a valid file name", hint))
        self.path = folder / FOLDER / f"{name}.json"
        self._photos = DraftPhotos(folder / FOLDER, name, self._make_folder)
        self._form = uuid.uuid4().hex
        self._written: str | None = None  # what this form wrote last
        self._had = set[str]()  # the fields that the draft has, or had before they were emptied

    def read(self) -> dict[str, Any]:
        """Return the saved fields; an empty dictionary if there is no file or it cannot be read.

        A field that was emptied, and a switch that was turned off, is there as well: the cell that makes the
        form again may still give it.
        """
        try:
            saved = self._content()
            Preprocessing(saved.get("keep_metadata", False), saved.get("max_side"))
            self._photos.keep(_photos_in(saved))
            saved = _with_photos(saved, self._photos.from_saved)
        except (OSError, ValueError, TypeError, RecursionError):
            return {}
        self._had = saved.keys() & _EMPTY.keys()
        return {name: value for name, value in saved.items() if name in (*_EMPTY, LIST)}

    def write(self, values: Mapping[str, Any]) -> bool:
        """Save a draft atomically, without any field that seems to contain an API key.

        Parameters
        ----------
        values : mapping of str to object
            What is filled in. Photos that are in memory are copied.

        Returns
        -------
        bool
            False if another form has opened the draft since: it is that one's, and was left as it is. What
            this form saved before that, and still has, is not refused.

        Raises
        ------
        OSError
        """
        photos = _photos_in(values)
        values = as_plain(_with_photos(values, self._photos.to_saved))
        self._photos.note(_photos_in(values))
        self._had |= values.keys() & _EMPTY.keys()
        emptied = {name: empty for name, empty in _EMPTY.items() if name in self._had - values.keys()}
        values = {**emptied, **values}
        safe = {name: value for name, value in values.items() if name != LIST and not _holds_key(value)}
        listed = [
            {name: value for name, value in fields.items() if not _holds_key(value)}
            for fields in _listed(values)
        ]
        safe |= {LIST: listed} if listed else {}
        content = json.dumps({**safe, _OWNER: self._form})
        with _writing:
            if content != self._written:
                if self._written is not None and self._is_of_another_form():
                    return False
                self._replace(content)
                self._written = content
            # What fails here is named by the draft all the same: its form misses it, and is not ready.
            self._photos.store(photos)
        return True

    def _is_of_another_form(self) -> bool:
        try:
            return self._content().get(_OWNER) != self._form  # an earlier release names none
        except (OSError, ValueError, TypeError, RecursionError):
            return False  # it was deleted or damaged

    def _content(self) -> dict[str, Any]:
        return dict(json.loads(self.path.read_text("utf-8")))

    def _replace(self, content: str) -> None:
        self._make_folder()
        with replaced_file(self.path) as file:
            file.write(content.encode())

    def make_photos_folder(self) -> Path:
        """Return a folder where photos from the user's computer are kept; only its owner can read it.

        Raises
        ------
        OSError
        """
        return self._photos.make_folder()

    def _make_folder(self) -> None:
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        ignore = self.path.with_name(".gitignore")  # drafts hold names, prompts and photos
        if not ignore.exists() or not ignore.stat().st_size:  # the disk was full
            ignore.write_text("*\n", encoding="utf-8")


def _photos_in(saved: Mapping[str, Any]) -> list[Any]:
    return [image for fields in (saved, *_listed(saved)) for image in fields.get("images") or ()]


def _with_photos(saved: Mapping[str, Any], name: Callable[[Any], str]) -> dict[str, Any]:
    """Return a draft, with its list, in which photos have other names."""

    def renamed(fields: Mapping[str, Any]) -> dict[str, Any]:
        images = [name(image) for image in fields.get("images") or ()]
        return {**fields, "images": images} if images else dict(fields)

    listed = [renamed(fields) for fields in _listed(saved)]
    return {**renamed(saved), LIST: listed} if listed else renamed(saved)


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
