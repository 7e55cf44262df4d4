"""The record beside downloaded pictures: what each is, whence it came, and how to know that it is whole."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from astria_nb.results.downloads.media_type import SUFFIXES
from astria_nb.results.downloads.safe_folder import SafeFolder

NAME = "manifest.jsonl"
_SHA256 = re.compile(r"[0-9a-f]{64}")

Key = tuple[int, int]
"""A prompt's id, and which of its pictures, from 1."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture on the disk.

    Attributes
    ----------
    prompt_id, number : int
        Which picture: the first one of a prompt is 1.
    tune_id : int or None
    text : str
        Of the prompt.
    url : str
        Without signatures.
    file : str
        Its name in the folder.
    bytes : int
    sha256 : str
    """

    prompt_id: int
    number: int
    tune_id: int | None
    text: str
    url: str
    file: str
    bytes: int
    sha256: str

    @property
    def key(self) -> Key:
        """What tells it from the others."""
        return self.prompt_id, self.number


class Manifest:
    """The entries of a folder's ``manifest.jsonl``, a line of JSON each; it is replaced as a whole.

    Parameters
    ----------
    folder : SafeFolder
    """

    def __init__(self, folder: SafeFolder) -> None:
        self._folder = folder
        self._entries: dict[Key, Entry] = {}
        self._seen: tuple[int, ...] | None = None
        self.read()

    def read(self) -> None:
        """Take in what other processes wrote since. A line that is none of ours is passed over."""
        file = self._folder.open(NAME)
        if file is None:
            self._entries, self._seen = {}, None
            return
        with file:
            if (state := _state(file.fileno())) != self._seen:
                entries = filter(None, map(_entry, file))
                self._entries, self._seen = {each.key: each for each in entries}, state

    def find(self, key: Key) -> Entry | None:
        """Return what is on record of a picture."""
        return self._entries.get(key)

    def is_whole(self, entry: Entry) -> bool:
        """Tell whether the file of an entry is there, with the size and the hash on record."""
        file = self._folder.open(entry.file)
        if file is None:
            return False
        with file:
            if os.fstat(file.fileno()).st_size != entry.bytes:
                return False
            return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256

    def write(self, *, add: Iterable[Entry] = (), drop: Iterable[Entry] = ()) -> None:
        """Replace the file; only for who is alone with the folder, and has read it since."""
        for each in drop:
            if self._entries.get(each.key) == each:
                del self._entries[each.key]
        self._entries |= {each.key: each for each in add}
        made = self._folder.temporary()
        try:
            for _, entry in sorted(self._entries.items()):
                made.file.write(json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n")
            made.finish()
            state = _state(made.file.fileno())
            self._folder.publish(made, NAME)
        finally:
            self._folder.discard(made)
        self._folder.sync()
        self._seen = state


def _state(number: int) -> tuple[int, ...]:
    found = os.fstat(number)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _entry(line: bytes) -> Entry | None:
    try:
        told = json.loads(line)
        entry = Entry(**{name: told[name] for name in Entry.__slots__})
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return entry if _is_sound(entry) else None


def _is_sound(entry: Entry) -> bool:
    """Tell whether an entry is one of ours: nothing is looked for where a stranger's points."""
    numbers: list[Any] = [entry.prompt_id, entry.number, entry.bytes]
    if entry.tune_id is not None:
        numbers.append(entry.tune_id)
    texts: list[Any] = [entry.text, entry.url, entry.file, entry.sha256]
    if {*map(type, numbers)} != {int} or {*map(type, texts)} != {str}:
        return False
    names = {f"{entry.prompt_id}-{entry.number}{suffix}" for suffix in SUFFIXES}
    return entry.file in names and _SHA256.fullmatch(entry.sha256) is not None
