"""Matching of entries in the manifest with the pictures that the service lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from astria_nb.results.downloads._entry import Entry, Key
from astria_nb.results.downloads._fetcher import RemotePicture
from astria_nb.results.downloads._manifest import Manifest


@dataclass(frozen=True, slots=True)
class Matches:
    """The entries of listed pictures.

    Attributes
    ----------
    same : dict of Key to Entry
        The entry with the picture's address, even at another position of the list.
    former : dict of Key to list of Entry
        For the other pictures: the entries of their prompt with the same file name in another address that
        belong to no other picture, since the service may have moved it.
    """

    same: dict[Key, Entry]
    former: dict[Key, list[Entry]]


def match(pictures: Sequence[RemotePicture], manifest: Manifest) -> Matches:
    """Return the entries of pictures. No entry belongs to two pictures.

    Parameters
    ----------
    pictures : sequence of RemotePicture
    manifest : Manifest
    """
    found = {
        picture.key: manifest.find(picture.prompt_id, picture.number, picture.redacted_url)
        for picture in pictures
    }
    same = {key: entry for key, entry in found.items() if entry is not None}
    taken = {entry.file for entry in same.values()}
    others = [picture for picture in pictures if picture.key not in same]
    for picture in others:  # pictures move when a list gets shorter
        for entry in manifest.of_prompt(picture.prompt_id):
            if entry.url == picture.redacted_url and entry.file not in taken:
                same[picture.key] = entry
                taken.add(entry.file)
                break
    former = {
        picture.key: [
            entry
            for entry in manifest.of_prompt(picture.prompt_id)
            if _name(entry.url) == _name(picture.redacted_url) and entry.file not in taken
        ]
        for picture in others
        if picture.key not in same
    }
    return Matches(same, former)


def _name(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).name
