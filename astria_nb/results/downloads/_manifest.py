"""The manifest beside downloaded pictures: the origin, the size and the hash of each."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from astria_nb.results.downloads import _media_type as media_type
from astria_nb.results.downloads._entry import Entry, manifest_line, parse_line
from astria_nb.results.downloads._safe_folder import SafeFolder

NAME = "manifest.jsonl"
_FAILURE = {"prompt_id", "number", "tune_id", "text", "url", "problem"}


class Manifest:
    """The entries of a folder's ``manifest.jsonl``, one JSON object a line. The file is replaced as a whole.

    Parameters
    ----------
    folder : SafeFolder
    """

    def __init__(self, folder: SafeFolder) -> None:
        self._folder = folder
        self._entries: dict[int, list[Entry]] = {}  # by prompt
        self._other_lines: list[bytes] = []
        self._file_state: tuple[int, ...] | None = None
        self.read()

    def read(self) -> None:
        """Read what other processes have written.

        Raises
        ------
        OSError
            There is a file, but it cannot be read.
        """
        file = self._folder.open(NAME)
        if file is None:
            if self._folder.has_file(NAME):  # writing a new file would lose its content
                raise OSError(f"its {NAME} cannot be read")
            self._entries, self._other_lines, self._file_state = {}, [], None
            return
        with file:
            if (state := _file_state(file.fileno())) != self._file_state:
                self._entries, self._other_lines = {}, []
                for line in file:
                    if entry := parse_line(line):
                        self._add(entry)
                    elif line.strip():
                        self._other_lines.append(line.rstrip(b"\r\n"))
                self._file_state = state

    def of_prompt(self, prompt_id: int) -> list[Entry]:
        """Return the entries of a prompt's pictures."""
        return self._entries.get(prompt_id, [])

    def find(self, prompt_id: int, number: int, url: str) -> Entry | None:
        """Return the entry of a picture, or None."""
        entries = self.of_prompt(prompt_id)
        return next((entry for entry in entries if (entry.number, entry.url) == (number, url)), None)

    def is_complete(self, entry: Entry) -> bool:
        """Return whether the file of an entry exists, with the size and hash of the entry, and an end."""
        file = self._folder.open(entry.file)
        if file is None:
            return False
        with file:
            if os.fstat(file.fileno()).st_size != entry.bytes:
                return False
            is_same = hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256
            return is_same and not media_type.is_truncated(file, entry.bytes)

    def write(self, *, add: Iterable[Entry]) -> None:
        """Replace the file. Only while the folder is locked, after a `read`. Lines of others are kept."""
        for entry in add:
            self._add(entry)
        self._other_lines = [line for line in self._other_lines if not self._is_settled(line)]
        entries = [entry for of_prompt in self._entries.values() for entry in of_prompt]
        entries.sort(key=lambda entry: (entry.key, entry.file))
        temporary = self._folder.create_temporary()
        try:
            for line in self._other_lines:
                temporary.file.write(line + b"\n")
            for entry in entries:
                temporary.file.write(manifest_line(entry.fields()).encode())
            temporary.sync()
            state = _file_state(temporary.file.fileno())
            self._folder.publish(temporary, NAME)
        finally:
            self._folder.discard(temporary)
        self._folder.sync()
        self._file_state = state

    def _add(self, entry: Entry) -> None:
        """Add an entry in place of those of the same picture or file, with the fields that others added."""
        added: dict[str, Any] = {}
        others: list[Entry] = []
        for other in self.of_prompt(entry.prompt_id):
            if other.file == entry.file or (other.number, other.url) == (entry.number, entry.url):
                added |= other.added
            else:
                others.append(other)
        entry = replace(entry, added=added | dict(entry.added)) if added else entry
        self._entries[entry.prompt_id] = [*others, entry]

    def _is_settled(self, line: bytes) -> bool:
        """Return whether a line of `PictureArchive` reports a picture as missing that now exists."""
        try:
            fields = json.loads(line)
            if fields.keys() != _FAILURE:
                return False
            return self.find(fields["prompt_id"], fields["number"], fields["url"]) is not None
        except (ValueError, TypeError, AttributeError, RecursionError):
            return False


def _file_state(descriptor: int) -> tuple[int, ...]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
