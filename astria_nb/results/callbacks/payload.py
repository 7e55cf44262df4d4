"""Which tunes a callback may be about (astria-api, section 9); nothing else in it is believed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from astria_nb.utils.arguments import parse_id

_IN_TEXT = re.compile(r"<\w+:(\d{1,19}):")
_MOST = 20  # tunes in one body; a run has few
_WRAPPERS = ("tune", "prompt", "prompts")


@dataclass(frozen=True, slots=True)
class Hint:
    """What to look at.

    Attributes
    ----------
    tune_ids : tuple of int
        Also ids of prompts and of base models, where the body does not tell them apart.
    prompts : bool
        Whether it is about pictures, too.
    """

    tune_ids: tuple[int, ...]
    prompts: bool


def hint(body: bytes) -> Hint | None:
    """Return what a body is about; None where it cannot be read.

    Parameters
    ----------
    body : bytes
        JSON in any of the shapes that were seen: an object or a list, each wrapped or bare.

    Examples
    --------
    >>> hint(b'{"tune": {"id": 7}}')
    Hint(tune_ids=(7,), prompts=False)
    >>> hint(b'[{"id": 5, "text": "<lora:7:1> a cat", "tune_id": 1504944}]')
    Hint(tune_ids=(7, 1504944, 5), prompts=True)
    >>> hint(b"hello") is None
    True
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, Mapping | list):
        return None
    entities = list(islice(_entities(said), 1000))
    found = dict.fromkeys(islice((each for entity in entities for each in _ids(entity)), _MOST * 10))
    return Hint(tuple(found)[:_MOST], isinstance(said, list) or any(map(_is_prompt, entities)))


def _entities(said: Any, depth: int = 4) -> Iterator[Mapping[str, Any]]:
    if isinstance(said, list):
        for each in said:
            yield from _entities(each, depth - 1) if depth else ()
    elif isinstance(said, Mapping):
        inner = [said[name] for name in _WRAPPERS if isinstance(said.get(name), Mapping | list)]
        if not inner:
            yield said
        for each in inner:
            yield from _entities(each, depth - 1) if depth else ()


def _ids(entity: Mapping[str, Any]) -> Iterator[int]:
    """Yield the likeliest ones first: `tune_id` may be the base model's (astria-api, section 6)."""
    tunes = entity.get("tunes")
    named = [each.get("id") for each in tunes if isinstance(each, Mapping)] if isinstance(tunes, list) else []
    text = entity.get("text")
    written = _IN_TEXT.findall(text[:2000]) if isinstance(text, str) else []
    for each in (*named, *written, entity.get("tune_id"), entity.get("id")):
        number = parse_id(each)
        if number is not None:
            yield number


def _is_prompt(entity: Mapping[str, Any]) -> bool:
    return "text" in entity or "tune_id" in entity or "images" in entity
