"""A draft as plain data, and where it is kept between two kernels."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from astria_nb.client.client import Client
from astria_nb.errors import Problem, TuneError
from astria_nb.images.image import Image
from astria_nb.images.preprocessing import Preprocessing
from astria_nb.log import Log
from astria_nb.tune.tune import FIELDS
from astria_nb.utils.redaction import PLACEHOLDER, redact_long_keys

# Of a row, ``prompt_ids`` are what was made, and not what was asked for.
_TOLD = ("title", "pack", "name", "image_urls", "characteristics", "callback", "prompts_callback", "tune_ids")
_KEPT = (*FIELDS, "keep_metadata", "max_side")
FOLDER = ".astria_drafts"
_NAME = re.compile(r"\w[\w .-]{0,63}")


def as_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a draft as JSON can hold it: images as their paths."""
    return {name: _plain(value) for name, value in values.items()}


def asked_for(row: pd.DataFrame, client: Client, log: Log) -> dict[str, Any]:
    """Return the fields that a row's tune was made from: those on record, else those that the row tells."""
    told = _told(row)
    title = told.pop("title", None)
    found = log.find(client.service, title) if title is not None and log.path.exists() else None
    if found is None:
        return told
    request = found.request
    lost = {field.split(".")[0] for field in request.redacted}
    fields = {**request.parameters, "pack": request.pack}
    if request.images:
        fields["images"] = [image.path for image in request.images]
        fields |= {name: value for name, value in asdict(request.preprocessing).items() if value}
    return {name: value for name, value in fields.items() if name not in {*lost, "title"}}


class SavedDraft:
    """One draft on the disk, in a file beside the log that only its owner may read.

    Parameters
    ----------
    folder : Path
        The log's.
    name : str
        Of the draft.

    Raises
    ------
    TuneError
        The name is none that a file can have.
    """

    def __init__(self, folder: Path, name: str) -> None:
        if not _NAME.fullmatch(name):
            hint = "use letters, digits, spaces, dots and dashes, at most 64"
            raise TuneError(Problem("draft", f"{name!r} is no name for a file", hint))
        self.path = folder / FOLDER / f"{name}.json"
        self.photos = folder / FOLDER / f"{name}.photos"
        """Where photos that came from the reader's computer are kept with it."""

    def read(self) -> dict[str, Any]:
        """Return what was kept; nothing where there is none, or where it cannot be read."""
        try:
            found = dict(json.loads(self.path.read_text("utf-8")))
            Preprocessing(found.get("keep_metadata", False), found.get("max_side"))
        except (OSError, ValueError, TypeError):
            return {}
        self._forget_photos(map(str, found.get("images") or ()))
        return {name: value for name, value in found.items() if name in _KEPT}

    def write(self, values: Mapping[str, Any]) -> None:
        """Keep a draft, whole or not at all, but for a field that holds what looks like a key.

        Raises
        ------
        OSError
        """
        kept = {name: value for name, value in values.items() if not _holds_key(value)}
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        number, name = tempfile.mkstemp(dir=self.path.parent)  # made so that only its owner may read it
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                json.dump(kept, file)
            Path(name).replace(self.path)
        finally:
            with suppress(FileNotFoundError):
                Path(name).unlink()

    def _forget_photos(self, images: Iterable[str]) -> None:
        """Remove the photos that the draft no longer holds."""
        used = {Path(image).parent for image in images}
        if self.photos.is_dir():
            for folder in self.photos.iterdir():
                if folder not in used:
                    shutil.rmtree(folder, ignore_errors=True)


def _told(row: pd.DataFrame) -> dict[str, Any]:
    """Return the fields of a tune that its row has; its photos are those that the service kept."""
    record = row.iloc[0].rename({"orig_images": "image_urls"}).to_dict()
    if isinstance(record.get("characteristics"), str):
        record["characteristics"] = json.loads(record["characteristics"])
    told = {name: record[name] for name in _TOLD if name in record and PLACEHOLDER not in str(record[name])}
    return {
        name: value if isinstance(value, str | int | dict) else list(value)
        for name, value in told.items()
        if not pd.api.types.is_scalar(value) or pd.notna(value)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Image):
        return str(value.path)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _holds_key(value: Any) -> bool:
    text = json.dumps(value)
    return redact_long_keys(text) != text
