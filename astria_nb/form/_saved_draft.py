"""The draft of a form between two kernels."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from astria_nb.errors import Problem, TuneError
from astria_nb.form._draft_fields import EMPTY, LIST, as_plain, readable
from astria_nb.form._draft_file import FOLDER, DraftFile
from astria_nb.form._draft_photos import DraftPhotos
from astria_nb.images import Image
from astria_nb.utils.formatting import quoted, short
from astria_nb.utils.redaction import redact_long_keys

_OWNER = "form"  # the form that saves the draft, in its file
_writing = threading.Lock()  # forms of one kernel write from several threads
_NAME = re.compile(r"\w[\w .-]{0,63}")
_AGAIN = "run this cell again (in an app, load this page again)"
_OPENED_ELSEWHERE = (
    "This draft is open in another form, which saves it now. What is filled in here stays, but is not saved: "
    f"{_AGAIN} to continue here with what the other form saved."
)
_NOT_READ = (
    "The saved draft could not be read when this form was made, and is left as it is. What is filled in here "
    f"is not saved: {_AGAIN} to continue with the draft."
)
_SET_ASIDE = (
    "The saved draft could not be read in full, and is kept as {} in the folder {} beside the log. "
    "Continue here without it; or correct that file, rename it {} and {}."
)


class SavedDraft:
    """A draft on disk, beside the log: a file, and a folder of photos, that only their owner can read.

    It belongs to one form at a time, which the file names: the one that opened it last.

    Parameters
    ----------
    folder : Path
        The log's folder.
    name : object
        The draft's name.

    Raises
    ------
    TuneError
        The name is not text, or cannot be a file name.
    """

    def __init__(self, folder: Path, name: Any) -> None:
        if not isinstance(name, str):
            hint = "give a name, such as draft='cats'"
            raise TuneError(Problem("draft", f"{short(name)} is not text", hint))
        if not _NAME.fullmatch(name):
            hint = "use letters, digits, spaces, dots and dashes, at most 64; begin with a letter or digit"
            raise TuneError(Problem("draft", f"{quoted(name)} is not a valid file name", hint))
        self._file = DraftFile(folder, name)
        self._photos = DraftPhotos(self._file.folder, name, self._file.make_folder)
        self._form = uuid.uuid4().hex
        self._owners = {self._form}  # with the form that had the draft when this one opened it
        self._is_unread = self._was_tried = False
        self._written: str | None = None  # the last content that this form wrote
        self._had = set[str]()  # the fields that the draft has, or had before they were emptied

    @property
    def notice(self) -> str:
        """What became of a file that could not be read in full, and what to do; empty if there was none."""
        name = self._file.set_aside_as
        return "" if name is None else _SET_ASIDE.format(name, FOLDER, self._file.name, _AGAIN)

    def read(self) -> dict[str, Any]:
        """Return the saved fields; an empty dictionary if there is no file or it cannot be read.

        A field that was emptied, and a switch that was turned off, is there as well: the cell that makes the
        form again may still give it.
        """
        try:
            saved = self._file.read() or {}
            fields, is_whole = readable(saved)
            if not is_whole:
                self._file.set_aside()
        except OSError:
            self._is_unread = True
            return {}
        self._owners.add(_owner_of(saved))
        self._had = fields.keys() & EMPTY.keys()
        self._photos.keep(_photos_in(fields), may_delete=bool(saved) and not self._file.was_set_aside)
        return _with_photos(fields, self._photos.path_of)

    def write(self, values: Mapping[str, Any]) -> str:
        """Save a draft atomically, without any field that seems to contain an API key.

        Parameters
        ----------
        values : mapping of str to object
            What is filled in. Photos that are in memory are copied.

        Returns
        -------
        str
            Why the file was left as it is: another form has opened the draft since, or it could not be read
            when this form was made. Empty if the draft is saved, also if that was before.

        Raises
        ------
        OSError
        """
        photos = _photos_in(values)
        self._photos.note(map(self._photos.path_of, photos))
        content = json.dumps({**self._plain(values), _OWNER: self._form})
        with _writing:
            if content != self._written:
                if refusal := self._refusal():
                    return refusal
                self._file.replace(content)
                self._written = content
            # What fails here is named by the draft all the same: its form misses it, and is not ready.
            self._photos.store(photos)
        return ""

    def _plain(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is filled in as it is saved, and what was emptied."""
        self._had |= values.keys() & EMPTY.keys()
        emptied = {name: empty for name, empty in EMPTY.items() if name in self._had - values.keys()}
        safe = {name: value for name, value in values.items() if name != LIST and not _holds_key(name, value)}
        # Without what it had, a tune of the list would be another one: it says so when it is restored.
        listed = [
            {name: None if _holds_key(name, value) else value for name, value in fields.items()}
            for fields in _listed(values)
        ]
        safe |= {LIST: listed} if listed else {}
        return {**emptied, **as_plain(_with_photos(safe, self._photos.path_of))}

    def _refusal(self) -> str:
        """Return why this form must not replace the file; empty if it may."""
        if not self._was_tried and not self._is_unread:
            self._was_tried = True  # it has just read it: the draft is its own from here on
            return ""
        saved = self._file.read()
        if saved is None:
            self._is_unread = False
            return ""
        if self._is_unread:
            return _NOT_READ
        return "" if _owner_of(saved) in self._owners else _OPENED_ELSEWHERE

    def make_photos_folder(self) -> Path:
        """Return a folder where photos from the user's computer are kept; only its owner can read it.

        Raises
        ------
        OSError
        """
        return self._photos.make_folder()


def _owner_of(saved: Mapping[str, Any]) -> str:
    return str(saved.get(_OWNER, ""))  # an earlier release has no owner


def _photos_in(saved: Mapping[str, Any]) -> list[Any]:
    return [image for fields in (saved, *_listed(saved)) for image in fields.get("images") or ()]


def _with_photos(saved: Mapping[str, Any], name: Callable[[Any], str]) -> dict[str, Any]:
    """Return a draft, with its list, in which photos have other names."""

    def renamed(fields: Mapping[str, Any]) -> dict[str, Any]:
        images = [name(image) for image in fields.get("images") or ()]
        return {**fields, "images": images} if images else dict(fields)

    listed = [renamed(fields) for fields in _listed(saved)]
    return {**renamed(saved), LIST: listed} if listed else renamed(saved)


def _listed(saved: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(fields) for fields in saved.get(LIST) or ()]


def _holds_key(name: str, value: Any) -> bool:
    if name == "images":  # the name of a file is not a key, whatever it looks like
        value = [image for image in value if not isinstance(image, Image) or "://" in (image.origin or "")]
    text = json.dumps(as_plain({name: value}))
    return redact_long_keys(text) != text
