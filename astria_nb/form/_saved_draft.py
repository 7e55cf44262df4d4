"""A draft as plain data, and its file between two kernels."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from astria_nb.client import Client
from astria_nb.errors import LogError, Problem, TuneError
from astria_nb.images import Image, Preprocessing
from astria_nb.log import Log, Submission
from astria_nb.results.frames import tunes_in
from astria_nb.rows import Rows
from astria_nb.tune import FIELDS
from astria_nb.utils.redaction import PLACEHOLDER, redact_long_keys
from astria_nb.utils.remove_tree import remove_tree

# Not ``prompt_ids``: in a row they are the prompts that were made, not those that were asked for.
_ROW_FIELDS = (
    *("title", "pack", "name", "image_urls", "characteristics"),
    *("callback", "prompts_callback", "tune_ids"),
)
_SAVED_FIELDS = (*FIELDS, "keep_metadata", "max_side", "keep_damaged")
LIST = "list"
"""What the tunes of a form's list are saved as, beside its fields."""
FOLDER = ".astria_drafts"
_NAME = re.compile(r"\w[\w .-]{0,63}")


def as_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a draft as JSON can hold it, with images as their paths; those in memory are left out."""
    plain = {name: _plain(value) for name, value in values.items()}
    images = [path for path in plain.pop("images", None) or () if path is not None]
    return {**plain, "images": images} if images else plain


def fields_of_row(row: Rows, client: Client, log: Log) -> dict[str, Any]:
    """Return the fields that a row's tune was made from, without its title.

    They come from the log if it has the request, else from the row.

    Raises
    ------
    TuneError
        It is not one row, or it and the log say nothing of what the tune was made from.
    """
    frame = tunes_in(row)
    if len(frame) != 1:
        what = f"expected one row, got {len(frame)}"
        raise TuneError(Problem("row", what, "select one, such as rows.iloc[[0]]"))
    fields = _fields_in_row(frame)
    title = fields.pop("title", None)
    submission = None
    with suppress(LogError):  # the form says so
        submission = _recorded(frame.iloc[0], title, client, log)
    if submission is None:
        if not fields:
            what = "says nothing of what its tune was made from, nor does the log"
            raise TuneError(Problem("row", what, "pass the row that submit returned"))
        return fields
    request = submission.request
    redacted = {field.split(".")[0] for field in request.redacted}
    fields = {**request.parameters, "pack": request.pack}
    if paths := [image.path for image in request.images if image.path]:  # others were in memory
        fields["images"] = paths
        fields |= {name: value for name, value in asdict(request.preprocessing).items() if value}
    return {name: value for name, value in fields.items() if name not in {*redacted, "title"}}


class SavedDraft:
    """A draft on disk, in a file beside the log that only its owner can read.

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
        self._photos_folder = folder / FOLDER / f"{name}.photos"

    def read(self) -> dict[str, Any]:
        """Return the saved fields; an empty dictionary if there is no file or it cannot be read."""
        try:
            saved = dict(json.loads(self.path.read_text("utf-8")))
            Preprocessing(saved.get("keep_metadata", False), saved.get("max_side"))
            images = [
                str(image) for fields in (saved, *_listed(saved)) for image in fields.get("images") or ()
            ]
        except (OSError, ValueError, TypeError, RecursionError):
            return {}
        self._delete_unused_photos(images)
        return {name: value for name, value in saved.items() if name in (*_SAVED_FIELDS, LIST)}

    def write(self, values: Mapping[str, Any]) -> None:
        """Save a draft atomically, without any field that seems to contain an API key.

        Raises
        ------
        OSError
        """
        safe = {name: value for name, value in values.items() if name != LIST and not _holds_key(value)}
        listed = [
            {name: value for name, value in fields.items() if not _holds_key(value)}
            for fields in _listed(values)
        ]
        safe |= {LIST: listed} if listed else {}
        self._make_folder()
        descriptor, name = tempfile.mkstemp(dir=self.path.parent)  # readable by its owner only
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(safe, file)
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
        ignore = self.path.with_name(".gitignore")  # drafts hold names, prompts and photos
        if not ignore.exists() or not ignore.stat().st_size:  # the disk was full
            ignore.write_text("*\n", encoding="utf-8")

    def _delete_unused_photos(self, images: Iterable[str]) -> None:
        used = {Path(image).parent for image in images}
        with suppress(OSError):  # there are none, or they cannot be listed
            for folder in self._photos_folder.iterdir():
                if folder not in used:
                    remove_tree(folder)


def _recorded(row: pd.Series[Any], title: str | None, client: Client, log: Log) -> Submission | None:
    """Return the submission of a row, by its title or else by the id of its tune, or None."""
    if not log.exists():
        return None
    service, account = row["service"], row["account"]
    if pd.isna(service) or not service:
        service, account = client.service, client.known_account
    account = None if pd.isna(account) else account
    if title is not None:
        return log.find(service, title, account)
    submission = None if pd.isna(row["id"]) else log.of_tune(service, int(row["id"]), account)
    is_own = submission is not None and submission.tune_id == row["id"]  # else it ran a pack on the tune
    return submission if is_own else None


def _fields_in_row(row: pd.DataFrame) -> dict[str, Any]:
    """Return the fields of a tune that its row has; as photos, the copies that the service keeps."""
    record = row.iloc[0].rename({"orig_images": "image_urls"}).to_dict()
    if isinstance(record.get("characteristics"), str):
        record["characteristics"] = json.loads(record["characteristics"])
    values = {
        name: record[name] for name in _ROW_FIELDS if name in record and PLACEHOLDER not in str(record[name])
    }
    return {
        name: value if isinstance(value, str | int | dict) else list(value)
        for name, value in values.items()
        if not pd.api.types.is_scalar(value) or pd.notna(value)
    }


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
