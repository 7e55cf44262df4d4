"""A line of the manifest: a downloaded picture, and where it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from astria_nb.results.downloads._media_type import SUFFIXES

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(rf"(\d+-\d+)(_[2-9]|_[1-9]\d+)?({'|'.join(map(re.escape, SUFFIXES))})", re.ASCII)

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
        Address without signatures.
    file : str
        Its name in the folder.
    bytes : int
        Its size.
    sha256 : str
        In lower-case hexadecimal digits.
    added : mapping
        Fields that others have added to its line; they are kept.
    """

    prompt_id: int
    number: int
    tune_id: int | None
    text: str
    url: str
    file: str
    bytes: int
    sha256: str
    added: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> Key:
        """The prompt's id and the picture's number."""
        return self.prompt_id, self.number

    def fields(self) -> dict[str, Any]:
        """Return the content of its line in the manifest."""
        # Not with `dataclasses.asdict`, whose deep copies take ten times as long for each line.
        return {name: getattr(self, name) for name in _FIELDS} | dict(self.added)


_FIELDS = tuple(name for name in Entry.__slots__ if name != "added")


def names_for(prompt_id: int, number: int, suffix: str) -> Iterator[str]:
    """Yield the names that a picture's file may have, the usual one first.

    Parameters
    ----------
    prompt_id, number : int
    suffix : str
    """
    yield f"{prompt_id}-{number}{suffix}"
    for copy in count(2):
        yield f"{prompt_id}-{number}_{copy}{suffix}"


def manifest_line(fields: Mapping[str, Any]) -> str:
    """Return fields as one line of JSON, with line separators and terminal control characters escaped.

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
    """Return the entry of a line, or None if it is not one of ours."""
    try:
        fields = json.loads(line)
        entry = Entry(**{name: fields.pop(name) for name in _FIELDS}, added=fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return entry if _is_valid(entry) else None


def _is_valid(entry: Entry) -> bool:
    """Return whether an entry could be ours: the file of another one may be outside of the folder."""
    numbers: list[Any] = [entry.prompt_id, entry.number, entry.bytes]
    if entry.tune_id is not None:
        numbers.append(entry.tune_id)
    texts: list[Any] = [entry.text, entry.url, entry.file, entry.sha256]
    if {*map(type, numbers)} != {int} or {*map(type, texts)} != {str}:
        return False
    name = _NAME.fullmatch(entry.file)
    is_ours = name is not None and name[1] == f"{entry.prompt_id}-{entry.number}"
    return is_ours and _SHA256.fullmatch(entry.sha256) is not None
