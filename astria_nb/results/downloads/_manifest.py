"""The manifest beside downloaded pictures: what each is, where it came from, its size and its hash."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from astria_nb.results.downloads._media_type import SUFFIXES
from astria_nb.results.downloads._safe_folder import SafeFolder

NAME = "manifest.jsonl"
_SHA256 = re.compile(r"[0-9a-f]{64}")

Key = tuple[int, int]
"""The id of a prompt, and the number of one of its pictures, from 1."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A downloaded picture.

    Attributes
    ----------
    prompt_id : int
    number : int
        Which picture of the prompt, from 1.
    tune_id : int or None
    text : str
        The prompt's text.
    url : str
        Without signatures.
    file : str
        Its name in the folder.
    bytes : int
        Its size.
    sha256 : str
        In lower-case hexadecimal digits.
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
        """The prompt's id and the picture's number."""
        return self.prompt_id, self.number

    def fields(self) -> dict[str, Any]:
        """Return what its line in the manifest has."""
        # Not by `dataclasses.asdict`, which copies each value deeply: ten times the work for each line.
        return {name: getattr(self, name) for name in self.__slots__}


class Manifest:
    """The entries of a folder's ``manifest.jsonl``, one JSON object a line. The file is replaced as a whole.

    Parameters
    ----------
    folder : SafeFolder
    """

    def __init__(self, folder: SafeFolder) -> None:
        self._folder = folder
        self._entries: dict[Key, Entry] = {}
        self._file_state: tuple[int, ...] | None = None
        self.read()

    def read(self) -> None:
        """Read what other processes have written. Lines that are not valid entries are skipped."""
        file = self._folder.open(NAME)
        if file is None:
            self._entries, self._file_state = {}, None
            return
        with file:
            if (state := _file_state(file.fileno())) != self._file_state:
                entries = filter(None, map(parse_line, file))
                self._entries, self._file_state = {entry.key: entry for entry in entries}, state

    def find(self, key: Key) -> Entry | None:
        """Return the entry of a picture, or None."""
        return self._entries.get(key)

    def is_complete(self, entry: Entry) -> bool:
        """Return whether the file of an entry exists, with the size and hash of the entry."""
        file = self._folder.open(entry.file)
        if file is None:
            return False
        with file:
            if os.fstat(file.fileno()).st_size != entry.bytes:
                return False
            return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256

    def write(self, *, add: Iterable[Entry] = (), remove: Iterable[Entry] = ()) -> None:
        """Replace the file. Only while the folder is locked, after a `read`."""
        for entry in remove:
            if self._entries.get(entry.key) == entry:
                del self._entries[entry.key]
        self._entries |= {entry.key: entry for entry in add}
        temporary = self._folder.create_temporary()
        try:
            for _, entry in sorted(self._entries.items()):
                temporary.file.write(manifest_line(entry.fields()).encode())
            temporary.sync()
            state = _file_state(temporary.file.fileno())
            self._folder.publish(temporary, NAME)
        finally:
            self._folder.discard(temporary)
        self._folder.sync()
        self._file_state = state


def _file_state(descriptor: int) -> tuple[int, ...]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def manifest_line(fields: Mapping[str, Any]) -> str:
    """Return fields as one line of JSON. What ends a line for some, or a terminal obeys, is escaped.

    Parameters
    ----------
    fields : mapping
    """
    text = json.dumps(fields, ensure_ascii=False)
    if not text.isprintable():
        text = "".join(
            character if character.isprintable() else json.dumps(character)[1:-1] for character in text
        )
    return f"{text}\n"


def parse_line(line: bytes) -> Entry | None:
    """Return the entry of a line, or None if it is none of ours."""
    try:
        fields = json.loads(line)
        entry = Entry(**{name: fields[name] for name in Entry.__slots__})
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return entry if _is_valid(entry) else None


def _is_valid(entry: Entry) -> bool:
    """Return whether an entry could be ours: the file of a foreign one may lie outside of the folder."""
    numbers: list[Any] = [entry.prompt_id, entry.number, entry.bytes]
    if entry.tune_id is not None:
        numbers.append(entry.tune_id)
    texts: list[Any] = [entry.text, entry.url, entry.file, entry.sha256]
    if {*map(type, numbers)} != {int} or {*map(type, texts)} != {str}:
        return False
    names = {f"{entry.prompt_id}-{entry.number}{suffix}" for suffix in SUFFIXES}
    return entry.file in names and _SHA256.fullmatch(entry.sha256) is not None
